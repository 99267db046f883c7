-- grant NAME
-- Makes a user an administrator of the whole index.
-- Refused: there is no active user NAME.
update users set administrator = 1
where name = :NAME and status = 'active' and kind = 'person' and administrator = 0;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id),
  'user.role.change', name, 'operator', '', '', json_object('role', 'administrator')
from users where name = :NAME and changes() > 0;
select name, 'administrator' as rights from users where name = :NAME and administrator = 1 and status = 'active';
