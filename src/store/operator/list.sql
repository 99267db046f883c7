-- list
-- Shows every user with status, kind, rights and e-mail addresses.
-- A machine of somebody's own namespace is active only while they are.
select name, kind,
  coalesce((
    select o.status from namespaces n join users o on o.id = n.owner_id
    where n.id = users.machine_of and users.status = 'active'
  ), status) as status,
  case administrator when 1 then 'administrator' else '' end as rights,
  coalesce((
    select group_concat(shown, ', ') from (
      select address || case when confirmed_at is null then ' (not confirmed)' else '' end as shown
      from emails where user_id = users.id order by id
    )
  ), '') as emails
from users order by name;
