-- privacy REPOSITORY VISIBILITY
-- Makes a repository, given as namespace/name, public or private; search is told within a minute.
-- Refused: there is no repository REPOSITORY.
update repositories set private = :VISIBILITY = 'private', revision = revision + 1, updated_at = :NOW
where full_name = :REPOSITORY and deleted_at is null and private <> (:VISIBILITY = 'private');
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, namespace_id, 'repo.change_privacy', full_name, 'operator', '', '',
  json_object('is_private', iif(private, 'true', 'false'))
from repositories where full_name = :REPOSITORY and changes() > 0;
insert into outbox (repository_id) select id from repositories where full_name = :REPOSITORY;
select full_name as repository, iif(private, 'private', 'public') as visibility from repositories
where full_name = :REPOSITORY and deleted_at is null;
