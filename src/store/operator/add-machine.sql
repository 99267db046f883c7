-- add-machine NAME
-- Makes a machine: a user without a password, who signs in with access tokens alone (`token`).
-- Refused: NAME is taken or reserved.
insert into users (name, kind, status, created_at)
select :NAME, 'machine', 'active', :NOW
where :NAME not in ('library', 'admin', 'root', 'docker', 'hublet', 'operator', 'everybody')
  and not exists (select 1 from namespaces where name = :NAME)
on conflict (name) do nothing;
insert into audit (at, action, name, actor, credential, address)
select :NOW, 'org.machine.create', :NAME, 'operator', '', '' where changes() > 0;
select name, kind, status from users where name = :NAME and kind = 'machine';
