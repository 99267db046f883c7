-- password NAME
-- Lets a user who forgot it choose a new password by the link that is printed; until then the old one works.
-- Refused: there is no person of the name NAME.
update users set password = :PASSWORD, epoch = epoch + 1
where name = :NAME and kind = 'person' and :PASSWORD is not null;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, (select id from namespaces where owner_id = users.id),
  'user.password.change', name, 'operator', '', ''
from users where name = :NAME and changes() > 0;
delete from links
where email_id is null and :PASSWORD is not null and user_id = (select id from users where name = :NAME);
delete from refresh_tokens where :PASSWORD is not null and user_id = (select id from users where name = :NAME);
insert into links (hash, user_id, expires_at, created_at)
select :SECRET, id, :NOW + 604800, :NOW from users
where name = :NAME and kind = 'person' and :PASSWORD is null;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.password.link', name, 'operator', '', ''
from users where name = :NAME and changes() > 0;
select name, status from users
where name = :NAME and (password = :PASSWORD or exists (select 1 from links where hash = :SECRET));
