-- What an account did, with the command that undoes each: of the name ?1, at ?2, since ?3.
with whose as (
  select id, name, kind, administrator, coalesce(machine_of, (select id from namespaces where owner_id = users.id)) account,
    (select id from namespaces where owner_id = users.id) own
  from users where name = ?1),
ended as (
  select a.action, a.name, a.data from whose w join audit a on a.account is w.account and a.at = ?2
  where a.actor = 'operator'),
-- What acted for it: service accounts of its own namespace, also those that are gone, and those of other namespaces that
-- it made, or made a token for.
hands as (
  select ?1 name
  union select m.name from whose w join users m on m.machine_of = w.own
  union select a.name from whose w join audit a on a.account = w.own where a.action = 'org.machine.create'
  union select name from audit where actor = ?1 and at >= ?3 and action = 'org.machine.create'
  union select m.name from access_tokens t join users m on m.id = t.user_id and m.kind = 'machine'
    where t.created_by = ?1 and t.created_at >= ?3),
did as (
  select id, at, account, action, name, data, actor from audit where actor in (select name from hands) and at >= ?3),
-- What each member and each collaborator was before, and is now.
members_before as (
  select d.*, (
    select iif(p.action = 'org.member.remove', 'none', p.data ->> 'role') from audit p
    where p.account = d.account and p.name = d.name and p.id < d.first
      and p.action in ('org.member.add', 'org.member.role.change', 'org.member.remove') order by p.id desc limit 1) role
  from (select account, name, max(at) at, min(id) first from did
    where action in ('org.member.add', 'org.member.role.change', 'org.member.remove') group by account, name) d),
collaborators_before as (
  select d.user, d.at, ifnull((
      select t.data ->> 'to' from audit t where t.account = d.account and t.name = d.name and t.id > d.first
        and t.action = 'repo.transfer' and t.data ->> 'to' is not null order by t.id desc limit 1), d.name) name, (
    select iif(p.action = 'repo.collaborator.remove', 'none', p.data ->> 'role') from audit p
    where p.account = d.account and p.name = d.name and p.data ->> 'user' = d.user and p.id < d.first
      and p.action in ('repo.collaborator.add', 'repo.collaborator.remove') order by p.id desc limit 1) role
  from (select account, name, data ->> 'user' user, max(at) at, min(id) first from did
    where action in ('repo.collaborator.add', 'repo.collaborator.remove') group by account, name, data ->> 'user') d),
rights as (
  select b.at, 'member ' || b.name || ' of ' || n.name || ': ' || ifnull(m.role, 'none') what,
    'member ' || n.name || ' ' || b.name || ' ' || ifnull(b.role, 'none') command
  from members_before b join namespaces n on n.id = b.account join users u on u.name = b.name
  left join members m on m.namespace_id = n.id and m.user_id = u.id where ifnull(m.role, 'none') <> ifnull(b.role, 'none')
  union all
  select b.at, 'collaborator ' || b.user || ' of ' || r.full_name || ': ' || ifnull(c.role, 'none'),
    'collaborator ' || r.full_name || ' ' || b.user || ' ' || ifnull(b.role, 'none')
  from collaborators_before b join repositories r on r.full_name = b.name join users u on u.name = b.user
  left join collaborators c on c.repository_id = r.id and c.user_id = u.id
  where ifnull(c.role, 'none') <> ifnull(b.role, 'none')
  union all
  select at, 'collaborator ' || user || ' of ' || name || ', which is not there any more', 'log --name ' || name
  from collaborators_before where not exists (select 1 from repositories r where r.full_name = collaborators_before.name)),
machines as (
  select d.at, 'service account ' || m.name || iif(exists (select 1 from access_tokens t where t.user_id = m.id),
    ', which has a token', ', which can do nothing until it gets a token') what, 'remove ' || m.name command
  from did d join users m on m.name = d.name and m.kind = 'machine' where d.action = 'org.machine.create'
  union all
  select t.created_at, 'token ' || t.uuid || ' of the service account ' || m.name, 'token ' || t.uuid || ' end'
  from access_tokens t join users m on m.id = t.user_id and m.kind = 'machine'
  where t.created_by in (select name from hands) and t.created_at >= ?3
    or t.uuid in (select name from did where action like 'org.access_token.%')),
repositories_now as (
  select d.at, 'repository ' || d.name || ' was moved, and is ' || r.full_name what,
    'transfer ' || r.full_name || ' ' || substr(d.name, 1, instr(d.name, '/') - 1) command
  from did d join repositories r on r.full_name = d.data ->> 'to' where d.action = 'repo.transfer'
  union all
  select max(d.at), 'repository ' || d.name || ' was made ' || iif(r.private, 'private', 'public'),
    'privacy ' || d.name || iif(r.private, ' public', ' private')
  from did d join repositories r on r.full_name = d.name
  where d.action = 'repo.change_privacy' and d.data ->> 'is_private' = iif(r.private, 'true', 'false') group by d.name
  union all
  select d.at, 'repository ' || d.name || ' was moved to ' || (d.data ->> 'to') || ', and is not there any more',
    'log --name ' || (d.data ->> 'to')
  from did d where d.action = 'repo.transfer' and d.data ->> 'to' is not null
    and not exists (select 1 from repositories r where r.full_name = d.data ->> 'to')
  union all
  select max(d.at), 'repository ' || d.name || ' was made ' || iif(d.data ->> 'is_private' = 'true', 'private', 'public')
    || ', and is not there any more', 'log --name ' || d.name
  from did d where d.action = 'repo.change_privacy'
    and not exists (select 1 from repositories r where r.full_name = d.name) group by d.name),
-- Whom it let in may have let in others, also who is gone by now.
let_in as (
  select account, who, min(id) since from (
    select account, name who, id from did where action in ('org.member.add', 'org.member.role.change')
    union all select account, data ->> 'user', id from did where action = 'repo.collaborator.add')
  group by account, who),
theirs as (
  select max(a.at) at, count(*) || ' × ' || a.action || ' of ' || a.name || ' by ' || a.actor || ', who was let in' what,
    'log --actor ' || a.actor || ' --name ' || a.name command
  from let_in l join audit a on a.account = l.account and a.actor = l.who and a.id > l.since
  where a.actor not in (select name from hands) group by a.action, a.name, a.actor),
-- What cannot be undone from here is looked at: what was pushed, and what was deleted.
looked_at as (
  select max(at) at, count(*) || ' × ' || action || ' of ' || name || iif(actor = ?1, '', ' by ' || actor) what,
    'log --actor ' || actor || ' --name ' || name command
  from did where action not like 'user.%' and action not like 'org.member.%' and action not like 'repo.collaborator.%'
    and action not in ('org.machine.create', 'org.access_token.create', 'org.access_token.update', 'org.access_token.renew', 'repo.transfer',
      'repo.change_privacy')
  group by actor, action, name),
found as (
  select 2 part, at, what, command from rights union all
  -- A service account that is removed has no token any more.
  select iif(command like 'remove %', 3, 2), at, what, command from machines
  union all select 2, at, what, command from repositories_now union all select 4, at, what, command from looked_at
  union all select 4, at, what, command from theirs),
lines as (
  select 0 part, 0 at, name || ' is logged in nowhere, and has no ' || iif(kind = 'person', 'password', 'token') what, '' command
  from whose
  union all
  select 1, 0, 'token ' || name || ' of ' || (data ->> 'user') || ' has ended', '' from ended
  where action = 'org.access_token.delete'
  union all
  select 1, 0, 'address ' || e.address || ' is taken away', 'email ' || ?1 || ' '''
    || replace(e.address, '''', '''\''''') || ''' confirm'
  from whose w join emails e on e.user_id = w.id
  where max(e.created_at, ifnull(e.confirmed_at, 0), ifnull(e.proved_at, 0)) >= ?3
  union all
  select 1, 0, name || ' administrates the whole index', 'revoke ' || name from whose where administrator = 1)
select iif(at, strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch'), '') as at, what,
  iif(command = '', '', 'npm run admin -- ' || command) as command
from (select * from lines union all select * from found) where exists (select 1 from whose) order by part, at, what
