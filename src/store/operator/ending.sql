-- ending
-- Lists the access tokens that end within 30 days.
select u.name, t.uuid, t.label, strftime('%Y-%m-%dT%H:%M:%SZ', t.expires_at, 'unixepoch') as expires,
  (t.expires_at - :NOW + 86399) / 86400 as days
from access_tokens t join users u on u.id = t.user_id
where t.is_active = 1 and t.expires_at > :NOW and t.expires_at <= :NOW + 30 * 86400
  and (t.warned_days is null or t.warned_days in (1, 7, 30))
order by t.expires_at limit 1000;
