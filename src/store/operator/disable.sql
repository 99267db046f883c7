-- disable NAME
-- Shuts a user out from the next request on, with the service accounts of their own namespace; what they have stays.
-- Refused: there is no user NAME.
update users set status = 'disabled' where name = :NAME and status <> 'disabled';
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, coalesce(machine_of, (select id from namespaces where owner_id = users.id)),
  'user.status.change', name, 'operator', '', '', json_object('status', status)
from users where name = :NAME and changes() > 0;
with whose as (select name, status, (select id from namespaces where owner_id = users.id) own from users where name = :NAME)
select name || ' is ' || status as what, 'npm run admin -- enable ' || name as command from whose
union all
select 'token ' || t.uuid || ' of the service account ' || m.name || ' is dead by it', ''
from whose w join users m on m.machine_of = w.own join access_tokens t on t.user_id = m.id
union all
select 'token ' || t.uuid || ' of the service account ' || m.name || ', which ' || w.name || ' made, goes on',
  'npm run admin -- token ' || t.uuid || ' end'
from whose w join access_tokens t on t.created_by = w.name
join users m on m.id = t.user_id and m.kind = 'machine' and m.machine_of is not w.own;
