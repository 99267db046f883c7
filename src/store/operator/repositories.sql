-- repositories [NAMESPACE]
-- Shows every repository, or those of one namespace: who sees it, its tags and pulls, and when it was pushed.
-- Refused: there is no namespace NAMESPACE.
select coalesce(r.full_name, '(none)') as repository,
  case when r.id is null then '' when r.private then 'private' else 'public' end
    || iif(r.deleted_at is null, '', ', marked deleted') as visibility,
  (select count(*) from tags where repository_id = r.id and deleted = 0) as tags,
  coalesce(r.pull_count, 0) as pulls,
  coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', r.pushed_at, 'unixepoch'), '') as pushed
from namespaces n left join repositories r on r.namespace_id = n.id
where n.name = :NAMESPACE or :NAMESPACE is null and r.id is not null
order by n.name, r.name;
