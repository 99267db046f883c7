-- enable NAME
-- Lets a user in: one who was disabled, or whose e-mail was never confirmed.
-- Refused: there is no user NAME.
update users set status = 'active' where name = :NAME and status <> 'active';
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, coalesce(machine_of, (select id from namespaces where owner_id = users.id)),
  'user.status.change', name, 'operator', '', '', json_object('status', status)
from users where name = :NAME and changes() > 0;
select name, status from users where name = :NAME;
