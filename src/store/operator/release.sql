-- release ACCOUNT
-- Gives the name of somebody or something that is gone free again, and says what is known under it: registries keep their
-- images, and whoever gets the name gets those.
-- Refused: ACCOUNT is not a name that is kept (`remove ACCOUNT`).
insert into audit (at, action, name, actor, credential, address, data)
select :NOW, 'user.name.release', name, 'operator', '', '',
  json_object('retired_at', strftime('%Y-%m-%dT%H:%M:%SZ', retired_at, 'unixepoch'))
from retired_names where name = :ACCOUNT;
delete from retired_names where name = :ACCOUNT;
select released.name as "free again", released.data ->> 'retired_at' as "removed at", k.rows as "rows of the log",
  ifnull(strftime('%Y-%m-%dT%H:%M:%SZ', k.last, 'unixepoch'), '') as "the last at"
from audit released, (
  select count(*) as rows, max(at) as last from audit
  where (name = :ACCOUNT or actor = :ACCOUNT or substr(name, 1, length(:ACCOUNT) + 1) = :ACCOUNT || '/')
    and action <> 'user.name.release') k
where released.id = (select max(id) from audit) and released.at = :NOW and released.action = 'user.name.release'
  and released.name = :ACCOUNT;
