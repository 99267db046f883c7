-- What search reads: a projection of the truth that may be dropped and is then rebuilt.

-- One row a repository that was ever pushed to.
create table documents (
  id integer primary key,                   -- of the repository in the truth
  revision integer not null,                -- of the repository when this was written: older news is ignored
  name text not null,                       -- as it is shown and found: without "library/"
  last text not null,                       -- its last component
  words text not null,                      -- the words of the name between blanks: " foo bar "
  description text not null,
  visibility text not null check (visibility in ('pub', 'prv')),
  star_count integer not null,
  pushed_at integer not null,
  hidden_at integer                         -- hidden ahead of the truth, which then counts again after a while
) strict;
create index documents_by_name on documents (visibility, name collate nocase);
create index documents_by_last on documents (visibility, last collate nocase);
create index documents_by_rank on documents (visibility, star_count desc, pushed_at desc, id);

-- Substrings of three and more characters, in any script.
create virtual table fragments using fts5 (
  name, description, visibility, content = 'documents', content_rowid = 'id', tokenize = 'trigram', detail = full
);

-- Prefixes of one and two characters.
create virtual table prefixes using fts5 (
  name, description, visibility, content = 'documents', content_rowid = 'id', tokenize = 'unicode61', prefix = '1 2'
);

create trigger documents_added after insert on documents begin
  insert into fragments (rowid, name, description, visibility) values (new.id, new.name, new.description, new.visibility);
  insert into prefixes (rowid, name, description, visibility) values (new.id, new.name, new.description, new.visibility);
end;
create trigger documents_removed after delete on documents begin
  insert into fragments (fragments, rowid, name, description, visibility)
    values ('delete', old.id, old.name, old.description, old.visibility);
  insert into prefixes (prefixes, rowid, name, description, visibility)
    values ('delete', old.id, old.name, old.description, old.visibility);
end;
create trigger documents_changed after update of name, description, visibility on documents begin
  insert into fragments (fragments, rowid, name, description, visibility)
    values ('delete', old.id, old.name, old.description, old.visibility);
  insert into prefixes (prefixes, rowid, name, description, visibility)
    values ('delete', old.id, old.name, old.description, old.visibility);
  insert into fragments (rowid, name, description, visibility) values (new.id, new.name, new.description, new.visibility);
  insert into prefixes (rowid, name, description, visibility) values (new.id, new.name, new.description, new.visibility);
end;
