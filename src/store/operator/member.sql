-- member NAMESPACE USER ROLE
-- Gives a user the role read, write or admin in everything of a namespace, or none.
-- Refused: there is no namespace NAMESPACE or no user USER.
delete from members
where :ROLE = 'none'
  and namespace_id = (select id from namespaces where name = :NAMESPACE)
  and user_id = (select id from users where name = :USER);
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, id, 'org.member.remove', :USER, 'operator', '', '' from namespaces
where name = :NAMESPACE and :ROLE = 'none' and changes() > 0;
update members set role = :ROLE
where :ROLE not in ('none', role)
  and namespace_id = (select id from namespaces where name = :NAMESPACE)
  and user_id = (select id from users where name = :USER);
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, id, 'org.member.role.change', :USER, 'operator', '', '', json_object('role', :ROLE) from namespaces
where name = :NAMESPACE and changes() > 0;
insert into members (namespace_id, user_id, role)
select namespaces.id, users.id, :ROLE from namespaces join users on users.name = :USER
where namespaces.name = :NAMESPACE and :ROLE <> 'none'
on conflict (namespace_id, user_id) do nothing;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, id, 'org.member.add', :USER, 'operator', '', '', json_object('role', :ROLE) from namespaces
where name = :NAMESPACE and changes() > 0;
select namespaces.name as namespace, users.name as user, :ROLE as role from namespaces join users on users.name = :USER
where namespaces.name = :NAMESPACE;
