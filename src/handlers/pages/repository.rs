//! The page of a repository: what it is, how it is pulled, and its tags, of which marked ones are deleted.

use maud::{Markup, PreEscaped, html};

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{
        RepositoryName, Role, manifests,
        texts::{self, Form as TextForm},
        versions,
    },
    error::{Fault, Result},
    handlers::pages,
    operations::tags::{self as operation, DeletedTags},
    store::{
        deletions, repositories,
        tags::{self, Tag},
    },
    wire::{
        Form, Request, Response,
        html::{encoded, optional_time, pager, plural, size, time},
        markdown,
    },
};

/// The tag that docker pulls where none is named.
const LATEST: &str = "latest";

/// The most tags that are read to be put into the order of versions.
const MAX_SORTED: i64 = 1_000;

/// How tags are ordered, as the query and as the page names it.
const ORDERS: [(&str, &str); 3] = [("pushed", "newest first"), ("name", "by name"), ("version", "by version")];

/// `GET /r/{repository}?name=&order=&page=`
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    show(ctx, request, credentials, name, &Shown { status: 200, ..Shown::default() }).await
}

/// `POST /r/{repository}/-/tags`
///
/// The names of the marked tags; what is refused stands above the list, where the marks stay.
pub async fn delete_tags(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
) -> Result<Response> {
    let fields = Form::read(request)?;
    let marked = fields.all("tag").collect::<Vec<_>>();
    match pages::beside_its_form(operation::delete(ctx, request, credentials, name, &marked).await)? {
        Ok(DeletedTags { requested, forgotten }) => {
            let done = match (requested, forgotten) {
                (_, 0) => "tags-pending",
                (0, _) => "tags-forgotten",
                _ => "tags-both",
            };
            Ok(Response::see_other(&format!("{}?done={done}", pages::repository_path(name))))
        }
        Err((status, reason)) => {
            let shown = Shown { status, error: Some(&reason), marked: &marked };
            show(ctx, request, &pages::again(ctx, request)?, name, &shown).await
        }
    }
}

/// What the page shows beside the repository.
#[derive(Default)]
struct Shown<'a> {
    status: u16,
    error: Option<&'a str>,
    /// The tags that are marked.
    marked: &'a [&'a str],
}

async fn show(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    shown: &Shown<'_>,
) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let (query, number) = (Form::of_query(request), pages::page_number(request));
    let part = query.text("name");
    let order = ORDERS.iter().map(|(order, _)| *order).find(|order| *order == query.text("order")).unwrap_or("pushed");
    let offset = (number - 1) * pages::PAGE_SIZE;
    let subject = credentials.subject(ctx);
    let bounds = if order == "version" { (MAX_SORTED, 0) } else { (pages::PAGE_SIZE, offset) };
    let list = tags::list_with_credentials(name, &subject, part, order == "name", bounds);
    // Only who may delete reads what becomes of it.
    let tools = (*credentials != Credentials::Anonymous).then(|| deletions::present(ctx.platform.now()));
    let read = (repositories::details(name, &subject), list, tools);
    let (principal, (found, mut list, tools)) = credentials.authenticate_with(ctx, read).await?;
    let guard = RepositoryGuard::new(principal, name, found.lookup);
    let private = guard.require(Role::Read)?.private;
    let details = found.details.ok_or_else(|| Fault::bug("no details of a repository that may be read"))?;
    if order == "version" {
        let (from, most) = (usize::try_from(offset), usize::try_from(pages::PAGE_SIZE));
        let order = newest_versions(&list.items).into_iter().skip(from.unwrap_or(usize::MAX));
        list.items = order.take(most.unwrap_or_default()).filter_map(|at| list.items.get(at).cloned()).collect();
    }
    let (title, path) = (name.to_string(), pages::repository_path(name));
    let mut frame = pages::page(ctx, &guard.principal, &title);
    frame.crumbs = vec![pages::namespace_crumb(&name.namespace)];
    frame.done = pages::done(&query);
    frame.error = shown.error;
    let tabs = pages::repository_tabs(name, guard.role());
    if tabs.len() > 1 {
        frame.tabs = (tabs, &path);
    }
    let listed = Tags {
        name,
        list: &list.items,
        count: list.head.count,
        part,
        order,
        number,
        marked: (guard.role() >= Some(Role::Admin)).then_some(shown.marked),
        has_tool: tools.is_some_and(|tools| !tools.is_empty()),
        guard: &guard,
    };
    let names = || list.items.iter().map(|tag| tag.name.as_str());
    let reference = names().find(|name| *name == LATEST).or_else(|| names().next()).unwrap_or(LATEST);
    let full = texts::display(&details.full_description, TextForm::Page);
    Ok(frame.response(
        shown.status,
        &html! {
            p {
                span.badge { @if private { "private" } @else { "public" } }
                @if !details.summary.description.is_empty() { " " (texts::line(&details.summary.description)) }
            }
            (pages::pull_lines(pages::registry_host(ctx), name, &format!(":{reference}")))
            (listed.render()?)
            @if !full.trim().is_empty() { section { h2 { "About" } article.markdown { (PreEscaped(markdown::html(&full))) } } }
        },
    ))
}

/// The places of tags in the order of their versions, the newest first. A sort of the standard library is 3 KB of the
/// worker.
fn newest_versions(tags: &[Tag]) -> Vec<usize> {
    let mut order = Vec::with_capacity(tags.len());
    for (at, tag) in tags.iter().enumerate() {
        let is_newer =
            |other: &usize| tags.get(*other).is_some_and(|other| versions::compare(&other.name, &tag.name).is_gt());
        order.insert(order.partition_point(is_newer), at);
    }
    order
}

/// A page of the list of tags.
struct Tags<'a> {
    name: &'a RepositoryName,
    list: &'a [Tag],
    count: i64,
    part: &'a str,
    order: &'a str,
    number: i64,
    /// For who may delete them.
    marked: Option<&'a [&'a str]>,
    /// Whether a tool beside a registry deletes there what is deleted here.
    has_tool: bool,
    /// Who sees them.
    guard: &'a RepositoryGuard<'a>,
}

impl Tags<'_> {
    fn render(&self) -> Result<Markup, Fault> {
        let rows = self.list.iter().map(|tag| self.row(tag)).collect::<Result<Vec<_>, _>>()?;
        let path = pages::repository_path(self.name);
        let base = format!("{path}?name={}&order={}&", encoded(self.part), self.order);
        Ok(html! {
            section {
                h2 { "Tags" }
                form.filter {
                    label { "Name contains " input name="name" value=(self.part) maxlength="128"; }
                    label {
                        "Order "
                        select name="order" {
                            @for (order, text) in ORDERS { option value=(order) selected[order == self.order] { (text) } }
                        }
                    }
                    button { "Show" }
                }
                @if self.order == "version" && self.count > MAX_SORTED { p.hint { "The newest " (MAX_SORTED) " tags are put in order." } }
                form method="post" action=(format!("{path}/-/tags")) {
                    table {
                        caption { (plural(self.count, "tag", "tags")) }
                        thead {
                            tr {
                                @if self.marked.is_some() { th scope="col" { "Delete" } }
                                th scope="col" { "Tag" } th scope="col" { "Digest" } th scope="col" { "Platforms" } th scope="col" { "Size" }
                                th scope="col" { "Pushed" } th scope="col" { "Pulled" }
                            }
                        }
                        tbody { @for row in &rows { (row) } }
                    }
                    @if self.marked.is_some() && !self.list.is_empty() {
                        p { button.danger { "Delete the marked tags" } }
                        p.hint {
                            @if self.has_tool { "The tool beside the registry deletes them there at its next run." }
                            @else { "There is no tool beside the registry: they are forgotten here, and the registry keeps them." }
                        }
                    }
                }
                (pager(&base, self.number, pages::PAGE_SIZE, self.count))
            }
        })
    }

    fn row(&self, tag: &Tag) -> Result<Markup, Fault> {
        let same = self.list.iter().filter(|other| other.digest == tag.digest && other.name != tag.name);
        let same = same.map(|other| other.name.as_str()).take(3).collect::<Vec<_>>().join(", ");
        let images = tag.images()?;
        let total = images.iter().filter_map(|image| image.size).max();
        Ok(html! {
            tr {
                @if let Some(marked) = self.marked {
                    td { input type="checkbox" name="tag" value=(tag.name) aria-label=(format!("Delete {}", tag.name)) checked[marked.contains(&tag.name.as_str())]; }
                }
                th scope="row" {
                    a href=(format!("{}/-/tags/{}", pages::repository_path(self.name), encoded(&tag.name))) { (tag.name) }
                    @if let Some(kind) = manifests::companion(&tag.name) { " " span.badge { (kind) } }
                    @if tag.deletion.is_some() { " " span.badge { "pending deletion" } }
                    @if !same.is_empty() { br; small { "same as " (same) } }
                }
                td { code title=(tag.digest) { (short(&tag.digest)) } }
                td { @for image in &images { (image.platform()) " " } }
                td { @if let Some(bytes) = total { (size(bytes)) } }
                td { (time(tag.pushed_at / 1_000)) @if !tag.pushed_by.is_empty() { br; small { (pages::pusher(tag, self.guard)?) } } }
                td { (optional_time(tag.pulled_at)) }
            }
        })
    }
}

/// The beginning of a digest; the whole is its title.
fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}
