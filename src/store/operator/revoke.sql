-- revoke NAME
-- Makes an administrator a user like any other.
-- Refused: there is no user NAME.
update users set administrator = 0 where name = :NAME;
select name, 'user' as rights from users where name = :NAME;
