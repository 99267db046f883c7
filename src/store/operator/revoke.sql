-- revoke NAME
-- Makes an administrator a user like any other.
-- Refused: there is no user NAME.
update users set administrator = 0 where name = :NAME and administrator = 1;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id),
  'user.role.change', name, 'operator', '', '', json_object('role', 'user')
from users where name = :NAME and changes() > 0;
select name, 'user' as rights from users where name = :NAME;
