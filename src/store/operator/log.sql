-- log
-- Shows who did what, the newest last; --name, --actor, --json, and --follow to go on.
select * from (
  select a.id, strftime('%Y-%m-%dT%H:%M:%SZ', a.at, 'unixepoch') as time, a.actor, a.action, a.name, a.credential,
    a.address, a.data
  from audit a
  where a.id > ifnull(:AFTER, 0) and (:ABOUT is null or a.name = :ABOUT) and (:ACTOR is null or a.actor = :ACTOR)
  order by a.id desc limit 1000
)
order by id;
