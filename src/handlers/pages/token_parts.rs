//! What the pages of access tokens are made of: the table, the form of a new one, and the secret, which one answer has.

use maud::{Markup, html};
use serde_json::Value;

use crate::{
    context::Context,
    domain::{
        ends::{self, DAY},
        texts, time,
        token_restrictions::{Resource, TokenScope},
    },
    error::{Result, invalid},
    handlers::pages,
    operations::access_tokens::{CreateAccessToken, IssuedAccessToken, RenewAccessToken, UpdateAccessToken},
    store::token_details::TokenDetails,
    wire::{
        Form,
        html::{self as parts, command, optional_time, plural, time as shown},
    },
};

/// The scopes, and what each means.
const SCOPES: [(TokenScope, &str); 5] = [
    (TokenScope::PublicRead, "Pull what everybody may pull"),
    (TokenScope::Read, "Pull"),
    (TokenScope::Write, "Pull and push"),
    (TokenScope::Admin, "Pull, push and delete"),
    (TokenScope::Roles, "Change who may do what, too"),
];

/// After how many days a token may end.
const DAYS: [i64; 4] = [7, 30, 60, 90];

/// Seconds before its end from which a token expires soon.
const SOON: i64 = 7 * DAY;

/// For how long the earlier secret of a renewed token may stay valid: seconds.
const OVERLAPS: [(i64, &str); 4] =
    [(0, "no longer"), (3_600, "for an hour"), (DAY, "for a day"), (ends::MAX_OVERLAP, "for 7 days")];

/// The texts of a list.
fn texts_of<'a>(list: &'a Value, member: &'a str) -> impl Iterator<Item = &'a str> {
    list.as_array().into_iter().flatten().filter_map(move |item| item.get(member).unwrap_or(item).as_str())
}

/// What is to be noticed of a token.
fn state(token: &TokenDetails, end: Option<i64>, now: i64) -> Option<&'static str> {
    match end {
        Some(end) if end <= now => Some("expired"),
        _ if !token.active => Some("off"),
        Some(end) if end - now <= SOON => Some("expires soon"),
        _ => None,
    }
}

/// Tokens, each with what can be done to it: `renew`, `on`, `off` and `delete` of the form's `uuid`.
#[must_use]
pub fn table(tokens: &[TokenDetails], count: i64, now: i64) -> Markup {
    html! {
        div {
            table {
                caption { (plural(count, "token", "tokens")) }
                thead { tr { @for head in ["Name", "May", "Made", "Last used", "Ends", "Change"] { th scope="col" { (head) } } } }
                tbody {
                    @for token in tokens {
                        @let end = token.expires_text.as_deref().and_then(time::parse);
                        tr {
                            th scope="row" {
                                (texts::line(&token.label))
                                @if let Some(state) = state(token, end, now) { " " span.badge { (state) } }
                            }
                            td {
                                @for scope in texts_of(&token.scopes, "") { (scope) " " }
                                @if let Some(resources) = &token.resources {
                                    "in "
                                    @for path in texts_of(resources, "path") { code { (path) } " " }
                                }
                            }
                            td { (shown(token.created_at)) }
                            td { (optional_time(token.used_at)) }
                            td {
                                (optional_time(end))
                                @if let Some(until) = token.previous_until.filter(|until| *until > now) {
                                    "; its earlier secret " (shown(until))
                                }
                            }
                            td { (changes(token)) }
                        }
                    }
                }
            }
        }
    }
}

fn changes(token: &TokenDetails) -> Markup {
    html! {
        details {
            summary { "Change " span.live { (texts::line(&token.label)) } }
            form.stack method="post" {
                input type="hidden" name="uuid" value=(token.uuid);
                @if token.active {
                    label {
                        "With a new secret, the earlier one works "
                        select name="overlap" { @for (seconds, text) in OVERLAPS { option value=(seconds) { (text) } } }
                    }
                    button name="action" value="renew" { "Renew" }
                    button name="action" value="off" { "Turn off" }
                } @else {
                    button name="action" value="on" { "Turn on" }
                }
                button.danger name="action" value="delete" { "Delete" }
            }
        }
    }
}

/// What a form asks for.
pub enum TokenChange {
    /// A new token.
    Creation,
    /// A new secret.
    Renewal(RenewAccessToken),
    /// The end of a token.
    Deletion,
    /// Whether a token opens anything.
    Update(Result<UpdateAccessToken>),
}

/// What a form of the table asks for, or the form of a new token.
#[must_use]
pub fn change(fields: &Form) -> TokenChange {
    let active = |active| TokenChange::Update(Ok(UpdateAccessToken { active: Some(active), label: None }));
    match fields.text("action") {
        "" => TokenChange::Creation,
        "renew" => {
            let overlap_seconds = fields.text("overlap").parse().unwrap_or_default();
            TokenChange::Renewal(RenewAccessToken { overlap_seconds, expires_at: None })
        }
        "delete" => TokenChange::Deletion,
        "on" => active(true),
        "off" => active(false),
        _ => TokenChange::Update(invalid("There is no such action")),
    }
}

/// After how many days a token ends at last that is made now; nothing for one without an end.
fn most_days(ctx: &Context, machine: bool) -> Option<i64> {
    let most = ctx.config.access_token_age;
    let most = if machine { most } else { Some(most.unwrap_or(ends::PERSON).min(ends::PERSON)) };
    most.map(|seconds| seconds / DAY)
}

/// The form of a new token, of a user or of a service account, with what was typed.
#[must_use]
pub fn form(ctx: &Context, fields: &Form, machine: bool) -> Markup {
    let scopes = if fields.is_checked("scope") { fields.all("scope").collect() } else { vec!["repo:read"] };
    let most = most_days(ctx, machine);
    let fewer = DAYS.into_iter().filter(|days| most.is_none_or(|most| *days < most));
    let usual = if machine || most <= Some(90) { "" } else { "90" };
    let chosen = if fields.is_checked("days") { fields.text("days") } else { usual };
    html! {
        form.stack method="post" {
            label { "Name " input name="label" value=(fields.text("label")) maxlength="100" required; }
            fieldset {
                legend { "What it may do" }
                @for (scope, meaning) in SCOPES {
                    label.choice {
                        input type=(if scope == TokenScope::Roles { "checkbox" } else { "radio" }) name="scope"
                            value=(scope.as_str()) checked[scopes.contains(&scope.as_str())];
                        (meaning)
                    }
                }
                p.hint { "It can never do more than " @if machine { "the service account" } @else { "you" } "." }
            }
            label { "Only in these repositories " textarea name="repositories" aria-describedby="patterns" { (fields.lines("repositories")) } }
            p.hint id="patterns" {
                "One in each line; without any, it is for all repositories. " code { "acme/app" } " is one repository, "
                code { "acme/app-*" } " is every one whose name begins so, and " code { "acme/**" } " is all that is in acme."
            }
            label {
                "It ends "
                select name="days" {
                    @for days in fewer { (choice(&days.to_string(), chosen, &format!("after {days} days"))) }
                    (choice("", chosen, &most.map_or("never".into(), |most| format!("after {most} days"))))
                }
            }
            label { "Or at the end of this day (UTC) " input type="date" name="date" value=(fields.text("date")); }
            button { "Make the token" }
        }
    }
}

fn choice(value: &str, chosen: &str, text: &str) -> Markup {
    html! { option value=(value) selected[value == chosen] { (text) } }
}

/// Reads that form.
pub fn creation(ctx: &Context, fields: &Form) -> Result<CreateAccessToken> {
    let mut scopes = Vec::new();
    for text in fields.all("scope") {
        match SCOPES.iter().find(|(scope, _)| scope.as_str() == text) {
            Some((scope, _)) => scopes.push(*scope),
            None => return invalid("There is no such scope"),
        }
    }
    let lines = fields.exact("repositories").lines().map(str::trim).filter(|line| !line.is_empty());
    let resources = lines.map(|path| Resource { path: path.to_owned(), scopes: Vec::new() }).collect::<Vec<_>>();
    let end = match (fields.text("days"), fields.text("date")) {
        ("", "") => None,
        (days, "") => match days.parse::<u16>() {
            Ok(days) => Some(time::format_seconds(ctx.platform.now() + i64::from(days) * DAY)),
            Err(_) => return invalid("After how many days does it end?"),
        },
        (_, day) => Some(format!("{day}T23:59:59Z")),
    };
    Ok(CreateAccessToken {
        label: fields.required("label", "The name")?,
        scopes: Some(scopes),
        expires_at: end,
        resources: (!resources.is_empty()).then_some(resources),
    })
}

/// The secret of a token of this user, and how it is used.
#[must_use]
pub fn secret(ctx: &Context, user: &str, token: &IssuedAccessToken) -> Markup {
    let known = pages::registry_host(ctx);
    let host = known.unwrap_or("REGISTRY");
    let login = format!("docker login {host} --username {user}");
    let piped = format!("echo \"$REGISTRY_TOKEN\" | {login} --password-stdin");
    html! {
        p.notice role="status" { "Copy it now: it is shown this once." }
        (command(token.secret.reveal()))
        h2 { "Log in with docker" }
        (command(&login))
        p.hint { "Paste it as the password." }
        (pages::host_hint(known))
        h2 { "In a pipeline" }
        p.hint { "Keep it there as the secret REGISTRY_TOKEN, never in a file of the project." }
        @for (system, lines) in [
            ("GitHub Actions", format!("- uses: docker/login-action@v3\n  with:\n    registry: {host}\n    username: {user}\n    password: ${{{{ secrets.REGISTRY_TOKEN }}}}")),
            ("GitLab CI", format!("before_script:\n  - {piped}")),
            ("Jenkins", format!("withCredentials([string(credentialsId: 'REGISTRY_TOKEN', variable: 'REGISTRY_TOKEN')]) {{\n  sh '{piped}'\n}}")),
            ("Kubernetes", format!("kubectl create secret docker-registry registry --docker-server={host} \\\n  --docker-username={user} --docker-password=\"$REGISTRY_TOKEN\"")),
        ] {
            h3 { (system) }
            (parts::commands(&lines))
        }
    }
}
