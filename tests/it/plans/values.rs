//! What the functions of the store are given, as requests bring it.

use hublet::{
    domain::{
        NamespaceId, RepositoryName, Role,
        credential::CredentialId,
        manifests::{Configuration, Content, Image},
        notifications::{Action, Event, Named},
        registry_token::AuthMethod,
    },
    store::{
        Over, Right, Statement, access_tokens, audit::AuditContext, members, reconcilers::Reconciler, refresh_tokens,
        repositories, rights, tags, token_details, users,
    },
};

use serde_json::json;

use super::fill::BEGINNING;

pub fn digests(status: &str) -> tags::Digests<'_> {
    tags::Digests { status, active_from: BEGINNING * 1000, ordering: "-last_activity", limit: 10, offset: 0 }
}

pub fn machine() -> token_details::TokenOwner<'static> {
    token_details::TokenOwner::Machine("user5", "machine5")
}

pub fn by(now: i64) -> AuditContext {
    let credential = CredentialId::AccessToken { user: 5.into(), token: 5.into() };
    AuditContext { actor: "user5".into(), credential, address: "::1".into(), now, millis: now * 1000 }
}

/// By a password and by an access token, over everything that there is.
pub fn guards(now: i64) -> Vec<Statement> {
    let (password, token) = (
        CredentialId::Password { user: 5.into(), epoch: 1 },
        CredentialId::AccessToken { user: 5.into(), token: 5.into() },
    );
    let administrator = CredentialId::Password { user: 4.into(), epoch: 1 };
    let repository = Over::Repository { id: 41.into(), namespace: 6.into(), role: Role::Write, public: false };
    let (namespace, machine) =
        (Over::Namespace(6.into(), Role::Admin), Over::Machine { id: 7.into(), namespace: 6.into() });
    let rights = [
        (password, Over::Themselves),
        (token, Over::Themselves),
        (administrator, Over::Index),
        (password, namespace),
        (administrator, namespace),
        (password, repository),
        (token, repository),
        (administrator, repository),
        (password, machine),
    ];
    rights.map(|(credential, over)| rights::guard(&Right { credential, over }, now)).into()
}

pub fn new_access_token(by: &AuditContext) -> access_tokens::New<'_> {
    access_tokens::New {
        uuid: "new",
        user_id: 5.into(),
        user: "user5",
        hash: "new",
        label: "",
        scopes: "[]",
        resources: None,
        expires_at: None,
        expires_text: None,
        warned: None,
        by,
        creator_ua: "",
        most: 250,
    }
}

pub fn renewal(now: i64) -> access_tokens::Renewal<'static> {
    access_tokens::Renewal {
        user: 5.into(),
        uuid: "uuid5",
        from: "access5",
        to: "new",
        previous_until: Some(now),
        expires_at: Some(now),
        expires_text: Some(""),
        warned: None,
    }
}

pub fn grant(namespace_id: NamespaceId) -> members::Grant<'static> {
    members::Grant { namespace_id, namespace: "user5", user: "user9", changes: false, role: Role::Read }
}

pub fn new_refresh_token(by: &AuditContext) -> refresh_tokens::New<'_> {
    refresh_tokens::New {
        uuid: "new",
        user_id: 5.into(),
        hash: "new",
        client: "",
        kind: refresh_tokens::Kind::Docker,
        by,
        most: 1,
    }
}

pub fn new_repository<'a>(
    namespace: NamespaceId,
    name: &'a RepositoryName,
    by: &'a AuditContext,
) -> repositories::New<'a> {
    repositories::New {
        namespace,
        name,
        description: "",
        full_description: "",
        private: false,
        asked: false,
        by,
        most: 1_000,
    }
}

pub fn transfer<'a>(
    from: &'a RepositoryName,
    to: &'a RepositoryName,
    by: &'a AuditContext,
) -> repositories::Transfer<'a> {
    repositories::Transfer { id: 41.into(), from, namespace: 7.into(), to, keep: false, by, most: 1_000 }
}

pub fn account(now: i64) -> users::NewUser<'static> {
    users::NewUser {
        name: "somebody",
        password: "new",
        email: "s@x",
        email_key: "s@x",
        confirmed: true,
        now,
        from: "::1",
        most: (1, 1),
    }
}

pub fn somebody() -> users::User {
    users::User {
        id: 5.into(),
        name: "user5".into(),
        machine: false,
        active: true,
        administrator: false,
        password: None,
        epoch: 1,
    }
}

/// A push, a pull and deletions, by tag, by digest and of all, of a repository that is there and of a new one.
pub fn reported(app: &RepositoryName, new: &RepositoryName) -> Vec<Event> {
    let platform = |digest: &str| Image {
        digest: digest.into(),
        os: "linux".into(),
        architecture: "arm64".into(),
        variant: "v8".into(),
    };
    let images = vec![platform("digest1"), platform("digest2"), platform("new")];
    let event = |id: &str, action, repository: &RepositoryName, tag: &str, digest: &str| Event {
        id: id.into(),
        action,
        repository: repository.clone(),
        tag: tag.into(),
        digest: digest.into(),
        media_type: String::new(),
        content: Content { size: Some(1), images: images.clone() },
        at: (BEGINNING + 1_000_000) * 1000,
        by: "user5".into(),
        method: AuthMethod::RefreshToken(5.into()),
        address: "::1".into(),
        imported_at: None,
        configuration: None,
    };
    vec![
        event("new1", Action::Push, app, "tag1", "digest1"),
        event("new2", Action::Push, new, "tag1", "digest1"),
        event("new3", Action::Pull, app, "", "digest81"),
        event("new4", Action::Pull, app, "tag0", ""),
        event("new5", Action::Delete, app, "tag0", ""),
        event("new6", Action::Delete, app, "", "digest82"),
        event("new7", Action::Delete, new, "", ""),
        event("new8", Action::Delete, app, "", ""),
    ]
}

/// The same pushes and deletions as a reconciler finds them.
pub fn imported(app: &RepositoryName, new: &RepositoryName) -> Vec<Event> {
    let configuration =
        Configuration { created: Some(BEGINNING), labels: json!({}), platform: json!({ "os": "linux" }) };
    let found = |event| Event { imported_at: Some(BEGINNING), configuration: Some(configuration.clone()), ..event };
    reported(app, new).into_iter().filter(|event| event.action != Action::Pull).map(found).collect()
}

/// A tag of a repository.
pub fn named(repository: &RepositoryName) -> Named {
    Named { repository: repository.clone(), tag: "tag0".into() }
}

/// A tool that was not seen yet.
pub fn reconciler() -> Reconciler {
    Reconciler { service: "registry".into(), hash: "reconciler".into(), created_at: BEGINNING, seen_at: None }
}
