-- namespace NAME
-- Makes a namespace that belongs to no single user.
-- Refused: NAME is the name of a user, or of what is gone (`release NAME`).
insert into namespaces (name, created_at)
select :NAME, :NOW where not exists (select 1 from users where name = :NAME)
  and not exists (select 1 from retired_names where name = :NAME)
on conflict (name) do nothing;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, id, 'org.create', name, 'operator', '', '' from namespaces where name = :NAME and changes() > 0;
-- Those that people could take it for.
select name as namespace,
  (select group_concat(other, ', ') from (select name as other from users union select name from namespaces order by 1)
    where other <> :NAME and replace(replace(replace(other, '.', ''), '-', ''), '_', '')
      = replace(replace(replace(:NAME, '.', ''), '-', ''), '_', '')) as near
from namespaces where name = :NAME and owner_id is null;
