-- transfer REPOSITORY NAMESPACE
-- Moves a repository, given as namespace/name, into another namespace; who may use it there follows from there.
-- Refused: there is no repository REPOSITORY, no namespace NAMESPACE, or it has such a repository already.
insert into outbox (repository_id)
select r.id from repositories r join namespaces n on n.id = r.namespace_id
where n.name || '/' || r.name = :REPOSITORY;
update repositories set
  namespace_id = (select id from namespaces where name = :NAMESPACE),
  full_name = :NAMESPACE || '/' || name, revision = revision + 1, updated_at = :NOW
where deleted_at is null and full_name = :REPOSITORY
  and exists (select 1 from namespaces where name = :NAMESPACE)
  and not exists (select 1 from repositories taken join namespaces n on n.id = taken.namespace_id
    where n.name = :NAMESPACE and taken.name = repositories.name);
-- A row in the log of each of the two namespaces, the second of which is there if the first is.
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, id, 'repo.transfer', :REPOSITORY, 'operator', '', '',
  json_object('to', :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')))
from namespaces where name = substr(:REPOSITORY, 1, instr(:REPOSITORY, '/') - 1) and changes() > 0;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, id, 'repo.transfer', :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')), 'operator', '', '',
  json_object('from', :REPOSITORY)
from namespaces where name = :NAMESPACE and changes() > 0;
select full_name, :NAMESPACE as namespace from repositories
where full_name = :NAMESPACE || substr(:REPOSITORY, instr(:REPOSITORY, '/')) and updated_at = :NOW;
