-- transfer REPOSITORY NAMESPACE
-- Moves a repository, given as namespace/name, into another namespace; collaborators stay with --keep-collaborators alone.
-- Refused: there is no repository REPOSITORY, no namespace NAMESPACE, or it has such a repository already.
insert into outbox (repository_id)
select r.id from repositories r join namespaces n on n.id = r.namespace_id
where n.name || '/' || r.name = :REPOSITORY;
-- What was private under that name is private again.
update repositories set
  namespace_id = (select id from namespaces where name = :NAMESPACE),
  full_name = :NAMESPACE || '/' || name, revision = revision + 1, updated_at = :NOW,
  private = max(private, ifnull((select t.private from tombstones t join namespaces n on n.id = t.namespace_id
    where n.name = :NAMESPACE and t.name = repositories.name), 0))
where deleted_at is null and full_name = :REPOSITORY
  and exists (select 1 from namespaces where name = :NAMESPACE)
  and not exists (select 1 from repositories taken join namespaces n on n.id = taken.namespace_id
    where n.name = :NAMESPACE and taken.name = repositories.name);
-- What is told later of the time before is news of the one that was moved.
insert into tombstones (namespace_id, name, private, buried_at, moved_to)
select n.id, r.name, r.private, :NOW * 1000 + 999, r.id from repositories r join namespaces n
where r.full_name = :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/'))
  and n.name = substr(:REPOSITORY, 1, instr(:REPOSITORY, '/') - 1) and changes() > 0
on conflict (namespace_id, name) do update set private = excluded.private,
  buried_at = max(buried_at, excluded.buried_at), moved_to = excluded.moved_to,
  since = iif(moved_to is excluded.moved_to, since, buried_at);
-- A row in the log of each of the two namespaces, the second of which is there if the first is.
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, id, 'repo.transfer', :REPOSITORY, 'operator', '', '',
  json_object('to', :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')))
from namespaces where name = substr(:REPOSITORY, 1, instr(:REPOSITORY, '/') - 1) and changes() > 0;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, id, 'repo.transfer', :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')), 'operator', '', '',
  json_object('from', :REPOSITORY)
from namespaces where name = :NAMESPACE and changes() > 0;
-- The same for each collaborator.
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, n.id, 'repo.collaborator.remove', n.name || substr(:REPOSITORY, instr(:REPOSITORY, '/')), 'operator', '', '',
  json_object('user', u.name)
from repositories r join collaborators c on c.repository_id = r.id join users u on u.id = c.user_id
join namespaces n on n.name in (:NAMESPACE, substr(:REPOSITORY, 1, instr(:REPOSITORY, '/') - 1))
where r.full_name = :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')) and :KEEP_COLLABORATORS is null
  and changes() > 0;
delete from collaborators where changes() > 0 and repository_id = (select id from repositories
  where full_name = :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')));
-- The one that is there now is the one that went from there.
select r.full_name, :NAMESPACE as namespace
from repositories r join namespaces n on n.name = substr(:REPOSITORY, 1, instr(:REPOSITORY, '/') - 1)
join tombstones t on t.namespace_id = n.id and t.name = r.name and t.moved_to = r.id and t.buried_at >= :NOW * 1000
where r.full_name = :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/'))
  and not exists (select 1 from repositories where full_name = :REPOSITORY);
