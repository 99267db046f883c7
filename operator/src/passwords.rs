//! Passwords, links on which one is chosen, and peppers.

use hublet::{
    domain::{
        UserName, opaque_token,
        password::{self, MAX_PASSWORD_BYTES},
    },
    store::{FromRow, Query, Row, Statement, Transaction, links, users},
};

use crate::{Failure, Operator, Output, Result, Words, invalid, refuse, refused, row};

/// The peppers of the index.
pub fn peppers(operator: &Operator) -> Result<&password::Peppers> {
    operator.config.peppers().map_err(|fault| {
        let missing = fault.what.ends_with("is missing");
        Failure::Invalid(if missing { format!("PASSWORD_PEPPER is not in {}", operator.secrets) } else { fault.what })
    })
}

/// The password that came on standard input, or its hash by bcrypt, as it is stored.
pub fn given(operator: &Operator, name: &UserName) -> Result<Option<String>> {
    let Some(password) = &operator.password else { return Ok(None) };
    if operator.flags.bcrypt_stdin {
        let cost = operator.config.password_cost;
        let stored = password::import(password.trim(), operator.random()?, peppers(operator)?, cost);
        return stored.map(Some).map_err(Failure::Invalid);
    }
    let least = operator.config.password_length;
    let is_token = opaque_token::TokenKind::Access.has_prefix(password);
    if password::acceptable(password, least).is_err() && !is_token {
        return invalid(format!("a password has at least {least} characters and at most {MAX_PASSWORD_BYTES} bytes"));
    }
    if password::require_not_the_name(password, name.as_str()).is_err() {
        return invalid("a password is not the user's own name");
    }
    if is_token {
        let prefix = opaque_token::TokenKind::Access.prefix();
        return invalid(format!(
            "a password does not begin with {prefix}, as access tokens do: it would be taken for one"
        ));
    }
    let hash = password::hash(password, operator.random()?, peppers(operator)?, operator.config.password_cost);
    hash.map(Some).map_err(Failure::Invalid)
}

/// A user with their status, for people.
pub fn shown(name: &str) -> Query<Vec<Row>> {
    Query::all(Statement::new("select name, status from users where name = ?1").bind(name))
}

/// `password NAME`
pub async fn password(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    let password = given(operator, &name)?;
    let user = operator.require_user(&name).await?;
    if user.machine {
        return refuse(format!("{} is a service account, which has no password.", user.name));
    }
    let mut transaction = Transaction::new();
    let mut notes = Vec::new();
    if let Some(password) = password {
        transaction.run(users::set_password(&user, &password, None, &operator.by));
    } else {
        let (secret, hash) = operator.link_secret()?;
        transaction.run(links::insert_password_link(&user.name, &hash, &operator.by));
        notes.push(operator.link(&secret));
    }
    let shown = transaction.read(shown(&user.name));
    let rows = operator.commit(transaction).await?.take(shown)?;
    if rows.is_empty() { refused() } else { Ok(Output { rows, notes, ..Output::default() }) }
}

/// How many passwords are hashed under one pepper.
struct Hashed {
    /// One of them.
    example: String,
    users: i64,
}

impl FromRow for Hashed {
    fn from_row(row: &mut Row) -> Self {
        Self { example: row.get("example"), users: row.get("users") }
    }
}

/// `peppers`
pub async fn count_by_pepper(operator: &Operator) -> Result<Output> {
    let peppers = peppers(operator)?;
    // What stands between `keyid=` and the salt names the pepper.
    let sql = "with hashes as (
         select password, substr(password, instr(password, 'keyid=') + 6) rest from users where password is not null)
       select min(password) example, count(*) users from hashes
       group by substr(rest, 1, instr(rest, '$') - 1) order by 1";
    let hashed = operator.fetch(Query::<Vec<Hashed>>::all(Statement::new(sql))).await?;
    let counted = hashed
        .into_iter()
        .map(|found| (password::pepper(&found.example).unwrap_or_else(|| "(damaged)".to_owned()), found.users));
    let counted = counted.collect::<Vec<_>>();
    let users = |id: &str| counted.iter().filter(|(pepper, _)| pepper == id).map(|(_, users)| users).sum::<i64>();
    let line =
        |id: &str, users: i64, note: &str| row([("pepper", id.into()), ("users", users.into()), ("note", note.into())]);
    let known = peppers
        .ids()
        .enumerate()
        .map(|(at, id)| line(id, users(id), if at == 0 { "hashes and verifies" } else { "verifies" }));
    let lost = counted.iter().filter(|(pepper, _)| !peppers.ids().any(|id| id == pepper));
    let lost = lost.map(|(pepper, users)| line(pepper, *users, "not configured: these cannot log in"));
    Ok(known.chain(lost).collect::<Vec<_>>().into())
}
