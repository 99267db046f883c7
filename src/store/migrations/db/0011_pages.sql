-- The session of a browser is a row beside the logins that docker keeps: what ends these ends it, too.
alter table refresh_tokens add column kind text not null default 'docker' check (kind in ('docker', 'browser'));
alter table refresh_tokens add column authenticated_at integer; -- when the password was typed last; null: of docker
alter table refresh_tokens add column label text not null default ''; -- the name that its user gave it

-- What was pushed lately, for the first page.
create index repositories_by_push on repositories (pushed_at) where deleted_at is null and pushed_at is not null;

-- What an administrator has to say on every page.
create table notices (
  id integer primary key,                   -- the newest counts
  text text not null,
  written_at integer not null,
  written_by text not null
) strict;
