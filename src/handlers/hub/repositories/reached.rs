//! A repository as it is reached by who asks: the first beats of every handler about one.

use serde_json::{Value, json};

use crate::{
    auth::{self, Credentials, Principal},
    domain::{
        RepositoryName, Role,
        texts::{self, Form},
        time,
    },
    index::Index,
    refusal::{Answer, Fault, forbidden, not_found},
    store::{
        Query, Right, Row, Rows, Statement, managed,
        repositories::{Repository, RepositoryLookup},
    },
    wire::{Reply, Request},
};

/// For a repository that is not there, or not for this user. Clients look for these words.
const ABSENT: &str = "repository not found";

/// Who asks, and what they asked for.
pub struct Reached {
    /// With what they came.
    pub credentials: Credentials,
    /// Who they are.
    pub principal: Principal,
    lookup: RepositoryLookup,
    row: Row,
    more: Rows,
}

impl Reached {
    /// Reads who asks, the repository, and the rows of one more statement, in one round trip.
    pub async fn by_anybody(
        index: &Index,
        request: &Request,
        name: &RepositoryName,
        more: Option<Statement>,
    ) -> Answer<Self> {
        let credentials = auth::optional_session(index, request)?;
        credentials.require_within_limit(index, request).await?;
        Self::read(index, credentials, name, more).await
    }

    /// The same for somebody who has a session.
    pub async fn with_session(
        index: &Index,
        request: &Request,
        name: &RepositoryName,
        more: Option<Statement>,
    ) -> Answer<Self> {
        let credentials = auth::session(index, request)?;
        Self::read(index, credentials, name, more).await
    }

    /// The same for what was presented.
    pub async fn read(
        index: &Index,
        credentials: Credentials,
        name: &RepositoryName,
        more: Option<Statement>,
    ) -> Answer<Self> {
        let lookup = Query::raw(managed::repository(name, &credentials.subject(index)));
        let (principal, (lookup, more)) = credentials.authenticate_with(index, (lookup, more.map(Query::raw))).await?;
        Ok(Self { more: more.unwrap_or_default(), ..Self::again(credentials, principal, lookup)? })
    }

    /// After a change, by the rows that the same statement gives then.
    pub fn again(credentials: Credentials, principal: Principal, mut rows: Rows) -> Result<Self, Fault> {
        let row = rows.pop().ok_or_else(|| Fault::broken("no row for a place"))?;
        Ok(Self { credentials, principal, lookup: RepositoryLookup::of(&row), row, more: Rows::new() })
    }

    /// The rows of the other statement.
    #[must_use]
    pub fn more(&self) -> &[Row] {
        &self.more
    }

    /// Whether the caller has given it a star.
    #[must_use]
    pub fn starred(&self) -> bool {
        self.row.flag("starred")
    }

    /// The repository, for somebody who may do this much with it.
    pub fn opened(&self, name: &RepositoryName, wanted: Role) -> Answer<&Repository> {
        let role = self.principal.effective_role(&self.lookup, name);
        let repository =
            self.lookup.repository.as_ref().filter(|repository| !repository.pending_deletion && role.is_some());
        let Some(repository) = repository else { return not_found(ABSENT) };
        if role < Some(wanted) {
            return forbidden(format!("Access denied: this takes the role {} in the repository", wanted.as_str()));
        }
        Ok(repository)
    }

    /// The same, with the right by which it is written.
    pub fn writable(&self, name: &RepositoryName, wanted: Role) -> Answer<(&Repository, Right)> {
        let repository = self.opened(name, wanted)?;
        Ok((repository, self.principal.right_to(&self.lookup, repository.id, name, wanted)))
    }

    /// The same, for somebody who may change who may do what with it.
    pub fn writable_roles(&self, name: &RepositoryName) -> Answer<(&Repository, Right)> {
        let writable = self.writable(name, Role::Admin)?;
        self.principal.require_roles(name)?;
        Ok(writable)
    }

    /// All that is told of the repository, as a reply.
    pub fn shown(&self, name: &RepositoryName, status: u16) -> Answer<Reply> {
        self.opened(name, Role::Read)?;
        let role = self.principal.effective_role(&self.lookup, name);
        let more = json!({
            "user": name.namespace,
            "is_automated": false,
            "collaborator_count": self.row.integer("collaborator_count"),
            "hub_user": null,
            "has_starred": self.starred(),
            "full_description": texts::shown(self.row.text("full_description"), Form::Page),
            "permissions": {
                "read": role >= Some(Role::Read),
                "write": role >= Some(Role::Write),
                "admin": role >= Some(Role::Admin),
            },
            "immutable_tags_settings": { "enabled": false, "rules": [] },
            "source": null,
        });
        let mut body = told(name, &self.lookup, &self.row);
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        Ok(Reply::json(status, &body).personal())
    }
}

/// What a list tells of a repository, in the Hub's words.
pub fn told(name: &RepositoryName, lookup: &RepositoryLookup, row: &Row) -> Value {
    let updated_at = time::print(row.integer("updated_at"));
    json!({
        "name": name.name,
        "namespace": name.namespace,
        "repository_type": "image",
        "status": 1,
        "status_description": "active",
        "description": texts::shown(row.text("description"), Form::Lines),
        "is_private": row.flag("private"),
        "star_count": row.integer("star_count"),
        "pull_count": row.integer("pull_count"),
        "last_updated": updated_at,
        "last_modified": updated_at,
        "date_registered": time::print(row.integer("created_at")),
        "affiliation": affiliation(lookup),
        "media_types": [],
        "content_types": if row.flag("tagged") { json!(["image"]) } else { json!([]) },
        "categories": [],
        "storage_size": null,
    })
}

/// What somebody is to a repository, beside what everybody is.
fn affiliation(lookup: &RepositoryLookup) -> Option<&'static str> {
    let relations = lookup.relations(false);
    if relations.owner {
        return Some("owner");
    }
    relations.member.map(|_| "member").or(relations.collaborator.map(|_| "collaborator"))
}
