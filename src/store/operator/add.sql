-- add NAME
-- Makes an active user with a namespace of the same name; they choose the password by the link that is printed.
-- Refused: NAME is taken or reserved, or was the name of what is gone (`release NAME`).
insert into users (name, status, password, created_at)
select :NAME, 'active', :PASSWORD, :NOW
where :NAME not in ('library', 'admin', 'root', 'docker', 'hublet', 'operator', 'everybody')
  and not exists (select 1 from namespaces where name = :NAME)
  and not exists (select 1 from retired_names where name = :NAME)
on conflict (name) do nothing;
insert into namespaces (name, owner_id, created_at)
select name, id, :NOW from users where name = :NAME and kind = 'person'
on conflict do nothing;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id),
  'user.create', name, 'operator', '', '', json_object('status', status)
from users where name = :NAME and changes() > 0;
-- Somebody who never chose a password may get another link; it works for a week.
insert into links (hash, user_id, expires_at, created_at)
select :SECRET, id, :NOW + 604800, :NOW from users
where name = :NAME and kind = 'person' and password is null and :PASSWORD is null;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.password.link', name, 'operator', '', ''
from users where name = :NAME and changes() > 0;
-- Those that people could take it for.
select name, status,
  (select group_concat(other, ', ') from (select name as other from users union select name from namespaces order by 1)
    where other <> :NAME and replace(replace(replace(other, '.', ''), '-', ''), '_', '')
      = replace(replace(replace(:NAME, '.', ''), '-', ''), '_', '')) as near
from users
where name = :NAME and (password = :PASSWORD or exists (select 1 from links where hash = :SECRET));
