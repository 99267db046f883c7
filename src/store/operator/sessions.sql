-- sessions NAME end
-- Ends what a user is logged in with: refresh tokens, access tokens, those of service accounts of their own namespace too,
-- links, and the tokens that stand for the password.
-- Refused: there is no user NAME.
update users set epoch = epoch + 1 where name = :NAME;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, coalesce(machine_of, (select id from namespaces where owner_id = users.id)),
  'user.sessions.end', name, 'operator', '', ''
from users where name = :NAME and changes() > 0;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, n.id, 'org.access_token.delete', t.uuid, 'operator', '', '', json_object('user', m.name)
from users u join namespaces n on n.owner_id = u.id join users m on m.machine_of = n.id
join access_tokens t on t.user_id = m.id where u.name = :NAME;
delete from access_tokens where user_id in (
  select m.id from users u join namespaces n on n.owner_id = u.id join users m on m.machine_of = n.id where u.name = :NAME);
delete from refresh_tokens where user_id = (select id from users where name = :NAME);
delete from access_tokens where user_id = (select id from users where name = :NAME);
delete from links where user_id = (select id from users where name = :NAME);
with whose as (select name, status, (select id from namespaces where owner_id = users.id) own from users where name = :NAME)
select name || ' is logged in nowhere, and is ' || status as what, '' as command from whose
union all
select 'token ' || a.name || ' of the service account ' || (a.data ->> 'user') || ' has ended with it', ''
from whose w join audit a on a.account = w.own and a.at = :NOW and a.actor = 'operator'
  and a.action = 'org.access_token.delete'
union all
select 'token ' || t.uuid || ' of the service account ' || m.name || ', which ' || w.name || ' made, goes on',
  'npm run admin -- token ' || t.uuid || ' end'
from whose w join access_tokens t on t.created_by = w.name
join users m on m.id = t.user_id and m.kind = 'machine' and m.machine_of is not w.own;
