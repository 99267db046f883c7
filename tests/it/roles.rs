//! The effective role twice: as `domain::access` decides it, and as the database applies it. Both are the same for all
//! relations of a user to a repository, or what must not be read would be.

use constcat::concat;
use hublet::{
    domain::{RepositoryName, Role, credential::CredentialId, token_restrictions::TokenRestrictions},
    store::{
        Batch, Database, Query, Statement,
        repositories::{self, RepositoryDetails, RepositoryLookup, Subject},
        roles::{WITH_ROLE, WITH_ROLE_BY_ID},
        users::{self, Holder, User},
    },
};
use test_support::{fake_platform::block_on, sqlite::Sqlite};

/// The role that the database applies, as a number.
const ROLE: &str = concat!(WITH_ROLE, "select role from place");

/// The same, where the user is known by id.
const ROLE_BY_ID: &str = concat!(WITH_ROLE_BY_ID, "select role from place");

/// Nothing, or a role.
const ROLES: [Option<Role>; 4] = [None, Some(Role::Read), Some(Role::Write), Some(Role::Admin)];

/// Scopes and resources of access tokens, and whether the database applies all of them: it compares a pattern up to its
/// first star.
const TOKENS: [(&str, Option<&str>, bool); 10] = [
    (r#"["repo:admin"]"#, None, true),
    (r#"["repo:read"]"#, None, true),
    (r#"["repo:public_read"]"#, None, true),
    (r#"["repo:admin"]"#, Some(r#"[{"path":"ns/app"}]"#), true),
    (r#"["repo:admin"]"#, Some(r#"[{"path":"ns/other"},{"path":"ns/apple"}]"#), true),
    (r#"["repo:admin"]"#, Some(r#"[{"path":"ns/*"}]"#), true),
    (r#"["repo:admin"]"#, Some(r#"[{"path":"ns/**"}]"#), true),
    (r#"["repo:admin"]"#, Some(r#"[{"path":"app"},{"path":"other/**"},{"path":"ns/b*"}]"#), true),
    (r#"["repo:admin"]"#, Some(r#"[{"path":"ns/a*x"}]"#), false),
    ("damaged", Some("damaged"), true),
];

fn number(role: Option<Role>) -> i64 {
    role.map_or(0, |role| 1 + role as i64)
}

/// A database with a namespace, and a user with all their relations to it.
struct Facts {
    database: Sqlite,
    cases: u64,
}

impl Facts {
    fn set(&self, sql: &str) {
        self.database.connection().execute_batch(sql).unwrap();
    }

    fn fetch<T>(&self, query: &Query<T>) -> T {
        let mut answers = block_on(self.database.batch(&[query.statement().clone()])).unwrap();
        query.decode(answers.pop().unwrap()).unwrap()
    }

    /// The role that the database applies, as a number, and what it reads for it: the same in every way to ask.
    fn read(&self, subject: &Subject<'_>) -> (i64, RepositoryDetails) {
        let name = RepositoryName::parse("ns", "app").unwrap();
        let details = repositories::details(&name, subject);
        let role = |sql| {
            let mut statement = Statement::new(sql);
            statement.values.clone_from(&details.statement().values);
            self.fetch(&Query::<i64>::one(statement))
        };
        let (applied, details) = (role(ROLE), self.fetch(&details));
        if subject.is_by_id() {
            assert_eq!(role(ROLE_BY_ID), applied, "{subject:?}");
        }
        let images = self.fetch(&repositories::lookup_with_images(&name, subject));
        assert_eq!(!images.images.is_empty(), applied > 0 && details.lookup.repository.is_some(), "{subject:?}");
        let image = self.fetch(&repositories::lookup_with_image(&name, subject, "image"));
        let many = self.fetch(&repositories::lookup_many(&[Some(name.clone())], subject)).pop().unwrap();
        let lookups = [self.fetch(&repositories::lookup(&name, subject)), images.lookup, image.lookup, many.lookup];
        assert!(lookups.iter().all(|lookup| *lookup == details.lookup), "{subject:?}: {lookups:?}, {details:?}");
        (applied, details)
    }

    /// The user that is read with a lookup, if one is.
    fn holder(&self, subject: &Subject<'_>) -> Option<User> {
        let lookup = repositories::lookup(&RepositoryName::parse("ns", "app").unwrap(), subject);
        assert_eq!(lookup.has_holder(), subject.is_by_id());
        let mut answers = block_on(self.database.batch(&[lookup.statement().clone()])).unwrap();
        users::of_holder(&mut answers.pop().unwrap()).unwrap()
    }

    /// Compares both for a subject whose credentials may administrate or not.
    fn compare(&mut self, subject: &Subject<'_>, administrator: bool, what: &str) -> RepositoryLookup {
        let (role, RepositoryDetails { lookup, details }) = self.read(subject);
        let relations = lookup.relations(administrator);
        assert_eq!(role, number(relations.effective_role()), "{what}: {subject:?}, {relations:?}");
        assert_eq!(details.is_some(), relations.effective_role().is_some() && lookup.repository.is_some());
        self.cases += 1;
        lookup
    }
}

#[test]
fn sql_role_agrees_with_the_rule() {
    let mut facts = Facts { database: Sqlite::migrated("db").unwrap(), cases: 0 };
    facts.set(
        "insert into users (id, name, status, created_at) values (1, 'user', 'active', 0), (2, 'other', 'active', 0);
         insert into namespaces (id, name, owner_id, created_at) values (8, 'ns', 2, 0);
         insert into refresh_tokens (uuid, user_id, hash, client, address, created_at, used_at) values ('r', 1, 'r', '', '', 0, 0);
         insert into access_tokens (id, uuid, user_id, hash, previous_hash, label, scopes, created_at, created_by, creator_ip,
             creator_ua)
           values (5, 'a', 1, 'a', 'b', '', '[]', 0, '', '', '');",
    );
    for repository in [None, Some(0), Some(1)] {
        facts.set("delete from repositories");
        if let Some(private) = repository {
            facts.set(&format!(
                "insert into repositories (id, namespace_id, name, full_name, private, created_at, updated_at)
                   values (9, 8, 'app', 'ns/app', {private}, 0, 0);
                 insert into images (repository_id, position, id) values (9, 1, 'image')"
            ));
        }
        for (administrator, owner) in [(false, false), (false, true), (true, false), (true, true)] {
            facts.set(&format!(
                "update users set administrator = {administrator} where id = 1;
                 update namespaces set owner_id = {} where id = 8",
                if owner { 1 } else { 2 }
            ));
            for member in ROLES {
                for collaborator in ROLES.into_iter().filter(|role| role.is_none() || repository.is_some()) {
                    facts.set("delete from members; delete from collaborators");
                    if let Some(role) = member {
                        facts.set(&format!("insert into members values (8, 1, '{}')", role.as_str()));
                    }
                    if let Some(role) = collaborator {
                        facts.set(&format!("insert into collaborators values (9, 1, '{}')", role.as_str()));
                    }
                    said_the_same(&mut facts, administrator);
                }
            }
        }
    }
    assert!(facts.cases > 5_000, "{} cases", facts.cases);
    println!("cases: {} of the effective role", facts.cases);
}

/// For all credentials of the user.
fn said_the_same(facts: &mut Facts, administrator: bool) {
    for status in ["active", "disabled"] {
        facts.set(&format!("update users set status = '{status}' where id = 1"));
        let administrator = administrator && status == "active";
        for subject in [Subject::Name("user"), Subject::Id(1.into()), Subject::RefreshToken("r")] {
            let lookup = facts.compare(&subject, administrator, status);
            assert!(
                status == "active" || lookup.relations(administrator).effective_role().is_none(),
                "{subject:?} is disabled"
            );
        }
    }
    facts.set("update users set status = 'active' where id = 1");
    let (_, found) = facts.read(&Subject::Anonymous);
    let public = found.lookup.repository.is_some_and(|repository| !repository.private);
    assert_eq!(facts.compare(&Subject::Anonymous, false, "anybody").relations(false).public, public);
    for subject in [Subject::None, Subject::Name("nobody"), Subject::Id(7.into()), Subject::AccessToken("none")] {
        assert_eq!(facts.read(&subject).0, 0, "{subject:?}");
    }
    for (scopes, resources, all) in TOKENS {
        let sql = "update access_tokens set scopes = ?1, resources = ?2";
        facts.database.connection().execute(sql, (scopes, resources)).unwrap();
        for subject in [Subject::Token(1.into(), 5.into()), Subject::AccessToken("a"), Subject::AccessToken("b")] {
            let (role, RepositoryDetails { lookup, .. }) = facts.read(&subject);
            // An access token never administrates.
            let relations = lookup.relations(false);
            let name = RepositoryName::parse("ns", "app").unwrap();
            let allowed = TokenRestrictions::stored(scopes, resources).role(&name, relations.public);
            let may = relations.effective_role().min(allowed).is_some();
            let is_read = role > 0;
            assert!(is_read || !may, "{scopes} {resources:?}: may, and nothing is read");
            assert!(
                !all || lookup.repository.is_none() || is_read == may,
                "{scopes} {resources:?}: {relations:?} reads {is_read}"
            );
            facts.cases += 1;
        }
    }
}

#[test]
fn lookup_reads_the_user_of_the_credential() {
    let facts = Facts { database: Sqlite::migrated("db").unwrap(), cases: 0 };
    facts.set(
        "insert into users (id, name, status, password, epoch, administrator, created_at) values
           (1, 'user', 'active', 'hash', 3, 0, 0), (2, 'root', 'active', 'hash', 1, 1, 0),
           (3, 'disabled', 'disabled', 'hash', 1, 0, 0), (4, 'new', 'unconfirmed', 'hash', 1, 0, 0);
         insert into namespaces (id, name, owner_id, created_at) values (8, 'ns', 1, 0), (9, 'closed', 3, 0);
         insert into users (id, name, kind, status, machine_of, created_at) values
           (5, 'robot', 'machine', 'active', 8, 0), (6, 'stopped', 'machine', 'active', 9, 0)",
    );
    for id in 0..8 {
        let holder = facts.fetch(&users::by_credential(CredentialId::Password { user: id.into(), epoch: 1 }));
        let user = holder.map(|Holder { user, token }| {
            assert_eq!(token, None);
            // The password is not read where it is not checked.
            User { password: None, ..user }
        });
        assert_eq!(facts.holder(&Subject::Id(id.into())), user.filter(|user| user.active), "user {id}");
    }
    assert_eq!(facts.holder(&Subject::Id(1.into())).map(|user| user.name), Some("user".into()));
    assert_eq!(facts.holder(&Subject::Id(5.into())).map(|user| user.machine), Some(true));
    for nobody in
        [Subject::Id(3.into()), Subject::Id(6.into()), Subject::Id(7.into()), Subject::Anonymous, Subject::None]
    {
        assert_eq!(facts.holder(&nobody), None, "{nobody:?}");
    }
}
