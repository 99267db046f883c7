//! The page of a tag.

use maud::html;

use crate::{
    auth::{Credentials, RepositoryGuard},
    context::Context,
    domain::{RepositoryName, Role, texts},
    error::{Result, not_found},
    handlers::pages::{self, component},
    store::tags,
    wire::{
        Request, Response,
        html::{Link, command, encoded, optional_time, plural, size, time},
    },
};

/// `GET /r/{repository}/-/tags/{tag}`
pub async fn page(
    ctx: &Context,
    request: &Request,
    credentials: &Credentials,
    name: &RepositoryName,
    tag: &str,
) -> Result<Response> {
    credentials.require_anonymous_limit(ctx, request).await?;
    let tag = component(tag);
    let subject = credentials.subject(ctx);
    let read = (tags::find_with_credential(name, &subject, &tag), tags::sharing(name, &subject, &tag));
    let (guard, (found, sharing)) = RepositoryGuard::authenticate_with(ctx, credentials, name, read).await?;
    guard.require(Role::Read)?;
    let Some(found) = found else { return not_found("tag not found") };
    let (title, path) = (format!("{name}:{tag}"), pages::repository_path(name));
    let mut frame = pages::page(ctx, &guard.principal, &title);
    frame.crumbs = vec![pages::namespace_crumb(&name.namespace), Link::new(name.to_string(), path.clone())];
    let images = found.images()?;
    let host = pages::registry_host(ctx);
    Ok(frame.response(
        200,
        &html! {
            @if found.deletion.is_some() { p.notice { "Its deletion waits for the tool beside the registry." } }
            (pages::pull_lines(host, name, &format!(":{tag}")))
            section {
                h2 { "This image alone" }
                (command(&format!("docker pull {}/{name}@{}", host.unwrap_or("REGISTRY"), found.digest)))
            }
            dl.facts {
                dt { "Digest" } dd { code { (found.digest) } }
                dt { "Type" } dd { (texts::line(&found.media_type)) }
                dt { "Pushed" } dd { (time(found.pushed_at / 1_000)) @if !found.pushed_by.is_empty() { " by " (pages::pusher(&found, &guard)?) } @if found.is_imported { " (found by the tool beside the registry)" } }
                @if let Some(created) = found.created_at { dt { "Made" } dd { (time(created / 1_000)) } }
                dt { "Pulled" } dd { (optional_time(found.pulled_at)) }
                @if sharing.len() > 1 {
                    dt { "Tags of this digest" }
                    dd {
                        @for (at, other) in sharing.iter().enumerate() {
                            @if at > 0 { ", " }
                            a href=(format!("{path}/-/tags/{}", encoded(other))) { (other) }
                        }
                    }
                }
            }
            section {
                h2 { "Images" }
                table {
                    caption { (plural(images.len(), "image", "images")) }
                    thead { tr { th scope="col" { "Platform" } th scope="col" { "Digest" } th scope="col" { "Size" } } }
                    tbody {
                        @for image in &images {
                            @let platform = image.platform();
                            tr {
                                th scope="row" { @if platform.is_empty() { "unknown" } @else { (platform) } }
                                td { code { (image.digest) } }
                                td { @if let Some(bytes) = image.size { (size(bytes)) } }
                            }
                        }
                    }
                }
            }
        },
    ))
}
