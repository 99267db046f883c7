-- token UUID end
-- Ends one access token, of a user or of a service account.
-- Refused: there is no access token UUID.
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, coalesce(u.machine_of, (select id from namespaces where owner_id = u.id)),
  'org.access_token.delete', t.uuid, 'operator', '', '', json_object('user', u.name)
from access_tokens t join users u on u.id = t.user_id where t.uuid = :UUID;
delete from access_tokens where uuid = :UUID;
select name as "access token", data ->> 'user' as "user", 'ended' as status from audit
where id = (select max(id) from audit) and at = :NOW and action = 'org.access_token.delete' and name = :UUID;
