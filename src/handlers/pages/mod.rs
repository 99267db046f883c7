//! The pages of the index. A page handler authenticates the cookie, and then uses the guard, the queries and the
//! operations of the management API: no rule is here.

pub mod access;
pub mod administration;
pub mod audit;
pub mod deletions;
pub mod home;
pub mod members;
pub mod namespace;
pub mod new_repository;
pub mod refusals;
pub mod register;
pub mod repository;
pub mod repository_settings;
pub mod search;
pub mod service_account;
pub mod service_accounts;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod tag;
mod token_parts;
pub mod tokens;

use maud::{Markup, html};

use crate::{
    auth::{Credentials, Principal, RepositoryGuard, browser},
    context::Context,
    domain::{RepositoryName, Role, texts},
    error::{Error, Fault, Refusal, Result, invalid},
    store::tags::{PushCredential, Tag},
    wire::{
        Form, Request,
        html::{Link, Page, command},
        request,
    },
};

/// Items on a page of a list.
pub const PAGE_SIZE: i64 = 50;

/// What surrounds a page for this principal.
#[must_use]
pub fn page<'a>(ctx: &'a Context, principal: &'a Principal, title: &'a str) -> Page<'a> {
    Page {
        site: &ctx.config.site_name,
        title,
        user: principal.user.as_ref().map(|user| user.name.as_str()),
        administrator: principal.is_administrator(),
        searchable: true,
        notice: principal.browser.as_ref().and_then(|session| session.notice.as_deref()),
        ..Page::default()
    }
}

/// The path of the page of a repository.
#[must_use]
pub fn repository_path(name: &RepositoryName) -> String {
    format!("/r/{name}")
}

/// The pages above that of a repository.
#[must_use]
pub fn namespace_crumb(namespace: &str) -> Link {
    Link::new(namespace, format!("/r/{namespace}"))
}

/// The pages beside that of a repository, for who may open them.
#[must_use]
pub fn repository_tabs(name: &RepositoryName, role: Option<Role>) -> Vec<Link> {
    let of = |text: &str, path: &str| Link::new(text, format!("{}{path}", repository_path(name)));
    let mut tabs = vec![of("Tags", "")];
    if role >= Some(Role::Write) {
        tabs.push(of("Settings", "/-/settings"));
    }
    if role >= Some(Role::Admin) {
        tabs.push(of("Access", "/-/access"));
    }
    tabs
}

/// The pages beside that of a namespace, for who may open them.
#[must_use]
pub fn namespace_tabs(namespace: &str, admin: bool) -> Vec<Link> {
    let of = |text: &str, path: &str| Link::new(text, format!("/r/{namespace}{path}"));
    let mut tabs = vec![of("Repositories", "")];
    if admin {
        tabs.extend([
            of("Members", "/-/members"),
            of("Service accounts", "/-/service-accounts"),
            of("Deletions", "/-/deletions"),
            of("Refusals", "/-/refusals"),
            of("Audit", "/-/audit"),
        ]);
    }
    tabs
}

/// The path of the page of the service accounts of a namespace.
#[must_use]
pub fn service_accounts_path(namespace: &str) -> String {
    format!("/r/{namespace}/-/service-accounts")
}

/// What surrounds a page for the admins of a namespace.
#[must_use]
pub fn administrated<'a>(
    ctx: &'a Context,
    principal: &'a Principal,
    namespace: &str,
    title: &'a str,
    path: &'a str,
) -> Page<'a> {
    let crumbs = vec![namespace_crumb(namespace)];
    Page { crumbs, tabs: (namespace_tabs(namespace, true), path), ..page(ctx, principal, title) }
}

/// The pages of an account.
#[must_use]
pub fn settings_tabs() -> Vec<Link> {
    let tabs = [("Account", "/settings"), ("Access tokens", "/settings/tokens"), ("Sessions", "/settings/sessions")];
    tabs.map(|(text, path)| Link::new(text, path)).into()
}

/// What surrounds a page of an account, at this path; with what the query says was done, or what was wrong.
#[must_use]
pub fn settings_page<'a>(
    ctx: &'a Context,
    principal: &'a Principal,
    title: &'a str,
    (path, query, error): (&'a str, &Form, Option<&'a str>),
) -> Page<'a> {
    Page { tabs: (settings_tabs(), path), done: done(query), error, ..page(ctx, principal, title) }
}

/// Who pushed a tag; and with what, for who did it and who reads the audit of the namespace.
pub fn pusher(tag: &Tag, guard: &RepositoryGuard<'_>) -> Result<Markup, Fault> {
    let knows = guard.administrates_namespace() || guard.principal.name() == tag.pushed_by;
    let credential = if knows { tag.push_credential()? } else { None };
    Ok(html! {
        (texts::line(&tag.pushed_by))
        @if let Some(PushCredential { kind, label, machine }) = credential {
            @if machine { " (service account)" }
            @match (kind.as_str(), label) {
                ("password", _) if !machine => { ", with the password" }
                ("access-token", Some(label)) => { ", with the access token " (texts::line(&label)) }
                ("access-token", None) => { ", with an access token that is deleted" }
                ("refresh-token", _) => { ", with a login of docker" }
                _ => {}
            }
        }
    })
}

/// How an image is pulled: `reference` is `:TAG` or `@DIGEST`.
#[must_use]
pub fn pull_lines(host: Option<&str>, name: &RepositoryName, reference: &str) -> Markup {
    let image = format!("{}/{name}{reference}", host.unwrap_or("REGISTRY"));
    html! {
        section {
            h2 { "Pull" }
            (command(&format!("docker pull {image}")))
            details {
                summary { "podman, skopeo, Kubernetes" }
                (command(&format!("podman pull {image}")))
                (command(&format!("skopeo inspect docker://{image}")))
                (command(&format!("image: {image}")))
            }
            (host_hint(host))
        }
    }
}

/// What REGISTRY means, where the address of the registry is not known.
#[must_use]
pub fn host_hint(host: Option<&str>) -> Markup {
    html! {
        @if host.is_none() { p.hint { "REGISTRY stands for the address of your registry: this index does not know it. An administrator can set it (SERVICES = \"NAME@HOST\")." } }
    }
}

/// Where the clients of the first registry reach it, as far as the operator set it.
#[must_use]
pub fn registry_host(ctx: &Context) -> Option<&str> {
    ctx.config.services.iter().find_map(|service| service.host.as_deref())
}

/// The number of the page of a list that is asked for, from 1.
#[must_use]
pub fn page_number(request: &Request) -> i64 {
    let number = request.parameters().into_iter().find(|(name, _)| name == "page");
    number.and_then(|(_, number)| number.parse().ok()).unwrap_or(1).clamp(1, 1_000_000)
}

/// Cuts a list to a page, and returns whether there is another one: of a list whose length is not known, one item more is
/// read than is listed.
pub fn cut<T>(list: &mut Vec<T>) -> bool {
    let size = usize::try_from(PAGE_SIZE).unwrap_or_default();
    let more = list.len() > size;
    list.truncate(size);
    more
}

/// A part of a path, as it was meant.
#[must_use]
pub fn component(text: &str) -> String {
    request::decoded(text.replace('+', "%2B").as_bytes())
}

/// What has just been done, as the path says to which a form led.
#[must_use]
pub fn done(query: &Form) -> Option<&'static str> {
    let done = DONE.iter().find(|(word, _)| *word == query.text("done"));
    done.map(|(_, text)| *text)
}

/// What forms do, by the word for it in the path that they lead to.
const DONE: &[(&str, &str)] = &[
    ("added", "Added. Where mail is sent, a link that confirms the address is on its way."),
    ("saved", "Saved."),
    (
        "removed-member",
        "Removed. A role in a single repository stays, and all may pull what is public: who may, stands on its Access page.",
    ),
    ("mailed", "Your account is made. Open the link that was mailed to you, then sign in."),
    ("registered", "Your account is made. Sign in."),
    ("account", "Made. Make an access token for it now."),
    ("removed", "Removed. What was pushed stays in the registry, and the name stays taken."),
    ("created", "Made. Push an image to it."),
    ("moved", "Moved. The images stay in the registry under the old name: push them again under this one."),
    ("deleted-pending", "Deleted here. The tool beside the registry deletes the images there at its next run."),
    ("deleted-forgotten", "Deleted here. The registry keeps the images, and serves them to who may pull there."),
    ("tags-pending", "The deletion waits for the tool beside the registry: it deletes the tags there at its next run."),
    ("tags-forgotten", "Forgotten here. The registry keeps the images, and serves them to who may pull there."),
    (
        "tags-both",
        "Some wait for the tool beside the registry; the rest are forgotten here, and the registry keeps them.",
    ),
];

/// A path of this site to which a form leads: nothing that a browser takes for another site, and that a header may have.
#[must_use]
pub fn own_path(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if own { next } else { "/" }
}

/// The form that gives a user a role; `typed` was refused.
#[must_use]
pub fn grant_form(title: &str, hint: &str, typed: Option<&Form>) -> Markup {
    let text = |name: &str| typed.map_or("", |fields| fields.text(name));
    html! {
        section {
            h2 { (title) }
            form.filter method="post" {
                label { "User " input name="user" value=(text("user")) maxlength="64" autocapitalize="none" autocomplete="off" required; }
                label { "Role " (role_select(Role::parse(text("role")).unwrap_or(Role::Read))) }
                button name="action" value="set" { "Add" }
            }
            p.hint { (hint) " read: pull. write: pull and push. admin: also change settings, roles and delete." }
        }
    }
}

/// The forms in the row of a user that change and take away the role.
#[must_use]
pub fn role_form(user: &str, role: Role) -> Markup {
    html! {
        form method="post" {
            input type="hidden" name="user" value=(user);
            label { span.live { "Role of " (user) " " } (role_select(role)) }
            " " button name="action" value="set" { "Change" }
            " " button.danger name="action" value="remove" { "Remove" span.live { " " (user) } }
        }
    }
}

fn role_select(chosen: Role) -> Markup {
    html! {
        select name="role" {
            @for role in [Role::Read, Role::Write, Role::Admin] { option value=(role.as_str()) selected[role == chosen] { (role.as_str()) } }
        }
    }
}

/// The choice of who sees a repository.
#[must_use]
pub fn visibility_choice(private: bool) -> Markup {
    html! {
        fieldset {
            legend { "Who sees it" }
            label.choice { input type="radio" name="visibility" value="public" checked[!private]; "Public: everyone who may read this index" }
            label.choice { input type="radio" name="visibility" value="private" checked[private]; "Private: only users with a role in it" }
        }
    }
}

/// Which of them was chosen.
pub fn is_private(fields: &Form) -> Result<bool> {
    match fields.text("visibility") {
        "private" => Ok(true),
        "public" => Ok(false),
        _ => invalid("Choose who sees it"),
    }
}

/// The credentials of a form whose page comes back with what was refused: the password is not asked for twice.
pub fn again(ctx: &Context, request: &Request) -> Result<Credentials> {
    browser::required_cookie(ctx, request)
}

/// A result whose refusal stands beside the form; a fault, and a session that has ended, have a page of their own.
pub fn beside_form<T>(result: Result<T>) -> Result<Result<T, (u16, String)>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match error.beside_a_form() {
            Some(refusal) => Ok(Err(refusal)),
            None => Err(error),
        },
    }
}

/// The same where what was not found may be what was typed: what is not visible has no page that comes back.
pub fn beside_its_form<T>(result: Result<T>) -> Result<Result<T, (u16, String)>> {
    let missing = match result.as_ref().err().and_then(Error::refusal) {
        Some(Refusal::NotFound(reason)) => Some((404, reason.clone().into_owned())),
        _ => None,
    };
    missing.map_or_else(|| beside_form(result), |missing| Ok(Err(missing)))
}
