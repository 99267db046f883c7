//! Pages for a person: one plain frame, no script but the one that reads a link's secret.

/// Takes the secret out of the fragment, which no server and no log has seen, into the form, and
/// out of the address bar.
const SCRIPT: &str = "const field=document.querySelector('input[name=secret]');\
if(field){field.value=location.hash.slice(1);history.replaceState(null,'',location.pathname)}";

/// What a browser may load on a page: its own style and the one script above.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-STYLE'; script-src 'sha256-SCRIPT'; \
form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}\
input,button{font:inherit;padding:.5rem .8rem;margin:.3rem 0;box-sizing:border-box}input{width:100%}";

/// The policy with the hashes of the texts that it allows.
#[must_use]
pub fn policy() -> String {
    POLICY.replace("STYLE", &hash(STYLE)).replace("SCRIPT", &hash(SCRIPT))
}

fn hash(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    STANDARD.encode(Sha256::digest(text))
}

/// The page at the address of the index itself.
#[must_use]
pub fn front(version: &str) -> String {
    frame(
        "hublet",
        &format!(
            "<p>A Docker Hub index: accounts, permissions, tokens and search for a registry. Version {}.</p>\
             <p>The API is described in <a href=\"/openapi.json\">/openapi.json</a>; the manual is in the folder docs/ of \
             the repository.</p>",
            escaped(version)
        ),
    )
}

/// A page with one message.
#[must_use]
pub fn message(title: &str, text: &str) -> String {
    frame(title, &format!("<p>{}</p>", escaped(text)))
}

/// A page with a form that posts the secret of a link to the page's own address. What follows a
/// link by itself (a scanner of mail) posts nothing.
#[must_use]
pub fn form(title: &str, text: &str, fields: &str, button: &str) -> String {
    frame(
        title,
        &format!(
            "<p>{}</p><form method=\"post\"><input type=\"hidden\" name=\"secret\">{fields}\
             <button>{}</button></form><script>{SCRIPT}</script>",
            escaped(text),
            escaped(button)
        ),
    )
}

/// The field for a new password, with its minimum length.
#[must_use]
pub fn password(least: usize) -> String {
    format!(
        "<label>New password <input type=\"password\" name=\"password\" minlength=\"{least}\" \
         maxlength=\"1024\" autocomplete=\"new-password\" required></label>"
    )
}

/// The field for an e-mail address.
pub const EMAIL: &str = "<label>E-mail <input type=\"email\" name=\"email\" maxlength=\"254\" \
autocomplete=\"email\" required></label>";

fn frame(title: &str, content: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>{content}</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
