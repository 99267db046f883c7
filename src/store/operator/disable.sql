-- disable NAME
-- Shuts a user out from the next request on; what they have stays.
-- Refused: there is no user NAME.
update users set status = 'disabled' where name = :NAME and status <> 'disabled';
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, coalesce(machine_of, (select id from namespaces where owner_id = users.id)),
  'user.status.change', name, 'operator', '', '', json_object('status', status)
from users where name = :NAME and changes() > 0;
select name, status from users where name = :NAME;
