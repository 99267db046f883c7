//! Repositories in the Hub's form.

use serde_json::{Value, json};

use crate::{
    domain::{
        RepositoryName, Role,
        access::Relations,
        texts::{self, Form},
        time,
    },
    operations::repositories::{ListedRepository, ReadableRepository},
    store::repositories::Summary,
    wire::Response,
};

/// The details of a repository as a reply.
pub fn reply(repository: &ReadableRepository, status: u16) -> Response {
    let ReadableRepository { name, private, role, relations, details, .. } = repository;
    let more = json!({
        "user": name.namespace,
        "is_automated": false,
        "collaborator_count": details.collaborator_count,
        "hub_user": null,
        "has_starred": details.has_starred,
        "full_description": texts::display(&details.full_description, Form::Page),
        "permissions": {
            "read": *role >= Role::Read,
            "write": *role >= Role::Write,
            "admin": *role >= Role::Admin,
        },
        "immutable_tags_settings": { "enabled": false, "rules": [] },
        "source": null,
    });
    let mut body = to_json(name, *private, *relations, &details.summary);
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Response::json(status, &body).no_store()
}

/// A repository as an item of a list.
pub fn summary(repository: &ListedRepository) -> Value {
    to_json(&repository.name, repository.private, repository.relations, &repository.summary)
}

fn to_json(name: &RepositoryName, private: bool, relations: Relations, summary: &Summary) -> Value {
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
        "affiliation": affiliation(relations),
        "media_types": [],
        "content_types": if summary.is_tagged { json!(["image"]) } else { json!([]) },
        "categories": [],
        "storage_size": null,
    })
}

/// The relation of the user to a repository, other than one that every user has.
fn affiliation(relations: Relations) -> Option<&'static str> {
    if relations.owner {
        return Some("owner");
    }
    relations.member.map(|_| "member").or(relations.collaborator.map(|_| "collaborator"))
}
