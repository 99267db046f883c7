-- peppers
-- Counts the passwords that are hashed under each id of PASSWORD_PEPPER: an id without any may go.
with hashes as (select substr(password, instr(password, 'keyid=') + 6) as rest from users where password is not null)
select substr(rest, 1, instr(rest, '$') - 1) as pepper, count(*) as users from hashes group by 1 order by 1;
