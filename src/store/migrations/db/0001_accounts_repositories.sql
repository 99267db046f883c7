-- The truth: who exists, what exists, who may do what. Times are seconds since 1970.

-- A person, or a machine that signs in with access tokens alone.
create table users (
  id integer primary key autoincrement,
  name text not null unique,                -- [a-z0-9_]{4,30}
  kind text not null default 'person' check (kind in ('person', 'machine')),
  status text not null check (status in ('unconfirmed', 'active', 'disabled')),
  administrator integer not null default 0 check (administrator in (0, 1)),
  password text,                            -- PHC string of Argon2id; null: cannot log in by password
  epoch integer not null default 1,         -- grows when the password changes: what older epochs signed is void
  created_at integer not null
) strict;

-- Several a user; the first confirmed one is where mail goes.
create table emails (
  id integer primary key autoincrement,
  user_id integer not null references users (id) on delete cascade,
  address text not null,                    -- as it was given
  key text not null unique,                 -- in lower case: compared without case
  confirmed_at integer,                     -- null: lapses 24 h after created_at
  created_at integer not null
) strict;
create index emails_by_user on emails (user_id);
create index emails_unconfirmed on emails (created_at) where confirmed_at is null;
create index users_unconfirmed on users (created_at) where status = 'unconfirmed';

-- Links that were mailed or printed: each sets a password or confirms an e-mail, once.
create table links (
  hash text primary key,                    -- SHA-256 of the secret, hex
  user_id integer not null references users (id) on delete cascade,
  email_id integer references emails (id) on delete cascade, -- what it confirms; null: it sets the password
  expires_at integer not null,
  created_at integer not null
) strict, without rowid;
create index links_by_user on links (user_id);
create index links_by_expiry on links (expires_at);

-- Where repositories live. One a user, of the same name; others are made by administrators.
create table namespaces (
  id integer primary key autoincrement,
  name text not null unique,
  owner_id integer unique references users (id) on delete cascade, -- null: shared
  created_at integer not null
) strict;
insert into namespaces (name, created_at) values ('library', 0);

-- Who may do what in everything of a namespace.
create table members (
  namespace_id integer not null references namespaces (id) on delete cascade,
  user_id integer not null references users (id) on delete cascade,
  role text not null check (role in ('read', 'write', 'admin')),
  primary key (namespace_id, user_id)
) strict, without rowid;
create index members_by_user on members (user_id);

create table repositories (
  id integer primary key autoincrement,     -- never given twice: a token for the old one does not fit the new one
  namespace_id integer not null references namespaces (id) on delete cascade,
  name text not null,                       -- without the namespace; may have slashes
  private integer not null check (private in (0, 1)),
  description text not null default '',
  full_description text not null default '',
  star_count integer not null default 0,
  pull_count integer not null default 0,
  revision integer not null default 1,      -- grows with each change that search must learn
  created_at integer not null,
  updated_at integer not null,
  pushed_at integer,                        -- null: nothing was pushed, search does not find it
  pulled_at integer,
  deleted_at integer,                       -- marked by the first DELETE, removed by the second
  unique (namespace_id, name)
) strict;

-- Who else may do what in one repository.
create table collaborators (
  repository_id integer not null references repositories (id) on delete cascade,
  user_id integer not null references users (id) on delete cascade,
  role text not null check (role in ('read', 'write', 'admin')),
  primary key (repository_id, user_id)
) strict, without rowid;
create index collaborators_by_user on collaborators (user_id);

-- The images of a repository, in the order in which they were first named.
create table images (
  repository_id integer not null references repositories (id) on delete cascade,
  position integer not null,
  id text not null,                         -- 64 hex digits
  checksum text,
  primary key (repository_id, id)
) strict, without rowid;
create index images_in_order on images (repository_id, position, id, checksum);

-- What search must still learn. Written in the batch of the change, drained after the answer and by
-- the scheduled run.
create table outbox (
  id integer primary key autoincrement,
  repository_id integer not null            -- may be gone from repositories: then search forgets it
) strict;

-- Refused passwords, for each name from each address ('' for the name from anywhere).
create table failures (
  name text not null,                       -- as it was typed
  address text not null,
  count integer not null,
  last_at integer not null,
  primary key (name, address)
) strict, without rowid;
create index failures_by_age on failures (last_at);

-- How far the scheduled run has come.
create table progress (
  task text primary key,
  cursor integer not null
) strict, without rowid;
