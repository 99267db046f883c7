//! The page on which a user makes an account, where registration is open.

use maud::html;

use crate::{
    context::Context,
    domain::Secret,
    error::Result,
    handlers::pages::beside_form,
    operations::registration::{self, Register},
    wire::{Form, Request, Response, html::Page},
};

/// `GET /register`
#[must_use]
pub fn page(ctx: &Context) -> Response {
    form(ctx, 200, &Form::default(), None)
}

fn form(ctx: &Context, status: u16, typed: &Form, error: Option<&str>) -> Response {
    let (site, least) = (ctx.config.site_name.as_str(), ctx.config.password_length);
    let next = if ctx.platform.can_send_mail() {
        "A link is mailed to your address. Open it before you sign in for the first time."
    } else {
        "You can sign in at once."
    };
    let frame = Page { site, title: "Register", error, ..Page::default() };
    frame.response(
        status,
        &html! {
            p { (next) }
            form.stack method="post" {
                label {
                    "User name "
                    input name="username" value=(typed.text("username")) autocomplete="username" autocapitalize="none" maxlength="30"
                        required autofocus aria-describedby="letters";
                }
                p.hint id="letters" { "4 to 30 small letters, digits and _. Your images are below this name, and it cannot be changed." }
                label { "E-mail " input type="email" name="email" value=(typed.text("email")) autocomplete="email" maxlength="254" required; }
                label {
                    "Password, of " (least) " or more characters "
                    input type="password" name="password" autocomplete="new-password" minlength=(least) maxlength="1024" required;
                }
                button { "Register" }
            }
            p { "Do you have an account? " a href="/sign-in" { "Sign in" } }
        },
    )
}

/// `POST /register`
pub async fn register(ctx: &Context, request: &Request) -> Result<Response> {
    let typed = Form::read(request)?;
    let wanted = Register {
        name: typed.text("username").to_owned(),
        email: typed.text("email").to_owned(),
        password: typed.optional("password").map(Secret::new),
    };
    match beside_form(registration::register(ctx, request, Ok(wanted)).await)? {
        Ok(true) => Ok(Response::see_other("/sign-in?done=mailed")),
        Ok(false) => Ok(Response::see_other("/sign-in?done=registered")),
        Err((status, reason)) => Ok(form(ctx, status, &typed, Some(&reason))),
    }
}
