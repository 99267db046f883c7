-- token NAME
-- Makes an access token for a user or a machine and prints it, once; --resource, --scope and --days limit it.
-- Refused: there is no user NAME.
insert into access_tokens (uuid, user_id, hash, label, scopes, resources, expires_at, expires_text, warned_days,
  created_at, created_by, creator_ip, creator_ua)
with asked as (
  select id, coalesce(:EXPIRES, iif(kind = 'person', :PERSON_EXPIRES, :MACHINE_EXPIRES)) as ends
  from users where name = :NAME)
select :UUID, id, :TOKEN, :LABEL, :SCOPES, :RESOURCES, ends, strftime('%Y-%m-%dT%H:%M:%SZ', ends, 'unixepoch'),
  case when ends <= :NOW + 86400 then 1 when ends <= :NOW + 7 * 86400 then 7 when ends <= :NOW + 30 * 86400 then 30 end,
  :NOW, 'operator', '', 'npm run admin' from asked;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, coalesce(machine_of, (select id from namespaces where owner_id = users.id)),
  'org.access_token.create', :UUID, 'operator', '', '', json_object('user', name, 'label', :LABEL, 'scopes', :SCOPES)
from users where name = :NAME and changes() > 0;
select u.name, t.uuid, t.scopes, t.resources, t.expires_text as expires
from access_tokens t join users u on u.id = t.user_id where t.uuid = :UUID;
