-- log
-- Shows who did what, the newest last; --name, --actor, --json, --days for more of it, and --follow to go on.
with told as (
  select a.id, strftime('%Y-%m-%dT%H:%M:%SZ', a.at, 'unixepoch') as time, a.actor, a.action, a.name, a.credential,
    a.address, a.data
  from audit a
  where (:ABOUT is null or a.name = :ABOUT) and (:ACTOR is null or a.actor = :ACTOR) and a.at >= ifnull(:SINCE, a.at)
)
-- The newest, or the oldest behind the one that was shown last: none is passed over.
select * from (select * from told where :AFTER is null order by id desc limit :MOST)
union all
select * from (select * from told where id > :AFTER order by id limit :MOST)
order by id;
