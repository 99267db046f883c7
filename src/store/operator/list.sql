-- list
-- Shows every user with status, kind, rights and e-mail addresses.
select name, kind, status, case administrator when 1 then 'administrator' else '' end as rights,
  coalesce((
    select group_concat(shown, ', ') from (
      select address || case when confirmed_at is null then ' (not confirmed)' else '' end as shown
      from emails where user_id = users.id order by id
    )
  ), '') as emails
from users order by name;
