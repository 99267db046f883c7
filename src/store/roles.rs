//! Who asks, and the most that they may do at a place, as SQL: what `domain::access` decides, told to the database, so
//! that it reads nothing for who may not see it. The decision stays where it is; a test holds both to each other.

use crate::store::{Statement, Value};

/// Whose standing is read.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// Of a request without credentials, where these read what is public.
    Anonymous,
    /// Of one where they read nothing.
    None,
    /// The user of this name, who may not exist.
    Name(&'a str),
    /// The user of this id.
    Id(i64),
    /// The user of this id, who came with the access token of that id.
    Token(i64, i64),
    /// The user of the access token with this hash.
    AccessToken(&'a str),
    /// The user of the refresh token with this hash.
    RefreshToken(&'a str),
}

impl Subject<'_> {
    /// Binds the three parameters that say who it is: a name, an id (0 for anybody), and the hash of a token, or the id
    /// of an access token.
    pub(super) fn bind_to(&self, statement: Statement) -> Statement {
        let (name, id, token) = match *self {
            Self::Anonymous => (Value::Null, 0.into(), Value::Null),
            Self::None => (Value::Null, Value::Null, Value::Null),
            Self::Name(name) => (name.into(), Value::Null, Value::Null),
            Self::Id(id) => (Value::Null, id.into(), Value::Null),
            Self::Token(user, token) => (Value::Null, user.into(), token.into()),
            Self::AccessToken(hash) | Self::RefreshToken(hash) => (Value::Null, Value::Null, hash.into()),
        };
        statement.bind(name).bind(id).bind(token)
    }
}

/// The user of such parameters, `?1` to `?3`.
macro_rules! subject {
    () => {
        "coalesce(?2, (select id from users where name = ?1), (select user_id from refresh_tokens where hash = ?3),
           (select user_id from access_tokens where hash = ?3 or previous_hash = ?3))"
    };
}
pub(super) use subject;

/// The access `token` of such parameters, as a table of one row or none.
macro_rules! token {
    () => {
        "token as materialized (select id, scopes, resources from access_tokens where id = ?3
           union all select id, scopes, resources from access_tokens where hash = ?3
           union all select id, scopes, resources from access_tokens where previous_hash = ?3)"
    };
}
pub(super) use token;

/// Whether what is public is so for the user `u`: for anybody, or for every user.
macro_rules! reads_public {
    () => {
        "(?2 = 0 or u.id is not null)"
    };
}
pub(super) use reads_public;

/// The number of a role, `read` to `admin`: 1 to 3, and 0 for none.
macro_rules! number {
    ($role:literal) => {
        concat!("case ", $role, " when 'admin' then 3 when 'write' then 2 when 'read' then 1 else 0 end")
    };
}
pub(super) use number;

/// The most that the user `u` may do, as a number, at a place that was `asked` for: its namespace `n`, its repository `r`,
/// and their roles `m` and `c` there, with the access `token` they came with, if any. That never administrates, and takes
/// away what its resources surely do not allow: a pattern is compared up to its first star, and the rest of its rules are
/// applied to what was read.
macro_rules! role {
    () => {
        concat!(
            "case when exists (select 1 from token) and not exists (
               select 1 from token t
               where (r.private = 0 or exists (select 1 from json_each(iif(json_valid(t.scopes), t.scopes, '[]'))
                   where value <> 'repo:public_read'))
                 and (t.resources is null or exists (
                   select 1 from (select iif(instr(value ->> 'path', '/'), '', 'library/') || (value ->> 'path') path
                     from json_each(iif(json_valid(t.resources), t.resources, '[]')))
                   where path = asked.namespace || '/' || asked.name or instr(path, '*') and
                     substr(path, 1, instr(path, '*') - 1)
                       = substr(asked.namespace || '/' || asked.name, 1, instr(path, '*') - 1))))
             then 0 else max(
               iif(n.owner_id = u.id or u.administrator = 1 and not exists (select 1 from token), 3, 0),
               iif(r.private = 0 and ",
            reads_public!(),
            ", 1, 0), ",
            number!("m.role"),
            ", ",
            number!("c.role"),
            ") end"
        )
    };
}
pub(super) use role;
