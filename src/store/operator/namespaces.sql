-- namespaces
-- Shows every namespace: whose it is, how many members, service accounts and repositories it has.
select n.name as namespace, coalesce(u.name, '(shared)') as owner,
  (select count(*) from members where namespace_id = n.id) as members,
  (select count(*) from users m where m.machine_of = n.id) as machines,
  (select count(*) from repositories where namespace_id = n.id and deleted_at is null) as repositories
from namespaces n left join users u on u.id = n.owner_id order by n.name;
