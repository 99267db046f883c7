-- The tool that runs beside a registry and compares it with the index: its token, and when it was there.
create table reconcilers (
  service text primary key,
  hash text not null unique,                -- SHA-256 of the token, hex
  created_at integer not null,              -- of the first token: since then pulls are watched, at least
  seen_at integer                           -- null: never
) strict, without rowid;

-- What was deleted here while a registry has it: the tool beside that deletes it there.
create table deletions (
  id integer primary key autoincrement,
  service text not null,
  repository text not null,                 -- its full name; it may be gone
  tag text not null,                        -- empty: all of the repository
  digest text not null,                     -- what the tag named
  requested_at integer not null,            -- milliseconds since 1970
  requested_by text not null,
  refusal text not null default '',         -- why the tool did not
  unique (service, repository, tag)
) strict;
create index deletions_in_order on deletions (service, id);

alter table tags add column imported_at integer; -- milliseconds since 1970; null: the registry reported the push
-- What the configuration of an image says, which the tool read.
alter table manifests add column described integer not null default 0 check (described in (0, 1));
alter table manifests add column created_at integer; -- milliseconds since 1970
alter table manifests add column labels text; -- a JSON object
alter table manifests add column platform text; -- a JSON object: os, architecture, variant
