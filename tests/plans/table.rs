//! Every function of the store that builds statements, with values as requests bring them.

use hublet::{
    domain::{
        RepositoryName, Role,
        credential::CredentialId,
        events::{Action, Event},
        manifests::{Content, Image},
        registry_token::AuthMethod,
        search::Search,
        throttle::Failures,
    },
    store::{
        Over, Right, Statement, access_tokens,
        audit::{self, Account, AuditContext},
        clients, collaborators, documents, emails, ends, events, images, leaving, links, login_failures, machines,
        managed, members, namespaces,
        outbox::{self, Document, News},
        rate_counters, refresh_tokens,
        repositories::{self, Subject},
        rights, stars, tags, users,
    },
};
use serde_json::json;

use super::fill::BEGINNING;

/// What is asked of `DB`, as functions by name: several of one name ask it in several ways.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub fn truth() -> Vec<(&'static str, Vec<Statement>)> {
    let app = &RepositoryName { namespace: "user5".into(), name: "app41".into() };
    let new = RepositoryName { namespace: "user5".into(), name: "new".into() };
    let pending_deletion = RepositoryName { namespace: "user5".into(), name: "app49".into() };
    let (user, repository, namespace) = (5, 41, 6);
    let now = BEGINNING + 1_000_000;
    // Of what expires, what was there in the first three seconds does.
    let expired = BEGINNING + 3;
    let (by_name, by_id) = (Subject::Name("user5"), Subject::Id(user));
    let by_refresh_token = Subject::RefreshToken("refresh5");
    let by = &by(now);
    let guess =
        login_failures::Guess { name: "user5", address: "::1", at: now, anywhere: Failures { count: 3, last_at: now } };
    let asking = links::Asking { from: "::1", most: 10 };
    let ids = json!([[format!("{:064x}", 1), "sum"], [format!("{:064x}", 9), null]]).to_string();
    let mut table = vec![
        ("access_tokens::by_uuid", vec![access_tokens::by_uuid(&access_tokens::TokenOwner::User(user), "uuid5")]),
        ("access_tokens::by_uuid", vec![access_tokens::by_uuid(&machine(), "uuid5")]),
        ("access_tokens::create", access_tokens::create(&new_access_token(by))),
        ("access_tokens::delete", access_tokens::delete(user, "uuid5", by)),
        ("access_tokens::forget_previous", vec![access_tokens::forget_previous(now, 5)]),
        ("access_tokens::list", vec![access_tokens::list(user, 10, 0)]),
        ("access_tokens::list_of_machine", vec![access_tokens::list_of_machine("user5", "machine5", &by_id, 10, 0)]),
        ("access_tokens::renew", access_tokens::renew(&renewal(now), by)),
        ("access_tokens::revoke", access_tokens::revoke("access5", "::1", now)),
        ("access_tokens::revoke", access_tokens::revoke("previous5", "::1", now)),
        ("access_tokens::update", access_tokens::update(user, "uuid5", Some("a"), Some(false), by)),
        ("access_tokens::used", vec![access_tokens::used(5, now)]),
        (
            "audit::record_refused_login",
            vec![audit::record_refused_login(user, AuthMethod::AccessToken(5), "expired", "::1", now)],
        ),
        ("audit::record_login", vec![audit::record_login(user, AuthMethod::AccessToken(5), "::1", now)]),
        ("audit::expire", vec![audit::expire(expired + 1000, 1000, 5)]),
        ("audit::expire", vec![audit::expire(BEGINNING, 1000, 5)]),
        ("audit::record", vec![audit::record(by, "repo.create", Account::Named("user5"), "user5/app", &[])]),
        ("audit::record", vec![audit::record(by, "repo.create", Account::Of(user), "user5/app", &[])]),
        ("audit::record_lost_collaborators", vec![audit::record_lost_collaborators(by, repository, app, &new)]),
        ("audit::record_by_link", vec![audit::record_by_link("link5", "user.password.change", "::1", now)]),
        ("audit::record_link", vec![audit::record_link("link6", "user6@x", "::1", now)]),
        ("clients::seen", vec![clients::seen(user, "another", now)]),
        ("clients::seen", vec![clients::seen(user, "kind0", now)]),
        ("collaborators::find", vec![collaborators::find(app, "user7")]),
        ("collaborators::list", vec![collaborators::list(app, &by_id, 10, 0)]),
        ("collaborators::remove", collaborators::remove(repository, app, "user7", by)),
        ("collaborators::set", collaborators::set(repository, app, 9, "user9", "read", by)),
        ("rate_counters::increment", vec![rate_counters::increment(rate_counters::Counter::Mails, "::1", now)]),
        ("rate_counters::current", vec![rate_counters::current(rate_counters::Counter::Registrations, "::1")]),
        ("emails::add", emails::add(&somebody(), "a@x", "a@x", true, 10, by)),
        ("emails::choose", emails::choose(&somebody(), "user5@x", "user5@x", by)),
        ("emails::list", vec![emails::list(user)]),
        ("emails::owner", vec![emails::owner("user5@x")]),
        ("emails::proved", vec![emails::proved(user)]),
        ("emails::remove", emails::remove(&somebody(), "user5@x", "user5@x", by)),
        ("ends::due", ends::due(now, 5)),
        ("events::expire", events::expire(expired + events::REMEMBERED, 100)),
        ("events::take", events::take(&told(app, &new), "registry", false, now)),
        ("login_failures::count", login_failures::count("user5", "::1", now).into()),
        ("login_failures::count", login_failures::count("nobody", "::1", now).into()),
        ("login_failures::take_back", login_failures::take_back(guess, 3)),
        ("login_failures::refused", login_failures::refused(Some(&somebody()), "::1", now)),
        ("login_failures::refused", login_failures::refused(None, "::1", now)),
        ("login_failures::expire", vec![login_failures::expire(expired + hublet::domain::throttle::FORGOTTEN, 100)]),
        ("login_failures::reset", vec![login_failures::reset("user5", "::1")]),
        ("images::clear", images::clear(repository, app, by)),
        ("images::merge", images::merge(&images::Target::Id(repository), &ids).into()),
        ("images::merge", images::merge(&images::Target::Named(namespace, "app41"), &ids).into()),
        ("leaving::in_the_way", vec![leaving::in_the_way(user)]),
        ("leaving::leave", leaving::leave(&somebody(), false, by)),
        ("leaving::leave", leaving::leave(&somebody(), true, by)),
        ("links::confirm", links::confirm("link5", "::1", BEGINNING)),
        ("links::confirming", vec![links::confirming("new", "user2@x", links::Owner::Password("x"), now, now, 3)]),
        ("links::expire", vec![links::expire(expired, 100)]),
        (
            "links::forgotten",
            ["user2@x", "user5@x"].map(|email| links::forgotten(email, email, now, now, 3, asking)).concat(),
        ),
        ("links::password_user", vec![links::password_user("link6", BEGINNING)]),
        ("links::set_password", links::set_password("link6", "new", "::1", BEGINNING)),
        ("machines::create", machines::create(namespace, "user5", "robot", "write", by, 100)),
        ("machines::delete", machines::delete(user, "user5", "robot", by)),
        ("machines::find", vec![machines::find("user5", "machine5")]),
        ("machines::list", vec![machines::list("user5", &by_id)]),
        ("machines::taken", vec![machines::taken("ns5", "robot")]),
        ("managed::create", managed::create(&new_repository(namespace, &new, by), None)),
        ("managed::delete", managed::delete(repository, app, by)),
        ("managed::lookup_in_own_namespace", vec![managed::lookup_in_own_namespace(None, "app41", &by_id)]),
        ("managed::lookup_in_own_namespace", vec![managed::lookup_in_own_namespace(Some("user5"), "app41", &by_name)]),
        ("managed::repository", vec![managed::repository(app, &by_id)]),
        ("managed::repository", vec![managed::repository(app, &Subject::None)]),
        ("managed::repository", vec![managed::repository(app, &Subject::Token(user, 5))]),
        ("managed::transfer", managed::transfer(&moving(app, &new, by), Some(49))),
        (
            "managed::update",
            managed::update(
                repository,
                app,
                &managed::Change { private: Some(true), ..managed::Change::default() },
                by,
            ),
        ),
        ("members::find", vec![members::find("user5", "user6")]),
        ("members::list", vec![members::list("user5", &by_id, 10, 0)]),
        ("members::remove", members::remove(namespace, "user5", "user6", by)),
        ("members::set", members::set(&new_member(namespace), by)),
        ("namespaces::about", [&by_id, &Subject::None].map(|subject| namespaces::about("user5", subject)).into()),
        ("namespaces::names", vec![namespaces::names(user, 20)]),
        ("namespaces::shared", vec![namespaces::shared(user, 10, 0)]),
        ("outbox::repositories_after", vec![outbox::repositories_after(50, 20)]),
        ("outbox::pending", vec![outbox::pending(20)]),
        ("outbox::set_cursor", vec![outbox::set_cursor(5)]),
        ("outbox::acknowledge", vec![outbox::acknowledge("[[5,1],[6,1]]")]),
        ("outbox::cursor", vec![outbox::cursor()]),
        ("refresh_tokens::by_uuid", vec![refresh_tokens::by_uuid(user, "uuid5")]),
        ("refresh_tokens::create", refresh_tokens::create(&new_refresh_token(by))),
        ("refresh_tokens::delete", refresh_tokens::delete(user, "uuid5", by)),
        ("refresh_tokens::expire", vec![refresh_tokens::expire(expired + 1000, 1000, 1000, 100)]),
        ("refresh_tokens::revoke", refresh_tokens::revoke("refresh5", "::1", now)),
        ("refresh_tokens::list", vec![refresh_tokens::list(user, now, now, now)]),
        ("refresh_tokens::used", vec![refresh_tokens::used(5, now)]),
        ("refresh_tokens::user", vec![refresh_tokens::user("refresh5", now, now, now)]),
        ("repositories::announced", vec![repositories::announced(app, 3, by)]),
        ("repositories::catalog", vec![repositories::catalog(&by_id, false, "user2", 20)]),
        ("repositories::catalog", vec![repositories::catalog(&by_id, true, "user2", 20)]),
        ("repositories::catalog", vec![repositories::catalog(&Subject::Anonymous, false, "", 20)]),
        ("repositories::create", repositories::create(namespace, &pending_deletion, Some(49), true, by, 1_000)),
        ("repositories::mark", repositories::mark(repository, app, by)),
        ("repositories::lookup", vec![repositories::lookup(app, &by_name)]),
        ("repositories::lookup", vec![repositories::lookup(app, &by_refresh_token)]),
        ("repositories::lookup", vec![repositories::lookup(&new, &Subject::Anonymous)]),
        ("repositories::lookup", vec![repositories::lookup(app, &Subject::AccessToken("access5"))]),
        ("repositories::lookup_with_image", vec![repositories::lookup_with_image(app, &by_id, "5")]),
        ("repositories::lookup_with_images", vec![repositories::lookup_with_images(app, &by_id)]),
        ("repositories::lookup_many", vec![repositories::lookup_many(r#"[["user5","app41"],["user6","no"]]"#, &by_id)]),
        ("repositories::pushed", repositories::pushed(repository, app, by)),
        ("repositories::readable_private", vec![repositories::readable_private(&by_name, 100)]),
        ("repositories::remove", repositories::remove(49, &pending_deletion, by)),
        ("repositories::enqueue", vec![repositories::enqueue(repository)]),
        ("rights::guard", guards(now)),
        ("stars::add", stars::add(user, repository)),
        ("stars::remove", stars::remove(1, 10)),
        ("tags::find", vec![tags::find(app, &by_id, "tag1")]),
        ("tags::forget", tags::forget(repository, app, "tag1", "digest1", by)),
        ("tags::digests", ["", "active"].map(|status| tags::digests(app, &by_id, &digests(status))).into()),
        ("tags::names", vec![tags::names(app, &by_id, "tag0", 20)]),
        ("users::by_credential", vec![users::by_credential(CredentialId::Password { user, epoch: 1 })]),
        ("users::by_credential", vec![users::by_credential(CredentialId::AccessToken { user, token: 5 })]),
        ("users::by_name", vec![users::by_name("user5")]),
        ("users::again_with_failures", vec![users::again_with_failures(user, "::1")]),
        ("users::lapse", users::lapse(expired + users::UNCONFIRMED, 100)),
        ("users::profile", vec![users::profile(user)]),
        ("users::register", users::register(&account(now))),
        ("users::rehash", vec![users::rehash(user, "hash5", "new")]),
        ("users::set_password", users::set_password(&somebody(), "new", Some("user5@x"), by)),
        ("users::taken", vec![users::taken("user5", "user5@x")]),
        ("users::with_access_token", vec![users::with_access_token("user5", "access5")]),
        ("users::with_access_token", vec![users::with_access_token("user5", "previous5")]),
        ("users::with_failures", vec![users::with_failures("user5", "::1")]),
        ("users::with_failures", vec![users::with_failures("nobody", "::1")]),
        ("users::with_failures", vec![users::with_failures("zzzz", "::1")]),
    ];
    let list = audit::List {
        account: "user5",
        reader: &by_id,
        action: None,
        name: None,
        tag: None,
        actor: None,
        from: None,
        to: None,
        limit: 5,
        offset: 0,
    };
    for list in [
        list,
        audit::List { name: Some("user5/app41"), tag: Some("tag1"), ..list },
        audit::List { action: Some("repo.create"), actor: Some("user5"), from: Some(0), to: Some(now), ..list },
    ] {
        table.push(("audit::list", vec![audit::list(&list)]));
    }
    for ordering in ["name", "-name", "last_updated", "-last_updated", "pull_count", "-pull_count"] {
        let list = managed::List { namespace: "user5", name: "", ordering, administrating: false, limit: 5, offset: 0 };
        for subject in [&by_id, &by_name, &Subject::Id(9), &Subject::Anonymous, &Subject::None] {
            table.push(("managed::list", managed::list(&list, subject).into_iter().collect()));
        }
        table.push(("tags::list", tags::list(app, &by_id, "", ordering, 5, 0).into_iter().collect()));
    }
    table
}

/// What is asked of `SEARCH`.
pub fn search() -> Vec<(&'static str, Vec<Statement>)> {
    let now = BEGINNING + 1_000_000;
    let document = Document {
        namespace: "user5".into(),
        name: "app41".into(),
        description: "new".into(),
        private: false,
        star_count: 1,
        pushed_at: 1,
    };
    let news = [
        News { outbox_id: 1, repository_id: 41, revision: 2, document: Some(document) },
        News { outbox_id: 2, repository_id: 42, revision: 2, document: None },
    ];
    let mut table = vec![
        ("documents::between", vec![documents::between(100, 150, now)]),
        ("documents::hide", vec![documents::hide(41, 2, now)]),
        ("documents::write", documents::write(&news, now)),
    ];
    for query in ["", "rare", "often", "user5/app41", "app", "qx", "rare qx", "nothing like it"] {
        let search = Search::read(&[("q".into(), query.into())]);
        for sight in [documents::Sight::Public, documents::Sight::Also("[3,6,9]".into()), documents::Sight::All] {
            table.push(("documents::find", vec![documents::find(&search, &sight)]));
        }
    }
    table
}

fn digests(status: &str) -> tags::Digests<'_> {
    tags::Digests { status, active_from: BEGINNING * 1000, ordering: "-last_activity", limit: 10, offset: 0 }
}

fn machine() -> access_tokens::TokenOwner<'static> {
    access_tokens::TokenOwner::Machine("user5", "machine5")
}

fn by(now: i64) -> AuditContext {
    let credential = CredentialId::AccessToken { user: 5, token: 5 };
    AuditContext { actor: "user5".into(), credential, address: "::1".into(), now, millis: now * 1000 }
}

/// By a password and by an access token, over everything that there is.
fn guards(now: i64) -> Vec<Statement> {
    let (password, token) =
        (CredentialId::Password { user: 5, epoch: 1 }, CredentialId::AccessToken { user: 5, token: 5 });
    let administrator = CredentialId::Password { user: 4, epoch: 1 };
    let repository = Over::Repository { id: 41, namespace: 6, role: Role::Write, public: false };
    let (namespace, machine) = (Over::Namespace(6, Role::Admin), Over::Machine { id: 7, namespace: 6 });
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

fn new_access_token(by: &AuditContext) -> access_tokens::New<'_> {
    access_tokens::New {
        uuid: "new",
        user_id: 5,
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

fn renewal(now: i64) -> access_tokens::Renewal<'static> {
    access_tokens::Renewal {
        user: 5,
        uuid: "uuid5",
        from: "access5",
        to: "new",
        previous_until: Some(now),
        expires_at: Some(now),
        expires_text: Some(""),
        warned: None,
    }
}

fn new_member(namespace_id: i64) -> members::Role<'static> {
    members::Role { namespace_id, namespace: "user5", user: "user9", changes: false, role: "read" }
}

fn new_refresh_token(by: &AuditContext) -> refresh_tokens::New<'_> {
    refresh_tokens::New { uuid: "new", user_id: 5, hash: "new", client: "", by, most: 1 }
}

fn new_repository<'a>(namespace: i64, name: &'a RepositoryName, by: &'a AuditContext) -> managed::New<'a> {
    managed::New {
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

fn moving<'a>(from: &'a RepositoryName, to: &'a RepositoryName, by: &'a AuditContext) -> managed::Move<'a> {
    managed::Move { id: 41, from, namespace: 7, to, keep: false, by, most: 1_000 }
}

fn account(now: i64) -> users::Account<'static> {
    users::Account {
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

fn somebody() -> users::User {
    users::User {
        id: 5,
        name: "user5".into(),
        machine: false,
        active: true,
        administrator: false,
        password: None,
        epoch: 1,
    }
}

/// A push, a pull and deletions, by tag, by digest and of all, of a repository that is there and of a new one.
fn told(app: &RepositoryName, new: &RepositoryName) -> Vec<Event> {
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
        method: AuthMethod::RefreshToken(5),
        address: "::1".into(),
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
