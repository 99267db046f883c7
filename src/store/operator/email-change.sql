-- email NAME ADDRESS CHANGE
-- Takes an e-mail address of a user away (remove), says that it is theirs, new or not (confirm), or where mail goes (primary).
-- Refused: there is no person NAME with ADDRESS, or it is somebody else's, or not confirmed.
insert into emails (user_id, address, key, created_at)
select id, :ADDRESS, :KEY, :NOW from users where name = :NAME and kind = 'person' and :CHANGE = 'confirm'
on conflict (key) do nothing;
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.email.add', name, 'operator', '', '',
  json_object('email', substr(:ADDRESS, 1, 1) || '***' || substr(:ADDRESS, instr(:ADDRESS, '@')))
from users where name = :NAME and changes() > 0;
-- It is usable, and not proved: nobody opened a link that was mailed there.
update emails set confirmed_at = :NOW
where :CHANGE = 'confirm' and key = :KEY and confirmed_at is null and user_id = (select id from users where name = :NAME);
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.email.confirm', name, 'operator', '', '',
  json_object('email', substr(:ADDRESS, 1, 1) || '***' || substr(:ADDRESS, instr(:ADDRESS, '@')))
from users where name = :NAME and changes() > 0;
-- Whoever waited for it is let in.
update users set status = 'active'
where :CHANGE = 'confirm' and name = :NAME and status = 'unconfirmed'
  and exists (select 1 from emails where user_id = users.id and key = :KEY);
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.status.change', name, 'operator', '', '',
  json_object('status', status)
from users where name = :NAME and changes() > 0;
update emails set chosen_at = max(:NOW, (
  select 1 + ifnull(max(other.chosen_at), 0) from emails other where other.user_id = emails.user_id and other.key <> :KEY))
where :CHANGE = 'primary' and key = :KEY and confirmed_at is not null
  and user_id = (select id from users where name = :NAME);
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.email.primary', name, 'operator', '', '',
  json_object('email', substr(:ADDRESS, 1, 1) || '***' || substr(:ADDRESS, instr(:ADDRESS, '@')))
from users where name = :NAME and changes() > 0;
-- A link that sets the password may have been mailed there.
delete from links
where :CHANGE = 'remove' and email_id is null
  and user_id = (select e.user_id from emails e join users u on u.id = e.user_id where e.key = :KEY and u.name = :NAME);
delete from emails where :CHANGE = 'remove' and key = :KEY and user_id = (select id from users where name = :NAME);
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, (select id from namespaces where owner_id = users.id), 'user.email.remove', name, 'operator', '', '',
  json_object('email', substr(:ADDRESS, 1, 1) || '***' || substr(:ADDRESS, instr(:ADDRESS, '@')))
from users where name = :NAME and changes() > 0;
select u.name, :ADDRESS as address,
  case :CHANGE when 'confirm' then 'confirmed' when 'primary' then 'where mail goes' else 'removed' end as state
from users u left join emails e on e.user_id = u.id and e.key = :KEY
where u.name = :NAME and (
  :CHANGE = 'confirm' and e.confirmed_at is not null
  or :CHANGE = 'primary' and e.chosen_at >= :NOW
  or :CHANGE = 'remove' and exists (
    select 1 from audit where id = (select max(id) from audit) and at = :NOW and action = 'user.email.remove'
      and name = u.name
      and data ->> 'email' = substr(:ADDRESS, 1, 1) || '***' || substr(:ADDRESS, instr(:ADDRESS, '@'))));
