-- sessions NAME end
-- Ends what a user is logged in with: refresh tokens, access tokens, and the tokens that stand for the password.
-- Refused: there is no user NAME.
update users set epoch = epoch + 1 where name = :NAME;
insert into audit (at, account, action, name, actor, credential, address)
select :NOW, coalesce(machine_of, (select id from namespaces where owner_id = users.id)),
  'user.sessions.end', name, 'operator', '', ''
from users where name = :NAME and changes() > 0;
delete from refresh_tokens where user_id = (select id from users where name = :NAME);
delete from access_tokens where user_id = (select id from users where name = :NAME);
delete from links where user_id = (select id from users where name = :NAME);
select name, status from users where name = :NAME;
