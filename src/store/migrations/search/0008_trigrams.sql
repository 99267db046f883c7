-- A search reads the first of what it finds, in exact order, and of a word every second run of three characters: what is
-- found is compared with what was asked. So lists need no positions, and are read from their beginning.

-- `fragments` and `prefixes` were for the worker before 0007, and are empty now. `terms` and `standing` are kept for the one
-- after it.
drop trigger documents_added;
drop trigger documents_removed;
drop trigger documents_changed;
insert into fragments (fragments) values ('delete-all');
insert into prefixes (prefixes) values ('delete-all');
drop index documents_by_name;
drop index documents_by_last;

-- Where it is found: from the top 10 bits of stars, the second of the last push up to 2106, and 21 bits of the id, all of
-- them turned round, so that what is first has the smallest number. What is public is below zero, what is private above.
alter table documents add column place integer generated always as (
  ~((min(star_count, 1023) << 53) | (min(max(pushed_at, 0), 4294967295) << 21) | (id & 2097151))
  & iif(visibility = 'pub', -1, 9223372036854775807)) virtual;

-- The description as `told` has it, and the beginnings of the words of the name, with marks of their own: 5 (twice) where
-- a word begins. So a word of a name (2) is sought among those of names alone.
alter table documents add column described text generated always as (
  replace(told, char(2), char(5)) || char(5, 5) || replace(trim(words), ' ', char(5, 5))) virtual;

-- One of 2,048 is marked (4, three times), whatever it is, and one in eight of these once more (6): the first tell how often
-- a run of characters is, the others end a search.
alter table documents add column mark text generated always as (
  iif((id & 2097151) * 2654435761 & 4292870144, '', char(4, 4, 4))
  || iif((id & 2097151) * 2654435761 & 4294705152, '', char(6, 6, 6))) virtual;

create index documents_by_place on documents (place, named, described);

create virtual table trigrams using fts5 (
  named, described, mark, content = 'documents', content_rowid = 'place', tokenize = 'trigram case_sensitive 1',
  detail = none, columnsize = 0
);
insert into trigrams (trigrams) values ('rebuild');

create trigger trigrams_added after insert on documents begin
  insert into trigrams (rowid, named, described, mark) values (new.place, new.named, new.described, new.mark);
end;
create trigger trigrams_removed after delete on documents begin
  insert into trigrams (trigrams, rowid, named, described, mark)
    values ('delete', old.place, old.named, old.described, old.mark);
end;
create trigger trigrams_changed after update on documents
when (new.place, new.named, new.described) is not (old.place, old.named, old.described) begin
  insert into trigrams (trigrams, rowid, named, described, mark)
    values ('delete', old.place, old.named, old.described, old.mark);
  insert into trigrams (rowid, named, described, mark) values (new.place, new.named, new.described, new.mark);
end;
