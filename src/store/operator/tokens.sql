-- tokens [NAME]
-- Lists the access tokens of a user or a service account, or of all, with the UUIDs by which `token UUID end` ends one.
-- Refused: there is no user NAME.
select u.name, coalesce(t.uuid, '(none)') as uuid, coalesce(t.label, '') as label, coalesce(t.scopes, '') as scopes,
  coalesce((select group_concat(value ->> 'path', ' ') from json_each(t.resources)), '') as resources,
  case when t.is_active = 0 then 'not active' when t.expires_at <= :NOW then 'has ended' when t.id is null then ''
    else 'good' end as state,
  coalesce(t.expires_text, '') as expires, coalesce(t.created_by, '') as "made by",
  coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', t.created_at, 'unixepoch'), '') as made,
  coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', t.used_at, 'unixepoch'), '') as used
from users u left join access_tokens t on t.user_id = u.id
where u.name = :NAME or :NAME is null and t.id is not null
order by u.name, t.id;
