-- What was refused: one row for each user, repository, reason and hour, for the admins of the namespace.
create table refusals (
  namespace_id integer not null references namespaces (id) on delete cascade,
  hour integer not null,                    -- hours since 1970
  username text not null,                   -- empty: without credentials
  repository text not null,                 -- its name in the namespace, which may not exist
  reason text not null,                     -- a code of an access review
  actions text not null,                    -- those of the last one: pull,push
  count integer not null,
  last_at integer not null,
  address text not null,                    -- of the last one
  primary key (namespace_id, hour, username, repository, reason)
) strict, without rowid;
create index refusals_by_hour on refusals (hour);
