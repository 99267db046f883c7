-- What an account can be reached and recovered by, names that do not come back, and what was here before.

-- An address is usable once it is confirmed, and proved once somebody opened a link that was mailed there: only
-- then is a link that sets the password sent to it. Without MAIL every address is confirmed as it is typed.
alter table emails add column proved_at integer;
-- The one that was chosen last is where mail goes; of none, the first that was confirmed.
alter table emails add column chosen_at integer;
-- A confirmation that came later than the address was one that was mailed.
update emails set proved_at = confirmed_at where confirmed_at > created_at;

-- Names of users and namespaces that are gone. A registry keeps the bytes under a name, so whoever gets the name
-- gets the images: it comes back only where the operator releases it.
create table retired_names (
  name text primary key,
  machine_of integer,                       -- of a machine: the namespace that may use it again
  retired_at integer not null
) strict, without rowid;

-- What stood last under the name of a repository that was deleted or moved: news from before then changes nothing,
-- and what is made there again is private where that was private.
create table tombstones (
  namespace_id integer not null references namespaces (id) on delete cascade,
  name text not null,                       -- without the namespace
  private integer not null check (private in (0, 1)),
  buried_at integer not null,               -- in milliseconds, as events have it
  moved_to integer,                         -- the repository that was moved, whose news it is; may be gone
  since integer not null default 0,         -- in milliseconds: before then the news is of an earlier one
  primary key (namespace_id, name)
) strict, without rowid;
insert into tombstones (namespace_id, name, private, buried_at)
  select namespace_id, name, private, deleted_at * 1000 + 999 from repositories where deleted_at is not null;

-- A renewed token: its earlier secret is good for a while beside the new one.
alter table access_tokens add column previous_hash text;
alter table access_tokens add column previous_until integer;
create unique index access_tokens_by_previous_hash on access_tokens (previous_hash) where previous_hash is not null;
create index access_tokens_by_previous_until on access_tokens (previous_until) where previous_until is not null;
alter table access_tokens add column renewed_at integer;
-- The fewest days before the end of a token that its admins were warned of it, or need not be. Who is to be warned
-- next is found by it.
alter table access_tokens add column warned_days integer;
create index access_tokens_by_end on access_tokens (warned_days, expires_at) where expires_at is not null;

-- With what kinds of client somebody has logged in: of a new one they are told.
create table clients (
  user_id integer not null references users (id) on delete cascade,
  kind text not null,                       -- docker, podman, curl, ...
  first_at integer not null,
  primary key (user_id, kind)
) strict, without rowid;

-- Lists of a namespace for who has no role in it read what is public there, and nothing of the rest.
create index repositories_public_in on repositories (namespace_id, name) where private = 0 and deleted_at is null;

-- What the password of a name costs that has none is what that of the next one costs.
create index users_with_password on users (name) where password is not null;
