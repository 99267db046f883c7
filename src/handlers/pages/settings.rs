//! The page of the user's own account: addresses, password, deletion. Each of its forms takes the password.

use maud::{Markup, html};

use crate::{
    auth::{Credentials, PasswordSession, browser},
    context::Context,
    domain::{Secret, texts},
    error::{Result, invalid},
    handlers::pages::{self, beside_form},
    operations::{
        emails::{self, AccountEmail, AddEmail},
        leaving::{self, DeleteAccount},
        password::{self, ChangePassword},
    },
    wire::{
        Form, Request, Response,
        html::{plural, time},
    },
};

const PATH: &str = "/settings";

/// `GET /settings`
pub async fn page(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    render(ctx, credentials, 200, &Form::of_query(request), None).await
}

async fn render(
    ctx: &Context,
    credentials: &Credentials,
    status: u16,
    fields: &Form,
    error: Option<&str>,
) -> Result<Response> {
    let (principal, addresses) = emails::list(ctx, &PasswordSession::new(credentials)).await?;
    let frame = pages::settings_page(ctx, &principal, "Your account", (PATH, fields, error));
    // What was refused, and never what a link has: it would type a confirmation.
    let none = Form::default();
    let typed = if error.is_some() { fields } else { &none };
    let text = |name: &str| typed.text(name);
    Ok(frame.response(
        status,
        &html! {
            dl.facts { dt { "User name" } dd { (principal.name()) } }
            form.stack method="post" action=(PATH) {
                h2 { "E-mail" }
                @if ctx.platform.can_send_mail() {
                    p { "With an address you come back in when you forget your password, and what happens to your account is mailed to the primary one." }
                }
                (table(&addresses, text("email")))
                label { "Another address " input type="email" name="new" value=(text("new")) maxlength="254" autocomplete="email"; }
                (password_field("Your password", "password", "current-password"))
                button name="action" value="add" { "Add the address" } " "
                button name="action" value="primary" { "Make the chosen one primary" } " "
                button.danger name="action" value="remove" { "Remove the chosen one" }
            }
            form.stack method="post" action=(PATH) {
                h2 { "Password" }
                p { "A new one signs you out everywhere, and ends the logins that docker keeps. Access tokens stay." }
                (password_field("Your password", "password", "current-password"))
                (password_field("New password", "new_password", "new-password"))
                (password_field("New password again", "repeated_password", "new-password"))
                button name="action" value="password" { "Change the password" }
            }
            form.stack method="post" action=(PATH) {
                h2 { "Delete the account" }
                p { "For ever: the name does not come back. Your access tokens end with it." }
                label { "Your user name " input name="name" value=(text("name")) maxlength="64" required autocomplete="off" autocapitalize="none"; }
                label.choice { input type="checkbox" name="repositories" checked[typed.is_checked("repositories")]; "Delete my repositories, too" }
                (password_field("Your password", "password", "current-password"))
                button.danger name="action" value="delete" { "Delete the account" }
            }
        },
    ))
}

fn password_field(text: &str, name: &str, autocomplete: &str) -> Markup {
    html! { label { (text) " " input type="password" name=(name) maxlength="1024" autocomplete=(autocomplete) required; } }
}

fn table(addresses: &[AccountEmail], chosen: &str) -> Markup {
    html! {
        table {
            caption { (plural(addresses.len(), "address", "addresses")) }
            thead { tr { th scope="col" { "Address" } th scope="col" { "Added" } } }
            tbody {
                @for AccountEmail { address, primary } in addresses {
                    tr {
                        td {
                            label.choice {
                                input type="radio" name="email" value=(address.address) checked[address.address == chosen];
                                (texts::line(&address.address))
                                @if *primary { " " span.badge { "primary" } }
                                @if address.confirmed_at.is_none() { " " span.badge { "not confirmed" } }
                            }
                        }
                        td { (time(address.created_at)) }
                    }
                }
            }
        }
    }
}

/// What follows a change.
enum Next {
    /// This page, with this word.
    Done(&'static str),
    /// Signing in: the session has ended.
    SignIn,
}

/// `POST /settings`
pub async fn change(ctx: &Context, request: &Request, credentials: &Credentials) -> Result<Response> {
    let fields = Form::read(request)?;
    match beside_form(act(ctx, request, credentials, &fields).await)? {
        Ok(Next::Done(word)) => Ok(Response::see_other(&format!("{PATH}?done={word}"))),
        Ok(Next::SignIn) => Ok(Response::see_other("/sign-in").with("Set-Cookie", browser::removed(ctx, request))),
        Err((status, reason)) => render(ctx, credentials, status, &fields, Some(&reason)).await,
    }
}

async fn act(ctx: &Context, request: &Request, credentials: &Credentials, fields: &Form) -> Result<Next> {
    let session = PasswordSession::new(credentials);
    let secret = |name: &str| Secret::new(fields.exact(name).to_owned());
    let password = secret("password");
    let chosen = || fields.required("email", "The address");
    match fields.text("action") {
        "add" => {
            let wanted = fields.required("new", "The address").map(|email| AddEmail { email, password });
            emails::add(ctx, request, &session, wanted).await?;
            return Ok(Next::Done("added"));
        }
        "primary" => {
            emails::choose(ctx, request, &session, &chosen()?, Ok(password)).await?;
        }
        "remove" => emails::remove(ctx, request, &session, &chosen()?, Ok(password)).await?,
        "password" => {
            let (new, again) = (secret("new_password"), secret("repeated_password"));
            let wanted = if new == again {
                Ok(ChangePassword { new, current: password })
            } else {
                invalid("The new password was typed in two ways")
            };
            password::change(ctx, request, &session, wanted).await?;
            return Ok(Next::SignIn);
        }
        "delete" => {
            let name = fields.required("name", "Your user name").map(Some);
            let repositories = fields.is_checked("repositories");
            let wanted = name.map(|name| DeleteAccount { name, repositories, password });
            leaving::leave(ctx, request, &session, wanted).await?;
            return Ok(Next::SignIn);
        }
        _ => return invalid("There is no such action"),
    }
    Ok(Next::Done("saved"))
}
