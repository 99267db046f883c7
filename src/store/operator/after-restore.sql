-- after-restore
-- After a database was brought back: ends all that is logged in or signed, and access tokens (--keep-access-tokens: not).
-- Nobody knows what was made private in the lost days, or deleted: with --private every repository is private.
-- Numbers that the lost days gave would be given again, and what was signed then would mean somebody else. So whatever
-- is given from now on begins at the clock, in microseconds: beyond all that was given before, since no number here
-- grows by more than one in a microsecond. A leap of a fixed length would not do: whoever restores one backup twice
-- comes to the same number twice.
insert into audit (at, action, name, actor, credential, address)
values (:NOW, 'user.sessions.end', 'everybody', 'operator', '', '');
update users set epoch = max(epoch + 1, cast(:NOW * 1000000 as integer));
delete from refresh_tokens;
delete from links;
update access_tokens set is_active = 0 where :KEEP is null;
-- What was got for an access token names its id: one that is kept goes on under another.
update access_tokens set id = id + (
  select max(max(id), cast(:NOW * 1000000 as integer)) + 1 - min(id) from access_tokens);
insert into sqlite_sequence (name, seq)
select name, 0 from sqlite_schema
where type = 'table' and instr(sql, 'primary key autoincrement') > 0
  and name not in (select name from sqlite_sequence);
update sqlite_sequence set seq = max(seq, cast(:NOW * 1000000 as integer)) where name <> 'd1_migrations';
update sqlite_sequence set seq = max(seq, (select ifnull(max(id), 0) from access_tokens)) where name = 'access_tokens';
insert into audit (at, account, action, name, actor, credential, address, data)
select :NOW, namespace_id, 'repo.change_privacy', full_name, 'operator', '', '', json_object('is_private', 'true')
from repositories where private = 0 and :PRIVATE is not null;
update repositories set private = 1, revision = revision + 1, updated_at = :NOW where private = 0 and :PRIVATE is not null;
-- Search is told of everything again: its verification begins anew.
delete from outbox;
delete from progress;
select (select count(*) from users) as users, (select count(*) from repositories) as repositories,
  (select count(*) from access_tokens where is_active = 1) as "active access tokens";
