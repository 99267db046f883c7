-- add-machine NAME
-- Makes a machine of no namespace: a user without a password, whose access tokens the operator alone makes (`token`).
-- Refused: NAME is taken or reserved, or was the name of what is gone (`release NAME`).
insert into users (name, kind, status, created_at)
select :NAME, 'machine', 'active', :NOW
where :NAME not in ('library', 'admin', 'root', 'docker', 'hublet', 'operator', 'everybody')
  and not exists (select 1 from namespaces where name = :NAME)
  and not exists (select 1 from retired_names where name = :NAME)
on conflict (name) do nothing;
insert into audit (at, action, name, actor, credential, address)
select :NOW, 'org.machine.create', :NAME, 'operator', '', '' where changes() > 0;
-- Those that people could take it for.
select name, kind, status,
  (select group_concat(other, ', ') from (select name as other from users union select name from namespaces order by 1)
    where other <> :NAME and replace(replace(replace(other, '.', ''), '-', ''), '_', '')
      = replace(replace(replace(:NAME, '.', ''), '-', ''), '_', '')) as near
from users where name = :NAME and kind = 'machine';
