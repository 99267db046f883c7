-- remove ACCOUNT
-- Removes a user, a service account or a namespace with all that is theirs. The name is kept, so that nobody gets what
-- registries hold under it (`release`). Repositories are transferred first, or go too: --repositories.
-- Refused: there is no ACCOUNT, it is `library`, or it has repositories (`transfer` them first, or --repositories).
insert into retired_names (name, machine_of, retired_at)
select :ACCOUNT, (select machine_of from users where name = :ACCOUNT), :NOW
where :ACCOUNT <> 'library'
  and (exists (select 1 from users where name = :ACCOUNT) or exists (select 1 from namespaces where name = :ACCOUNT))
  and (:REPOSITORIES is not null or not exists (
    select 1 from repositories r join namespaces n on n.id = r.namespace_id
    where n.name = :ACCOUNT and r.deleted_at is null));
-- Its service accounts: the namespace that could have them again is gone.
insert into retired_names (name, machine_of, retired_at)
select m.name, m.machine_of, :NOW from users m join namespaces n on n.id = m.machine_of where n.name = :ACCOUNT;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, n.id, 'org.machine.delete', m.name, 'operator', '', ''
from users m join namespaces n on n.id = m.machine_of where n.name = :ACCOUNT;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, n.id, 'repo.delete', r.full_name, 'operator', '', ''
from repositories r join namespaces n on n.id = r.namespace_id where n.name = :ACCOUNT;
insert into outbox (repository_id)
select r.id from repositories r join namespaces n on n.id = r.namespace_id where n.name = :ACCOUNT;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, coalesce(u.machine_of, n.id),
  case when u.kind = 'machine' then 'org.machine.delete' when u.id is null then 'org.delete' else 'user.delete' end,
  :ACCOUNT, 'operator', '', ''
from (select :ACCOUNT as name) gone left join users u on u.name = gone.name left join namespaces n on n.name = gone.name
where u.id is not null or n.id is not null;
-- Stars that they gave elsewhere.
insert into outbox (repository_id)
select repository_id from stars where user_id in (
  select id from users where name = :ACCOUNT or machine_of = (select id from namespaces where name = :ACCOUNT));
update repositories set revision = revision + 1, star_count = star_count - (
  select count(*) from stars where repository_id = repositories.id and user_id in (
    select id from users where name = :ACCOUNT or machine_of = (select id from namespaces where name = :ACCOUNT)))
where id in (select repository_id from stars where user_id in (
  select id from users where name = :ACCOUNT or machine_of = (select id from namespaces where name = :ACCOUNT)));
delete from users where name = :ACCOUNT;
delete from namespaces where name = :ACCOUNT;
-- Nothing, where the name was not put away above: then it is refused, and all of this is undone.
with told as (select action, name, data from audit where at = :NOW and actor = 'operator' and id > ifnull((
  select max(id) from audit where at < :NOW), 0))
select what, command from (
select :ACCOUNT || ' is removed, and nobody gets the name' as what, 'npm run admin -- release ' || :ACCOUNT as command
from retired_names where name = :ACCOUNT and retired_at = :NOW
union all
select 'the service account ' || name || ' is removed, and nobody gets the name', 'npm run admin -- release ' || name
from told where action = 'org.machine.delete' and name <> :ACCOUNT
union all
select 'the repository ' || name || ' is removed; what was pushed stays in the registry', ''
from told where action = 'repo.delete'
union all
select 'token ' || t.uuid || ' of the service account ' || m.name || ', which ' || :ACCOUNT || ' made, goes on',
  'npm run admin -- token ' || t.uuid || ' end'
from access_tokens t join users m on m.id = t.user_id and m.kind = 'machine' where t.created_by = :ACCOUNT
) where exists (select 1 from retired_names where name = :ACCOUNT and retired_at = :NOW);

-- In the way:
select 'the repository ' || r.full_name as what,
  'npm run admin -- transfer ' || r.full_name || ' NAMESPACE' as command
from repositories r join namespaces n on n.id = r.namespace_id
where n.name = :ACCOUNT and r.deleted_at is null order by r.name limit 1000;
