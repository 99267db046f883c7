-- namespace NAMESPACE
-- Makes a namespace that belongs to no single user.
-- Refused: NAMESPACE is the name of a user.
insert into namespaces (name, created_at)
select :NAMESPACE, :NOW where not exists (select 1 from users where name = :NAMESPACE)
on conflict (name) do nothing;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, id, 'org.create', name, 'operator', '', '' from namespaces where name = :NAMESPACE and changes() > 0;
select name as namespace from namespaces where name = :NAMESPACE and owner_id is null;
