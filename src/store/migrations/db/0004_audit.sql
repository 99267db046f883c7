-- Who did what. Rows are written in the batch of the change itself, never changed, and removed only when
-- they are older than AUDIT_DAYS. What is deleted leaves its rows: nothing here refers to another table.

create table audit (
  id integer primary key autoincrement,     -- the order in which it happened
  at integer not null,                      -- when the index did it, or was told of it
  account integer,                          -- namespaces.id, never given twice: who may read the row; null: the operator alone
  action text not null,                     -- as the Hub names them: repo.tag.push
  name text not null,                       -- what it was done to
  actor text not null,                      -- name of the user, 'operator', or nothing
  credential text not null,                 -- 'password', 'access-token UUID', 'link', or nothing; never a secret
  address text not null,                    -- where the request came from
  data text not null default '{}'           -- JSON object of texts: tag, digest, role, ...
) strict;
create index audit_by_account on audit (account, at);
create index audit_by_name on audit (account, name, at);

create trigger audit_is_append_only before update on audit begin
  select raise(abort, 'audit is append-only');
end;
