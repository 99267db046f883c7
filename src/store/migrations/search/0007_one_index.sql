-- One full text for all that is searched, in the order of what is found first: whatever is asked is one expression,
-- whose best matches are read and no others.

-- `fragments` and `prefixes`, with their triggers and the indexes by name and last component, are kept for the worker of
-- the version before, which still searches by them.

-- What is searched has marks that nobody can ask for: 1 where a name begins and ends, 2 (twice) where a word begins, 3 where
-- one ends. So what is sought at the beginning of a word is not looked for in the middle of all the others.

-- The description in lower case, without diacritics, and behind it the beginnings of its words. Null until the repository
-- is told anew, which the verification sees to.
alter table documents add column folded text;
alter table documents add column told text generated always as (
  ifnull(folded, lower(description) || char(1) || replace(' ' || lower(description), ' ', char(2, 2)))) virtual;
-- The name, its last component, and its words.
alter table documents add column named text generated always as (
  char(1, 1) || name || char(1, 1) || last || char(1)
  || char(2, 2) || replace(trim(words), ' ', char(3, 2, 2)) || char(3)) virtual;
-- Where it stands: by stars, then by the last push in steps of 18 hours, so that not every push moves it. The rest
-- is of the id, which after a restore has more than 31 bits. What is private stands below zero.
alter table documents add column standing integer generated always as (
  ((min(star_count, 16383) << 48) | (((pushed_at >> 16) & 131071) << 31) | (id & 2147483647))
  - iif(visibility = 'pub', 0, 1 << 62)) virtual;

create index documents_by_standing on documents (standing);

create virtual table terms using fts5 (
  named, told, content = 'documents', content_rowid = 'standing', tokenize = 'trigram case_sensitive 1'
);
insert into terms (terms) values ('rebuild');

create trigger terms_added after insert on documents begin
  insert into terms (rowid, named, told) values (new.standing, new.named, new.told);
end;
create trigger terms_removed after delete on documents begin
  insert into terms (terms, rowid, named, told)
    values ('delete', old.standing, old.named, old.told);
end;
create trigger terms_changed after update on documents
when (new.standing, new.named, new.told) is not (old.standing, old.named, old.told) begin
  insert into terms (terms, rowid, named, told)
    values ('delete', old.standing, old.named, old.told);
  insert into terms (rowid, named, told) values (new.standing, new.named, new.told);
end;
