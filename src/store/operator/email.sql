-- email NAME
-- Shows the e-mail addresses of a user: whether each is confirmed, and which one is told.
-- Refused: there is no user NAME.
select u.name, coalesce(e.address, '(none)') as address,
  case when e.id is null then '' when e.proved_at is not null then 'proved' when e.confirmed_at is not null then 'confirmed'
    else 'not confirmed' end as state,
  case when e.id = (
    select id from emails where user_id = u.id and confirmed_at is not null
    order by chosen_at desc nulls last, confirmed_at, id limit 1
  ) then 'primary' else '' end as "is"
from users u left join emails e on e.user_id = u.id where u.name = :NAME order by e.id;
