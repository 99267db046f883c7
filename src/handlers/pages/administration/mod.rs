//! The pages of administrators of the whole index. To others, they are as paths that do not exist.

mod lists;
pub mod overview;
pub mod user;

use crate::{
    auth::{Credentials, Principal},
    context::Context,
    error::{Result, not_found},
    handlers::pages::{self, PAGE_SIZE},
    operations::administration::NO_USER,
    store::{
        Query, Statement,
        administration::{self, Account, NamespaceLine, UserLine},
        rate_counters::{self, Counter, RateCount},
    },
    wire::{
        Form, Request, Response,
        html::{Link, Page},
    },
};

/// A page that one query makes.
#[derive(Clone, Copy)]
pub enum Screen<'a> {
    /// The list of users.
    Users,
    /// The user of this name.
    User(&'a str),
    /// The list of namespaces.
    Namespaces,
    /// The quotas.
    Limits,
}

/// What surrounds a page at this path; with what the query says was done, or what was wrong.
fn frame<'a>(
    ctx: &'a Context,
    principal: &'a Principal,
    title: &'a str,
    (path, fields, error): (&'a str, &Form, Option<&'a str>),
) -> Page<'a> {
    let tabs = [
        ("Overview", "/admin"),
        ("Users", "/admin/users"),
        ("Namespaces", "/admin/namespaces"),
        ("Limits", "/admin/limits"),
    ];
    let tabs = tabs.map(|(text, path)| Link::new(text, path)).into();
    Page { tabs: (tabs, path), done: pages::done(fields), error, ..pages::page(ctx, principal, title) }
}

/// What a page is made of.
enum Content {
    Users(Query<Vec<UserLine>>),
    User(Query<Option<Account>>),
    Namespaces(Query<Vec<NamespaceLine>>),
    Limits(Query<Vec<RateCount>>),
}

impl Content {
    fn statement(&self) -> &Statement {
        match self {
            Self::Users(query) => query.statement(),
            Self::User(query) => query.statement(),
            Self::Namespaces(query) => query.statement(),
            Self::Limits(query) => query.statement(),
        }
    }
}

/// The response to `GET /admin/users?name=&page=`, to that of one user, to `GET /admin/namespaces?name=&page=` and to
/// that of the limits; and to a form that was refused, with its status, its fields and the reason. It is one function,
/// since each costs the worker as much as what it returns.
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    screen: Screen<'_>,
    refused: Option<(u16, &Form, &str)>,
) -> Result<Response> {
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let beginning = query.text("name").to_lowercase();
    let (limit, offset) = (PAGE_SIZE + 1, (number - 1) * PAGE_SIZE);
    let (title, path, read) = match screen {
        Screen::Users => ("Users", "/admin/users", Content::Users(administration::users(&beginning, limit, offset))),
        Screen::User(name) => (name, "/admin/users", Content::User(administration::user(name))),
        Screen::Namespaces => {
            let namespaces = administration::namespaces(query.text("name"), limit, offset, lists::MAX_COUNTED);
            ("Namespaces", "/admin/namespaces", Content::Namespaces(namespaces))
        }
        Screen::Limits => {
            ("Limits", "/admin/limits", Content::Limits(rate_counters::current(Counter::Registrations, "")))
        }
    };
    let (principal, rows) = credentials.administrator(ctx, read.statement()).await?;
    let (status, fields, error) =
        refused.map_or((200, &query, None), |(status, fields, error)| (status, fields, Some(error)));
    // What was refused, and never what a link has: it would type a confirmation.
    let none = Form::default();
    let typed = if error.is_some() { fields } else { &none };
    let list = lists::List { path, beginning: &beginning, number };
    let content = match read {
        Content::Users(users) => list.users(users.decode(rows)?),
        Content::Namespaces(namespaces) => list.namespaces(&ctx.config.quotas, namespaces.decode(rows)?),
        Content::Limits(counted) => lists::limits(ctx, &counted.decode(rows)?),
        Content::User(account) => match account.decode(rows)? {
            Some(account) => user::content(ctx, &principal, &account, typed),
            None => return not_found(NO_USER),
        },
    };
    Ok(frame(ctx, &principal, title, (path, fields, error)).response(status, &content))
}
