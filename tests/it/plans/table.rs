//! Every function of the store that builds statements, with values as requests bring them.

use hublet::{
    domain::{
        NamespaceId, RepositoryId, RepositoryName, Role, UserId, audit::AuditAction, credential::CredentialId,
        registry_token::AuthMethod, search::Search, throttle::Failures,
    },
    store::{
        access, access_tokens, administration,
        audit::{self, Account},
        clients, collaborators, deletions, documents, emails, ends, events,
        health::{self, Heartbeat},
        home, images, leaving, links, login_failures, machines, members, namespaces,
        outbox::{self, Change, Document},
        rate_counters, reconcilers, refresh_tokens, refusals,
        repositories::{self, Subject},
        stars, tag_digests, tags, token_details, users,
    },
};
use serde_json::json;

use super::{
    entry::{Entry, read, transaction, write},
    fill::BEGINNING,
    values::{
        account, by, digests, grant, guards, imported, machine, named, new_access_token, new_refresh_token,
        new_repository, reconciler, renewal, reported, somebody, transfer,
    },
};

/// What is asked of `DB`, as functions by name: several of one name ask it in several ways.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub fn primary() -> Vec<Entry> {
    let app = &RepositoryName { namespace: "user5".into(), name: "app41".into() };
    let new = RepositoryName { namespace: "user5".into(), name: "new".into() };
    let pending_deletion = RepositoryName { namespace: "user5".into(), name: "app49".into() };
    let (user, repository, namespace) = (UserId::new(5), RepositoryId::new(41), NamespaceId::new(6));
    let now = BEGINNING + 1_000_000;
    // Of what expires, what was there in the first three seconds does.
    let expired = BEGINNING + 3;
    let (by_name, by_id) = (Subject::Name("user5"), Subject::Id(user));
    let by_refresh_token = Subject::RefreshToken("refresh5");
    let by = &by(now);
    let guess =
        login_failures::Guess { name: "user5", address: "::1", at: now, anywhere: Failures { count: 3, last_at: now } };
    let asking = links::Requester { from: "::1", most: 10 };
    let ids = json!([[format!("{:064x}", 1), "sum"], [format!("{:064x}", 9), null]]).to_string();
    let marked = r#"[["tag0","digest82"],["tag1","digest81"]]"#.into();
    let mut table = vec![
        transaction("access_tokens::create", |transaction| access_tokens::create(transaction, &new_access_token(by))),
        transaction("access_tokens::delete", |transaction| access_tokens::delete(transaction, user, "uuid5", by)),
        read("access_tokens::forget_previous", access_tokens::forget_previous(now, 5)),
        transaction("access_tokens::renew", |transaction| access_tokens::renew(transaction, &renewal(now), by)),
        read("access_tokens::renewable", access_tokens::renewable(&token_details::TokenOwner::User(user), "uuid5")),
        read("access_tokens::renewable", access_tokens::renewable(&machine(), "uuid5")),
        write("access_tokens::revoke", access_tokens::revoke("access5", "::1", now)),
        write("access_tokens::revoke", access_tokens::revoke("previous5", "::1", now)),
        transaction("access_tokens::update", |transaction| {
            access_tokens::update(transaction, user, "uuid5", Some("a"), Some(false), by)
        }),
        write("access_tokens::used", vec![access_tokens::used(5.into(), now)]),
        write("administration::end_sessions", administration::end_sessions(&somebody(), true, by)),
        read("administration::namespaces", administration::namespaces("", 10, 0, 10)),
        write("administration::record_addresses", administration::record_addresses(user, now - 100, by)),
        read("administration::remove_addresses", administration::remove_addresses(user, now - 100)),
        write("administration::set_administrator", administration::set_administrator(&somebody(), true, by)),
        write("administration::set_notice", administration::set_notice("a line", by)),
        write("administration::set_notice", administration::set_notice("", by)),
        write("administration::set_status", administration::set_status(&somebody(), "disabled", by)),
        read("administration::user", administration::user("user5")),
        read("administration::users", administration::users("", 10, 0)),
        read("administration::users", administration::users("user5@x", 10, 0)),
        read("access::list", access::list(app, &by_id, 10, 0)),
        read("access::token", access::token("uuid5", &by_id, "user5")),
        read("refusals::list", refusals::list("user5", &by_id, 10, 0)),
        read("refusals::expire", refusals::expire(expired + 1000 * 3600, 5)),
        write(
            "refusals::record",
            [refusals::record(
                r#"[["user5","app41","pull","not_visible",true],["nowhere","app","push","role",false]]"#,
                &refusals::Refused { username: "user5", address: "::1", now },
            )],
        ),
        write(
            "audit::record_refused_login",
            vec![audit::record_refused_login(user, AuthMethod::AccessToken(5.into()), "expired", "::1", now)],
        ),
        write("audit::record_login", vec![audit::record_login(user, AuthMethod::AccessToken(5.into()), "::1", now)]),
        read("audit::expire", audit::expire(expired + 1000, 1000, 5)),
        read("audit::expire", audit::expire(BEGINNING, 1000, 5)),
        write(
            "audit::record",
            vec![audit::record(by, AuditAction::RepoCreate, Account::Named("user5"), "user5/app", &[])],
        ),
        write("audit::record", vec![audit::record(by, AuditAction::RepoCreate, Account::Of(user), "user5/app", &[])]),
        write("audit::record_lost_collaborators", vec![audit::record_lost_collaborators(by, repository, app, &new)]),
        write(
            "audit::record_by_link",
            vec![audit::record_by_link("link5", AuditAction::UserPasswordChange, "::1", now)],
        ),
        write("audit::record_link", vec![audit::record_link("link6", "user6@x", "::1", now)]),
        read("clients::record", clients::record(user, "another", now)),
        read("clients::record", clients::record(user, "kind0", now)),
        read("collaborators::find", collaborators::find(app, "user7")),
        read("collaborators::list", collaborators::list(app, &by_id, 10, 0)),
        transaction("collaborators::remove", |transaction| {
            collaborators::remove(transaction, (repository, app), "user7", by)
        }),
        transaction("collaborators::set", |transaction| {
            collaborators::set(transaction, (repository, app), (9.into(), "user9"), Role::Read, by)
        }),
        read("rate_counters::increment", rate_counters::increment(rate_counters::Counter::Mails, "::1", now)),
        read("rate_counters::current", rate_counters::current(rate_counters::Counter::Registrations, "::1")),
        transaction("emails::add", |transaction| emails::add(transaction, &somebody(), ("a@x", "a@x"), true, 10, by)),
        transaction("emails::choose", |transaction| emails::choose(transaction, &somebody(), "user5@x", "user5@x", by)),
        read("emails::list", emails::list(user)),
        read("emails::owner", emails::owner("user5@x")),
        read("emails::proved", emails::proved(user)),
        transaction("emails::remove", |transaction| emails::remove(transaction, &somebody(), "user5@x", "user5@x", by)),
        transaction("ends::due", |transaction| ends::due(transaction, now, 5)),
        transaction("events::expire", |transaction| events::expire(transaction, expired + events::EVENT_ID_TTL, 100)),
        transaction("events::receive", |transaction| {
            events::receive(transaction, &reported(app, &new), "registry", false, now)
        }),
        transaction("events::take", |transaction| {
            events::take(transaction, &imported(app, &new), "registry", false, now)
        }),
        read("tag_digests::list", tag_digests::list(app, &by_name, r#"["tag0","tag1"]"#)),
        read("deletions::waiting", deletions::waiting("user5", &by_id, 10, 0)),
        read("deletions::present", deletions::present(now)),
        write("deletions::request_repository", [deletions::request_repository(app, by)]),
        transaction("deletions::request_tags", |transaction| {
            deletions::request_tags(transaction, repository, app, &marked, by)
        }),
        write(
            "reconcilers::answer",
            reconcilers::answer("registry", &[named(app)], &[(named(app), "kept".into())], now, now),
        ),
        read("reconcilers::deletable", reconcilers::deletable("reconciler", &[app.to_string()])),
        read("reconcilers::deletions", reconcilers::deletions("reconciler", 10)),
        read("reconcilers::find", reconcilers::find("reconciler")),
        write("reconcilers::guard", [reconcilers::guard(&reconciler())]),
        write("reconcilers::seen", reconcilers::seen(&reconciler(), now)),
        read("reconcilers::tags", reconcilers::tags("reconciler", ("user5/app41", "tag0"), 10)),
        read("health::primary", health::primary(20)),
        write("health::record", vec![health::record(Heartbeat::ScheduledRun, now)]),
        write("health::record", vec![health::record(Heartbeat::Notification("registry"), now)]),
        transaction("login_failures::count", |transaction| {
            login_failures::count("user5", "::1", now).map(|query| transaction.read(query))
        }),
        transaction("login_failures::count", |transaction| {
            login_failures::count("nobody", "::1", now).map(|query| transaction.read(query))
        }),
        write("login_failures::take_back", login_failures::take_back(guess, 3)),
        write("login_failures::refused", login_failures::refused(Some(&somebody()), "::1", now)),
        write("login_failures::refused", login_failures::refused(None, "::1", now)),
        read("login_failures::expire", login_failures::expire(expired + hublet::domain::throttle::FAILURE_TTL, 100)),
        write("login_failures::reset", vec![login_failures::reset("user5", "::1")]),
        write("images::clear", images::clear(repository, app, by)),
        write("images::merge", [images::merge(&images::Target::Id(repository), &ids)]),
        read("images::merged", images::merged(&images::Target::Id(repository), &ids)),
        write("images::merge", [images::merge(&images::Target::Named(namespace, "app41"), &ids)]),
        read("images::merged", images::merged(&images::Target::Named(namespace, "app41"), &ids)),
        read("leaving::conflicts", leaving::conflicts(user)),
        transaction("leaving::leave", |transaction| leaving::leave(transaction, "user5", false, by)),
        transaction("leaving::leave", |transaction| leaving::leave(transaction, "user5", true, by)),
        transaction("links::confirm", |transaction| links::confirm(transaction, "link5", "::1", BEGINNING)),
        read(
            "links::insert_confirmation",
            links::insert_confirmation("new", "user2@x", links::Owner::Password("x"), now, now, 3),
        ),
        write("links::insert_password_link", links::insert_password_link("user5", "new", by)),
        read("links::expire", links::expire(expired, 100)),
        transaction("links::insert_reset", |transaction| {
            ["user2@x", "user5@x"].map(|email| links::insert_reset(transaction, email, email, now, now, 3, asking))
        }),
        read("links::password_user", links::password_user("link6", BEGINNING)),
        transaction("links::set_password", |transaction| {
            links::set_password(transaction, "link6", "new", "::1", BEGINNING)
        }),
        read("machines::availability", machines::availability("ns5", "robot")),
        transaction("machines::create", |transaction| {
            machines::create(transaction, (namespace, "user5"), "robot", Role::Write, by, 100)
        }),
        write("machines::delete", machines::delete(user, "user5", "robot", by)),
        read("machines::find", machines::find("user5", "machine5")),
        read("machines::list", machines::list("user5", &by_id)),
        transaction("repositories::create", |transaction| {
            repositories::create(transaction, &new_repository(namespace, &new, by), Some(49.into()))
        }),
        transaction("repositories::create", |transaction| {
            repositories::create(transaction, &new_repository(namespace, &new, by), None)
        }),
        write("repositories::delete", repositories::delete(repository, app, by)),
        read("repositories::lookup_in_own_namespace", repositories::lookup_in_own_namespace(None, "app41", &by_id)),
        read(
            "repositories::lookup_in_own_namespace",
            repositories::lookup_in_own_namespace(Some("user5"), "app41", &by_name),
        ),
        write("repositories::transfer", repositories::transfer(&transfer(app, &new, by), Some(49.into()))),
        write(
            "repositories::update",
            repositories::update(
                repository,
                app,
                &repositories::Change { private: Some(true), ..repositories::Change::default() },
                by,
            ),
        ),
        read("members::find", members::find("user5", "user6")),
        read("members::list", members::list("user5", &by_id, 10, 0)),
        transaction("members::remove", |transaction| members::remove(transaction, (namespace, "user5"), "user6", by)),
        transaction("members::set", |transaction| members::set(transaction, &grant(namespace), by)),
        read("namespaces::by_name", namespaces::by_name("user5", &by_id)),
        read("namespaces::by_name", namespaces::by_name("user5", &Subject::None)),
        read("namespaces::names", namespaces::names(user, 20)),
        read("namespaces::organisations", namespaces::organisations(user, 10, 0)),
        read("outbox::repositories_after", outbox::repositories_after(50, 20)),
        read("outbox::pending", outbox::pending(20)),
        write("outbox::set_cursor", vec![outbox::set_cursor(5)]),
        write("outbox::acknowledge", vec![outbox::acknowledge(&[(5, 1), (6, 1)])]),
        read("outbox::cursor", outbox::cursor()),
        read("home::first_steps", home::first_steps(user)),
        read("home::namespaces", home::namespaces(user, 10)),
        read("home::pushed", home::pushed(&by_id, 10)),
        read("home::notifications", home::notifications()),
        write("refresh_tokens::authenticated", vec![refresh_tokens::authenticated(5.into(), now)]),
        read("refresh_tokens::browser", refresh_tokens::browser("refresh5", user, now, now, now)),
        transaction("refresh_tokens::name", |transaction| {
            refresh_tokens::name(transaction, user, "uuid5", "the laptop")
        }),
        read("refresh_tokens::by_uuid", refresh_tokens::by_uuid(user, "uuid5")),
        write("refresh_tokens::create", refresh_tokens::create(&new_refresh_token(by))),
        transaction("refresh_tokens::delete", |transaction| refresh_tokens::delete(transaction, user, "uuid5", by)),
        write("refresh_tokens::delete_others", refresh_tokens::delete_others(user, "uuid5", by)),
        read("refresh_tokens::expire", refresh_tokens::expire(expired + 1000, 1000, 1000, 100)),
        write("refresh_tokens::revoke", refresh_tokens::revoke("refresh5", "::1", now)),
        read("refresh_tokens::list", refresh_tokens::list(user, now, now, now)),
        write("refresh_tokens::used", vec![refresh_tokens::used(5.into(), now)]),
        read("refresh_tokens::user", refresh_tokens::user("refresh5", now, now, now)),
        write("repositories::record_announcement", vec![repositories::record_announcement(app, 3, by)]),
        read("repositories::catalog", repositories::catalog(&by_id, false, "user2", 20)),
        read("repositories::catalog", repositories::catalog(&by_id, true, "user2", 20)),
        read("repositories::catalog", repositories::catalog(&Subject::Anonymous, false, "", 20)),
        write(
            "repositories::create_for_push",
            repositories::create_for_push(namespace, &pending_deletion, Some(49.into()), true, by, 1_000),
        ),
        write("repositories::mark", repositories::mark(repository, app, by)),
        write("repositories::complete_push", repositories::complete_push(repository, app, by)),
        read("repositories::readable_private", repositories::readable_private(&by_name, 100)),
        write("repositories::remove", repositories::remove(49.into(), &pending_deletion, by)),
        write("repositories::enqueue", vec![repositories::enqueue(repository)]),
        write("rights::guard", guards(now)),
        write("stars::add", stars::add(user, repository)),
        write("stars::remove", stars::remove(1.into(), 10.into())),
        read("tags::find", tags::find(app, &by_id, "tag1")),
        read("tags::find_with_credential", tags::find_with_credential(app, &by_id, "tag1")),
        read("tags::list_with_credentials", tags::list_with_credentials(app, &by_id, "", true, (5, 0))),
        read("tags::list_with_credentials", tags::list_with_credentials(app, &by_id, "", false, (5, 0))),
        read("tags::sharing", tags::sharing(app, &by_id, "tag1")),
        transaction("tags::forget", |transaction| tags::forget(transaction, repository, app, &marked, by)),
        read("tags::digests", tags::digests(app, &by_id, &digests(""))),
        read("tags::digests", tags::digests(app, &by_id, &digests("active"))),
        read("token_details::by_uuid", token_details::by_uuid(&token_details::TokenOwner::User(user), "uuid5")),
        read("token_details::by_uuid", token_details::by_uuid(&machine(), "uuid5")),
        read("token_details::list", token_details::list(user, 10, 0)),
        read("token_details::list_of_machine", token_details::list_of_machine("user5", "machine5", &by_id, 10, 0)),
        read("users::by_credential", users::by_credential(CredentialId::Password { user, epoch: 1 })),
        read("users::by_credential", users::by_credential(CredentialId::AccessToken { user, token: 5.into() })),
        read("users::by_name", users::by_name("user5")),
        read("users::for_password_login_again", users::for_password_login_again(user, "::1")),
        transaction("users::expire_unconfirmed", |transaction| {
            users::expire_unconfirmed(transaction, expired + users::CONFIRMATION_TTL, 100)
        }),
        read("users::profile", users::profile(user)),
        write("users::register", users::register(&account(now))),
        read("users::is_registered", users::is_registered(&account(now))),
        write("users::rehash", vec![users::rehash(user, "hash5", "new")]),
        write("users::set_password", users::set_password(&somebody(), "new", Some("user5@x"), by)),
        read("users::is_taken", users::is_taken("user5", "user5@x")),
        read("users::with_access_token", users::with_access_token("user5", "access5")),
        read("users::with_access_token", users::with_access_token("user5", "previous5")),
        read("users::for_password_login", users::for_password_login("user5", "::1")),
        read("users::for_password_login", users::for_password_login("nobody", "::1")),
        read("users::for_password_login", users::for_password_login("zzzz", "::1")),
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
        table.push(read("audit::list", audit::list(&list)));
    }
    let (by_token, by_access_token) = (Subject::Token(user, 5.into()), Subject::AccessToken("access5"));
    let nobody = (Subject::Anonymous, Subject::None);
    for subject in [&by_id, &by_name, &by_token, &by_access_token, &by_refresh_token, &nobody.0, &nobody.1] {
        let names = [Some(app.clone()), None, Some(new.clone())];
        table.extend([
            read("repositories::lookup", repositories::lookup(app, subject)),
            read("repositories::lookup", repositories::lookup(&new, subject)),
            read("repositories::lookup_with_image", repositories::lookup_with_image(app, subject, "5")),
            read("repositories::lookup_with_images", repositories::lookup_with_images(app, subject)),
            read("repositories::lookup_many", repositories::lookup_many(&names, subject)),
            read("repositories::details", repositories::details(app, subject)),
            read("tags::names", tags::names(app, subject, "tag0", 20)),
        ]);
    }
    for ordering in ["name", "-name", "last_updated", "-last_updated", "pull_count", "-pull_count"] {
        let list =
            repositories::List { namespace: "user5", name: "", ordering, administrating: false, limit: 5, offset: 0 };
        for subject in [&by_id, &by_name, &Subject::Id(9.into()), &Subject::Anonymous, &Subject::None] {
            table.extend(repositories::list(&list, subject).map(|list| read("repositories::list", list)));
        }
        for subject in [&by_id, &by_name] {
            table.extend(tags::list(app, subject, "", ordering, (5, 0)).map(|list| read("tags::list", list)));
        }
    }
    table
}

/// What is asked of `SEARCH`.
pub fn search() -> Vec<Entry> {
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
        Change { repository_id: 41.into(), revision: 2, document: Some(document) },
        Change { repository_id: 42.into(), revision: 2, document: None },
    ];
    let mut table = vec![
        read("documents::between", documents::between(100, 150, now)),
        write("documents::hide", vec![documents::hide(41.into(), 2, now)]),
        write("documents::write", documents::write(&news, now, &str::to_owned)),
        read("health::search", health::search()),
    ];
    for query in ["", "rare", "often", "user5/app41", "app", "qx", "rare qx", "nothing like it"] {
        let search = Search::parse(&[("q".into(), query.into())], &str::to_owned);
        for sight in [
            documents::Visibility::Public,
            documents::Visibility::PublicAnd("[3,6,9]".into()),
            documents::Visibility::All,
        ] {
            table.push(read("documents::find", documents::find(&search, &sight)));
        }
    }
    table
}
