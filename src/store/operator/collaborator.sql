-- collaborator REPOSITORY USER ROLE
-- Gives a user the role read, write or admin in one repository, given as namespace/name, or none.
-- Refused: there is no repository REPOSITORY or no user USER.
delete from collaborators
where :ROLE = 'none'
  and repository_id = (select id from repositories where full_name = :REPOSITORY and deleted_at is null)
  and user_id = (select id from users where name = :USER);
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, namespace_id, 'repo.collaborator.remove', full_name, 'operator', '', '', json_object('user', :USER)
from repositories where full_name = :REPOSITORY and :ROLE = 'none' and changes() > 0;
insert into collaborators (repository_id, user_id, role)
select r.id, u.id, :ROLE from repositories r join users u on u.name = :USER
where r.full_name = :REPOSITORY and r.deleted_at is null and :ROLE <> 'none'
on conflict (repository_id, user_id) do update set role = excluded.role where role <> excluded.role;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, namespace_id, 'repo.collaborator.add', full_name, 'operator', '', '', json_object('user', :USER, 'role', :ROLE)
from repositories where full_name = :REPOSITORY and :ROLE <> 'none' and changes() > 0;
select r.full_name as repository, u.name as user, :ROLE as role from repositories r join users u on u.name = :USER
where r.full_name = :REPOSITORY and r.deleted_at is null;
