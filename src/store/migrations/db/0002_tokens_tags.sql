-- Access tokens and refresh tokens, what registries tell, stars.

-- A machine belongs to the namespace whose admins make tokens for it; without one, to administrators.
alter table users add column machine_of integer references namespaces (id) on delete cascade;
create index users_by_machine_of on users (machine_of) where machine_of is not null;

-- Personal access tokens, and those of machines.
create table access_tokens (
  id integer primary key autoincrement,
  uuid text not null unique,
  user_id integer not null references users (id) on delete cascade,
  hash text not null unique,                -- SHA-256 of the secret, hex: the secret is shown once
  label text not null,
  scopes text not null,                     -- JSON list, as it was sent
  resources text,                           -- JSON list of {path, scopes}; null: whatever the user may
  is_active integer not null default 1 check (is_active in (0, 1)),
  expires_at integer,
  expires_text text,                        -- expires_at as it was sent: clients compare it
  created_at integer not null,
  created_by text not null,                 -- name of who made it
  creator_ip text not null,
  creator_ua text not null,
  used_at integer
) strict;
create index access_tokens_by_user on access_tokens (user_id, id);

-- What docker keeps instead of the password: one row a login.
create table refresh_tokens (
  id integer primary key autoincrement,
  uuid text not null unique,
  user_id integer not null references users (id) on delete cascade,
  hash text not null unique,
  client text not null,                     -- client_id, as it was sent
  address text not null,
  created_at integer not null,
  used_at integer not null
) strict;
create index refresh_tokens_by_user on refresh_tokens (user_id, used_at);

-- The tags of a repository in each registry, as their events tell.
create table tags (
  id integer primary key autoincrement,
  repository_id integer not null references repositories (id) on delete cascade,
  service text not null,
  name text not null,
  digest text not null,
  size integer not null,
  media_type text not null,
  pushed_at integer not null,               -- as the event says, in milliseconds: what is older changes nothing
  pushed_by text not null,
  pulled_at integer,
  deleted integer not null default 0 check (deleted in (0, 1)), -- kept a while, so that an older push does not bring it back
  unique (repository_id, service, name)
) strict;
create index tags_by_digest on tags (repository_id, service, digest);
create index tags_deleted on tags (pushed_at) where deleted = 1;

-- Events that were taken: a registry sends each at least once.
create table events (
  service text not null,
  id text not null,
  taken_at integer not null,
  primary key (service, id)
) strict, without rowid;
create index events_by_age on events (taken_at);

create table stars (
  user_id integer not null references users (id) on delete cascade,
  repository_id integer not null references repositories (id) on delete cascade,
  primary key (user_id, repository_id)
) strict, without rowid;
create index stars_by_repository on stars (repository_id);

-- Catalogs are read in the order of full names: those of everybody, and those of somebody.
alter table repositories add column full_name text not null default '';
create index repositories_public on repositories (full_name)
  where private = 0 and deleted_at is null and pushed_at is not null;
create index repositories_by_full_name on repositories (full_name);
