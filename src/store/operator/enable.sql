-- enable NAME
-- Lets a user in: one who was disabled, or whose e-mail was never confirmed.
-- Refused: there is no user NAME.
update users set status = 'active' where name = :NAME;
select name, status from users where name = :NAME;
