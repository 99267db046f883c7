//! What is known of one user, and what administrators do to them.

use maud::{Markup, html};

use crate::{
    auth::{Credentials, Principal},
    context::Context,
    domain::texts,
    error::{Result, invalid},
    handlers::pages::{
        self,
        administration::{Screen, frame, page},
        beside_form,
    },
    operations::administration::{self, INCIDENT_DAYS, Incident, UserChange},
    store::administration::Account,
    wire::{
        Form, Request, Response,
        html::{command, optional_time, plural, time},
    },
};

/// `POST /admin/users/{username}`
///
/// `action`: `enable`, `disable`, `sessions`, `grant`, `revoke`; `incident`, with `days`; or `remove`, with the `name`
/// and perhaps `repositories`.
pub async fn change(ctx: &Context, request: &Request, credentials: &Credentials, name: &str) -> Result<Response> {
    let fields = Form::read(request)?;
    let wanted = match fields.text("action") {
        "enable" => Ok(UserChange::Enable),
        "disable" => Ok(UserChange::Disable),
        "sessions" => Ok(UserChange::EndSessions),
        "grant" => Ok(UserChange::Administrate(true)),
        "revoke" => Ok(UserChange::Administrate(false)),
        "incident" => match fields.text("days").parse::<u16>() {
            Ok(days) => Ok(UserChange::Incident { days: days.into() }),
            Err(_) => invalid("Since how many days?"),
        },
        "remove" => Ok(UserChange::Remove {
            name: fields.text("name").to_owned(),
            repositories: fields.is_checked("repositories"),
        }),
        _ => invalid("There is no such action"),
    };
    match beside_form(administration::change_user(ctx, request, credentials, name, wanted).await)? {
        Ok((principal, Some(incident))) => Ok(answered(ctx, &principal, name, &incident)),
        Ok(_) if fields.text("action") == "remove" => Ok(Response::see_other("/admin/users?done=removed")),
        Ok(_) => Ok(Response::see_other(&format!("/admin/users/{name}?done=saved"))),
        Err((status, reason)) => {
            page(ctx, request, &pages::again(ctx, request)?, Screen::User(name), Some((status, &fields, &reason))).await
        }
    }
}

/// What is known of a user, and the forms.
pub fn content(ctx: &Context, principal: &Principal, account: &Account, fields: &Form) -> Markup {
    html! {
        (facts(ctx, account))
        @if account.user.name == principal.name() {
            p.hint { "This is your own account: another administrator changes it." }
        } @else {
            (forms(account, fields))
        }
    }
}

fn facts(ctx: &Context, account: &Account) -> Markup {
    let (user, quotas) = (&account.user, &ctx.config.quotas);
    html! {
        dl.facts {
            dt { "Kind" }
            dd {
                @if user.machine { "service account" } @else { "user" }
                @if let Some(namespace) = &account.machine_of { " of " a href=(format!("/r/{namespace}")) { (namespace) } }
                @if user.administrator { " " span.badge { "administrator" } }
            }
            dt { "State" } dd { (account.status) @if !user.machine && user.password.is_none() { ", without a password" } }
            dt { "Since" } dd { (time(account.created_at)) }
            dt { "Last used" } dd { (optional_time(account.used_at)) }
            dt { "Addresses" } dd { (texts::line(&account.emails)) " (at most " (quotas.emails) ")" }
            dt { "Namespaces" }
            dd {
                @for role in account.roles.split(", ").filter(|role| !role.is_empty()) {
                    @let (namespace, role) = role.split_once(": ").unwrap_or((role, ""));
                    a href=(format!("/r/{namespace}")) { (namespace) } " " span.badge { (role) } " "
                }
            }
            dt { "Roles in single repositories" } dd { (account.collaborations) @if account.collaborations == 1_000 { " or more" } }
            dt { "Sessions" } dd { (account.sessions) " of " (quotas.refresh_tokens) }
            dt { "Access tokens" } dd { (account.access_tokens) " of " (quotas.access_tokens) }
        }
    }
}

fn forms(account: &Account, fields: &Form) -> Markup {
    let user = &account.user;
    let days = fields.optional("days").unwrap_or_else(|| INCIDENT_DAYS.to_string());
    html! {
        form.stack method="post" {
            h2 { "State" }
            p { "Disabled, nothing of the account works until it is enabled. Ending the sessions ends access tokens, too; the password stays." }
            @if account.status == "active" {
                button.danger name="action" value="disable" { "Disable" }
            } @else {
                button name="action" value="enable" { "Enable" }
            }
            " " button.danger name="action" value="sessions" { "End all sessions and tokens" }
            @if user.administrator {
                " " button.danger name="action" value="revoke" { "No longer an administrator" }
            } @else if !user.machine {
                " " button.danger name="action" value="grant" { "Make an administrator" }
            }
        }
        form.stack method="post" {
            h2 { "Stolen or leaked" }
            p { "Ends sessions, access tokens and the password, and removes the e-mail addresses that were added or confirmed since then, also the only one. You get a link on which the user chooses a new password." }
            label { "Days ago when it began " input type="number" name="days" value=(days) min="0" max="65535" required; }
            button.danger name="action" value="incident" { "End everything" }
        }
        form.stack method="post" {
            h2 { "Remove" }
            p { "For ever, with its namespace and its service accounts: the name does not come back by itself." }
            label { "Name of the account " input name="name" value=(fields.text("name")) maxlength="64" required autocomplete="off" autocapitalize="none"; }
            label.choice { input type="checkbox" name="repositories" checked[fields.is_checked("repositories")]; "Remove its repositories, too" }
            button.danger name="action" value="remove" { "Remove the account" }
        }
    }
}

/// What came of an incident: the link stands in this answer alone.
fn answered(ctx: &Context, principal: &Principal, name: &str, incident: &Incident) -> Response {
    let title = format!("{name}: everything has ended");
    frame(ctx, principal, &title, ("/admin/users", &Form::default(), None)).response(
        200,
        &html! {
            @if let Some(link) = &incident.link {
                p.notice role="status" { "Copy it now: it is returned this once. On this link the user chooses a password, within a week." }
                (command(link))
            }
            @if !incident.addresses.is_empty() { p { (plural(incident.addresses.len(), "address was removed: ", "addresses were removed: ")) (texts::line(&incident.addresses.join(", "))) } }
            p { "This command prints what the account did, and how each is undone. It ends everything once more, with another link:" }
            (command(&format!("npm run admin -- compromised {name} --remote")))
        },
    )
}
