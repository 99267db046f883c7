//! Subjects, and their effective roles in SQL: the rules of `domain::access`, so that the database reads nothing for a
//! subject who may not see it. The decision stays in the domain; a test compares both.

use constcat::concat;

use crate::{
    domain::{AccessTokenId, UserId},
    store::{Statement, Value, users::STATUS},
};

/// Whose relations are read.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// No user: a request without credentials, which reads what is public.
    Anonymous,
    /// No user, where such requests read nothing.
    None,
    /// The user of this name, who may not exist.
    Name(&'a str),
    /// The user of this id.
    Id(UserId),
    /// The user of this id, with the access token of that id.
    Token(UserId, AccessTokenId),
    /// The user of the access token with this hash.
    AccessToken(&'a str),
    /// The user of the refresh token with this hash.
    RefreshToken(&'a str),
}

impl<'a> Subject<'a> {
    /// The user of this name, of whom a review asks; an anonymous request if it is empty.
    #[must_use]
    pub fn of_review(name: &'a str, anonymous_read: bool) -> Self {
        match name {
            "" if anonymous_read => Self::Anonymous,
            "" => Self::None,
            name => Self::Name(name),
        }
    }
}

impl Subject<'_> {
    /// Whether the user is known by id, or there is none, and no access token is involved: statements have a shorter
    /// text for these.
    #[must_use]
    pub fn is_by_id(&self) -> bool {
        matches!(self, Self::Anonymous | Self::None | Self::Id(_))
    }

    /// Of the two texts of a statement, the one for this subject: that for [`Subject::is_by_id`], or that for any.
    pub(super) fn text(&self, by_id: &'static str, any: &'static str) -> &'static str {
        if self.is_by_id() { by_id } else { any }
    }

    /// Binds the three parameters of the subject: a name, an id (0 for no user), and the hash of a token, or the id of
    /// an access token.
    pub(super) fn bind_to(&self, statement: Statement) -> Statement {
        let (name, id, token) = match *self {
            Self::Anonymous => (Value::Null, UserId::NONE.into(), Value::Null),
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
pub(super) const SUBJECT: &str = "coalesce(?2, (select id from users where name = coalesce(?1, '')),
       (select user_id from refresh_tokens where hash = coalesce(?3, '')),
       (select user_id from access_tokens where hash = coalesce(?3, '') or previous_hash = coalesce(?3, '')))";

/// The access `token` of such parameters, as a table of one row or none.
const TOKEN: &str = "token as materialized (select id, scopes, resources from access_tokens where id = coalesce(?3, 0)
   union all select id, scopes, resources from access_tokens where hash = coalesce(?3, '')
   union all select id, scopes, resources from access_tokens where previous_hash = coalesce(?3, ''))";

/// Whether the user `u` reads what is public: every user does, and a request without a user where that is set.
pub(super) const READS_PUBLIC: &str = "(?2 = 0 or u.id is not null)";

/// After `case` and a role, `read` to `admin`: its number, 1 to 3, and 0 for none.
const NUMBER: &str = "when 'admin' then 3 when 'write' then 2 when 'read' then 1 else 0 end";

/// The roles of the user `u`, as numbers, which do not depend on how the request was authenticated: in the namespace
/// `n` and the repository `r`, with their roles `m` and `c` there.
const GRANTED: &str = concat!(
    "iif(n.owner_id = u.id, 3, 0), iif(r.private = 0 and ",
    READS_PUBLIC,
    ", 1, 0), case m.role ",
    NUMBER,
    ", case c.role ",
    NUMBER
);

/// The effective role, as a number, where there is no access token.
pub(super) const ROLE_BY_ID: &str = concat!("max(iif(u.administrator = 1, 3, 0), ", GRANTED, ")");

/// The effective role, as a number, in what was `asked` for, with the access `token` of the credentials, if any. That
/// never administrates, and takes away what its resources surely do not allow: a pattern is compared up to its first
/// star, and the rest of its rules are applied to what was read.
const ROLE: &str = concat!(
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
             then 0 else max(iif(u.administrator = 1 and not exists (select 1 from token), 3, 0), ",
    GRANTED,
    ") end"
);

/// The columns of a lookup.
pub(super) const LOOKUP: &str = concat!(
    "n.id namespace_id, n.owner_id is not null and n.owner_id = u.id owner,
       r.id repository_id, r.private, r.deleted_at, r.revision, m.role member_role, c.role collaborator_role,
       r.private = 0 and ",
    READS_PUBLIC,
    " public"
);

/// The same columns of a `place p` of [`WITH_ROLE`].
pub(super) const PLACE_LOOKUP: &str = "p.namespace_id, p.owner, p.repository_id, p.private, p.deleted_at, p.revision,
       p.member_role, p.collaborator_role, p.public";

/// What is looked up of one repository: its namespace `?4` and its name `?5`, as a table.
pub(super) const ONE: &str = "(select ?4 as namespace, ?5 as name)";

/// After a table of what is looked up: the namespace `n`, the repository `r`, and an active user `u`, up to which one.
const FOUND: &str = concat!(
    " asked left join namespaces n on n.name = asked.namespace
     left join repositories r on r.namespace_id = n.id and r.name = asked.name
     left join users u on ",
    STATUS,
    " = 'active' and u.id = "
);

/// After them: the roles of the user as a member `m` and as a collaborator `c`, as far as there are any.
pub(super) const RELATED: &str = " left join members m on m.namespace_id = n.id and m.user_id = u.id
     left join collaborators c on c.repository_id = r.id and c.user_id = u.id";

/// After a table of what is looked up: that, and the relations of the subject to it.
pub(super) const LOOKED_UP: &str = concat!(FOUND, SUBJECT, RELATED);

/// The same for [`Subject::is_by_id`]. A shorter text costs less: it is sent and read each time it runs. Where a column
/// is compared with a parameter alone, the `SQLite` of D1 also compiles it each time, since the value may change the
/// plan; with an expression it does not.
pub(super) const LOOKED_UP_BY_ID: &str = concat!(FOUND, "coalesce(?2, 0)", RELATED);

/// The beginning of a `place`, up to the role.
const PLACE: &str = concat!("place as materialized (select ", LOOKUP, ", asked.namespace, u.id user_id, ");

/// The beginning of a statement over a `place`: a lookup with the `user_id` and the `role` of the subject, as a number.
/// What the statement reads beside it, it reads for a role.
pub const WITH_ROLE: &str = concat!("with ", TOKEN, ", ", PLACE, ROLE, " role from ", ONE, LOOKED_UP, ") ");

/// The same for [`Subject::is_by_id`].
pub const WITH_ROLE_BY_ID: &str = concat!("with ", PLACE, ROLE_BY_ID, " role from ", ONE, LOOKED_UP_BY_ID, ") ");
