//! Pages: the frame that surrounds each, and the parts that several have. What is put into a page is escaped by its type.

use std::{fmt::Display, sync::LazyLock};

use maud::{DOCTYPE, Markup, html};

use crate::{
    domain::{secret::sha256_hex, texts, time},
    wire::{Request, Response, request},
};

/// What a browser may load on a page, and where a form may go: this site alone. Nothing is inline.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The field of a form in which the password is typed again.
pub const PASSWORD_FIELD: &str = "confirm_password";

/// Hexadecimal digits of a hash in the name of a file.
const HASH_DIGITS: usize = 12;

/// A file that browsers keep, since its name has the hash of what is in it.
pub struct Asset {
    /// Its name below `/static/`.
    pub name: String,
    /// Its Content-Type.
    pub media_type: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl Asset {
    fn new(name: &str, extension: &str, media_type: &'static str, text: &'static str) -> Self {
        let hash = sha256_hex(text);
        let digits = hash.get(..HASH_DIGITS).unwrap_or(&hash);
        Self { name: format!("{name}-{digits}.{extension}"), media_type, text }
    }

    fn path(&self) -> String {
        format!("/static/{}", self.name)
    }
}

/// The style sheet of all pages.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("pages", "css", "text/css; charset=utf-8", include_str!("static/pages.css")));

/// The script of all pages.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("pages", "js", "text/javascript; charset=utf-8", include_str!("static/pages.js")));

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is to be read.
    pub text: String,
    /// Where it leads.
    pub path: String,
}

impl Link {
    /// A link with this text.
    pub fn new(text: impl Into<String>, path: impl Into<String>) -> Self {
        Self { text: text.into(), path: path.into() }
    }
}

/// What surrounds the content of a page.
#[derive(Debug, Clone, Default)]
pub struct Page<'a> {
    /// `SITE_NAME`.
    pub site: &'a str,
    /// Of this page alone: the heading, too.
    pub title: &'a str,
    /// The user who is signed in.
    pub user: Option<&'a str>,
    /// Whether that is an administrator of the whole index.
    pub administrator: bool,
    /// Whether there is something to search.
    pub searchable: bool,
    /// What was searched.
    pub query: &'a str,
    /// The pages above this one.
    pub crumbs: Vec<Link>,
    /// The pages beside this one, and the path of this one.
    pub tabs: (Vec<Link>, &'a str),
    /// What the administrators have to say.
    pub notice: Option<&'a str>,
    /// What has just been done; not where something was wrong: the path of a form may have it from an earlier one.
    pub done: Option<&'a str>,
    /// What was wrong with the form that was sent.
    pub error: Option<&'a str>,
}

impl Page<'_> {
    /// The response with this content.
    #[must_use]
    pub fn response(&self, status: u16, content: &Markup) -> Response {
        Response::html(status, self.render(content)).no_store()
    }

    /// What turns the direction of a text, or is a control character, is left out of all of it.
    fn render(&self, content: &Markup) -> String {
        let titled =
            if self.title == self.site { self.site.to_owned() } else { format!("{} · {}", self.title, self.site) };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (titled) }
                    link rel="stylesheet" href=(STYLE.path());
                    script src=(SCRIPT.path()) defer {}
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    (self.header())
                    @if let Some(notice) = self.notice { p.notice role="note" { (notice) } }
                    main id="main" {
                        @if !self.crumbs.is_empty() {
                            nav.crumbs aria-label="Breadcrumb" {
                                ol { @for crumb in &self.crumbs { li { a href=(crumb.path) { (crumb.text) } } } }
                            }
                        }
                        h1 { (self.title) }
                        @if !self.tabs.0.is_empty() {
                            nav.tabs aria-label="Sections" {
                                @for tab in &self.tabs.0 {
                                    a href=(tab.path) aria-current=[(tab.path == self.tabs.1).then_some("page")] { (tab.text) }
                                }
                            }
                        }
                        @if let (Some(done), None) = (self.done, self.error) { p.notice role="status" { (done) } }
                        @if let Some(error) = self.error { p.error role="alert" { (error) } }
                        (content)
                    }
                }
            }
        };
        texts::display(&page.into_string(), texts::Form::Page)
    }

    fn header(&self) -> Markup {
        html! {
            header {
                a.home href="/" { (self.site) }
                @if self.searchable { (search_form(self.query, false)) }
                @if let Some(user) = self.user {
                    nav aria-label="Account" {
                        @if self.administrator { a href="/admin" { "Administration" } }
                        a href="/settings/tokens" { "Tokens" }
                        a href="/settings" { (user) }
                        form method="post" action="/sign-out" { button { "Sign out" } }
                    }
                } @else if self.searchable {
                    nav aria-label="Account" { a href="/sign-in" { "Sign in" } }
                }
            }
        }
    }
}

/// The form that searches; with the cursor in it on the first page.
#[must_use]
pub fn search_form(query: &str, focused: bool) -> Markup {
    html! {
        form role="search" action="/search" {
            input type="search" name="q" value=(query) aria-label="Search repositories" placeholder="Search repositories"
                maxlength="255" autofocus[focused];
            button { "Search" }
        }
    }
}

/// A page with one message.
#[must_use]
pub fn message(site: &str, title: &str, text: &str) -> String {
    Page { site, title, ..Page::default() }.render(&html! { p { (text) } })
}

/// The page of a form that takes the password again: it sends the fields of the form once more, with the password.
#[must_use]
pub fn reauthenticate(site: &str, request: &Request, error: Option<&str>) -> String {
    let body = request.body.as_deref().unwrap_or_default();
    let fields = request::form(body).filter(|(name, _)| name != PASSWORD_FIELD).collect::<Vec<_>>();
    Page { site, title: "Type your password again", error, ..Page::default() }.render(&html! {
        p { "What you asked for needs your password, which was typed more than ten minutes ago." }
        form.stack method="post" {
            @for (name, value) in &fields { input type="hidden" name=(name) value=(value); }
            label { "Password " input type="password" name=(PASSWORD_FIELD) maxlength="1024" autocomplete="current-password" required autofocus; }
            button { "Continue" }
        }
    })
}

/// A command to copy.
#[must_use]
pub fn command(text: &str) -> Markup {
    html! {
        div.command { code { (text) } button type="button" data-copy hidden { "Copy" } }
    }
}

/// Several lines to copy.
#[must_use]
pub fn commands(text: &str) -> Markup {
    html! {
        div.command { pre { code { (text) } } button type="button" data-copy hidden { "Copy" } }
    }
}

/// A time, in seconds since 1970.
#[must_use]
pub fn time(seconds: i64) -> Markup {
    let exact = time::format_seconds(seconds);
    let readable = exact.get(..16).unwrap_or(&exact).replace('T', " ");
    html! { time datetime=(exact) { (readable) } }
}

/// A time in seconds since 1970, if there is one.
#[must_use]
pub fn optional_time(seconds: Option<i64>) -> Markup {
    seconds.map_or_else(|| html! { "never" }, time)
}

/// A number of bytes, in the largest unit of which there is one, on one line.
#[must_use]
pub fn size(bytes: i64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let unit = units.into_iter().find(|(_, of)| bytes >= *of);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(name, of)| format!("{}.{}\u{a0}{name}", bytes / of, bytes % of * 10 / of),
    )
}

/// The links to the page before and the page after: of a list of `count` items at `path`, which ends with `?` or `&`.
#[must_use]
pub fn pager(path: &str, page: i64, page_size: i64, count: i64) -> Markup {
    let last = (count + page_size - 1) / page_size.max(1);
    html! {
        @if last > 1 {
            nav.pages aria-label="Pages" {
                @if page > 1 { a rel="prev" href=(format!("{path}page={}", page - 1)) { "Previous" } }
                span { (format!("Page {page} of {last}")) }
                @if page < last { a rel="next" href=(format!("{path}page={}", page + 1)) { "Next" } }
            }
        }
    }
}

/// The links to the page before and the page after: of a list at `path`, which ends with `?` or `&`, of which it is known
/// whether there is `more`.
#[must_use]
pub fn neighbours(path: &str, page: i64, more: bool) -> Markup {
    let count = if more { page + 1 } else { page };
    html! {
        @if count > 1 {
            nav.pages aria-label="Pages" {
                @if page > 1 { a rel="prev" href=(format!("{path}page={}", page - 1)) { "Previous" } }
                span { (format!("Page {page}")) }
                @if more { a rel="next" href=(format!("{path}page={}", page + 1)) { "Next" } }
            }
        }
    }
}

/// A text for a path or a query, percent-encoded but for its slashes.
#[must_use]
pub fn encoded(text: &str) -> String {
    request::encoded(text, "/")
}

/// A number of things: `1 tag`, `2 tags`.
#[must_use]
pub fn plural(count: impl Display, one: &str, many: &str) -> String {
    let count = count.to_string();
    let things = if count == "1" { one } else { many };
    format!("{count} {things}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0\u{a0}kB"),
            (1_999, "1.9\u{a0}kB"),
            (12_345_678, "12.3\u{a0}MB"),
            (2_000_000_000, "2.0\u{a0}GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn text_of_a_query_is_encoded() {
        assert_eq!(encoded("/r/a?b=ü &"), "/r/a%3Fb%3D%C3%BC%20%26");
    }

    #[test]
    fn one_thing_is_one() {
        let tags = |count: i64| plural(count, "tag", "tags");
        assert_eq!([tags(0), tags(1), tags(2)], ["0 tags", "1 tag", "2 tags"]);
    }

    #[test]
    fn pages_are_counted() {
        let text = |page, count| pager("/x?", page, 10, count).into_string();
        assert_eq!(text(1, 10), "");
        assert!(text(1, 11).contains("/x?page=2") && !text(1, 11).contains("Previous"));
        assert!(text(2, 11).contains("/x?page=1") && text(2, 11).contains("Page 2 of 2"));
    }
}
