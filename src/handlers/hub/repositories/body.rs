//! Repositories in the Hub's form.

use serde_json::{Value, json};

use crate::{
    auth::{Principal, RepositoryGuard},
    domain::{
        RepositoryName, Role,
        texts::{self, Form},
        time,
    },
    error::{Fault, Result},
    store::repositories::{RepositoryDetails, RepositoryLookup, Summary},
    wire::Response,
};

/// The details of a repository as a reply, for a principal who may read it.
pub fn details(principal: Principal, name: &RepositoryName, found: RepositoryDetails, status: u16) -> Result<Response> {
    let RepositoryDetails { lookup, details } = found;
    let affiliation = affiliation(&lookup);
    let guard = RepositoryGuard::new(principal, name, lookup);
    let (private, role) = (guard.require(Role::Read)?.private, guard.role());
    let details = details.ok_or_else(|| Fault::bug("no details of a repository that may be read"))?;
    let more = json!({
        "user": name.namespace,
        "is_automated": false,
        "collaborator_count": details.collaborator_count,
        "hub_user": null,
        "has_starred": details.has_starred,
        "full_description": texts::display(&details.full_description, Form::Page),
        "permissions": {
            "read": role >= Some(Role::Read),
            "write": role >= Some(Role::Write),
            "admin": role >= Some(Role::Admin),
        },
        "immutable_tags_settings": { "enabled": false, "rules": [] },
        "source": null,
    });
    let mut body = to_json(name, private, affiliation, &details.summary);
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Ok(Response::json(status, &body).no_store())
}

/// A repository as an item of a list.
pub fn summary(name: &RepositoryName, lookup: &RepositoryLookup, summary: &Summary) -> Value {
    let private = lookup.repository.as_ref().is_some_and(|repository| repository.private);
    to_json(name, private, affiliation(lookup), summary)
}

fn to_json(name: &RepositoryName, private: bool, affiliation: Option<&str>, summary: &Summary) -> Value {
    let updated_at = time::format_rfc3339(summary.updated_at);
    json!({
        "name": name.name,
        "namespace": name.namespace,
        "repository_type": "image",
        "status": 1,
        "status_description": "active",
        "description": texts::display(&summary.description, Form::Lines),
        "is_private": private,
        "star_count": summary.star_count,
        "pull_count": summary.pull_count,
        "last_updated": updated_at,
        "last_modified": updated_at,
        "date_registered": time::format_rfc3339(summary.created_at),
        "affiliation": affiliation,
        "media_types": [],
        "content_types": if summary.is_tagged { json!(["image"]) } else { json!([]) },
        "categories": [],
        "storage_size": null,
    })
}

/// The relation of the user to a repository, other than one that every user has.
fn affiliation(lookup: &RepositoryLookup) -> Option<&'static str> {
    let relations = lookup.relations(false);
    if relations.owner {
        return Some("owner");
    }
    relations.member.map(|_| "member").or(relations.collaborator.map(|_| "collaborator"))
}
