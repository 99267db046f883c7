-- grant NAME
-- Makes a user an administrator of the whole index.
-- Refused: there is no active user NAME.
update users set administrator = 1 where name = :NAME and status = 'active' and kind = 'person';
select name, 'administrator' as rights from users where name = :NAME and administrator = 1 and status = 'active';
