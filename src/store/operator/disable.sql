-- disable NAME
-- Shuts a user out from the next request on; what they have stays.
-- Refused: there is no user NAME.
update users set status = 'disabled' where name = :NAME;
select name, status from users where name = :NAME;
