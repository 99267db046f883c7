//! Repositories as they are managed: everything that is told of them, lists of a namespace, and what
//! their admins change.

use constcat::concat;

use crate::{
    domain::RepositoryName,
    store::{
        Statement,
        audit::{self, Account, AuditContext},
        repositories::{Subject, enqueue, give_way, located, told},
        roles::{LOOKED_UP, LOOKUP, READS_PUBLIC, SUBJECT, WITH_ROLE},
        tombstones::{bury, moved},
        users::STATUS,
    },
};

/// A place with all that is told of its repository to who may read it; always one row.
#[must_use]
pub fn repository(name: &RepositoryName, subject: &Subject<'_>) -> Statement {
    let sql = concat!(
        WITH_ROLE,
        "select p.*, r.description, r.full_description, r.star_count, r.pull_count, r.created_at, r.updated_at,
           exists (select 1 from tags t where t.repository_id = r.id and t.deleted = 0) tagged,
           (select count(*) from collaborators k where k.repository_id = r.id) collaborator_count,
           exists (select 1 from stars s where s.user_id = p.user_id and s.repository_id = r.id) starred
         from place p left join repositories r on r.id = p.repository_id and p.role >= 1"
    );
    located(sql, name, subject)
}

/// The place of this name in a namespace, or in the user's own one, whose name is in the row too
/// (`namespace`), with whether the last one of this name was private (`buried_private`).
#[must_use]
pub fn lookup_in_own_namespace(namespace: Option<&str>, name: &str, subject: &Subject<'_>) -> Statement {
    let sql = concat!(
        "select ",
        LOOKUP,
        ", asked.namespace, (select t.private from tombstones t where t.namespace_id = n.id and t.name = asked.name)
           buried_private
         from (select coalesce(?4, (select name from namespaces where owner_id = ?2)) as namespace, ?5 as name)",
        LOOKED_UP
    );
    subject.bind_to(Statement::new(sql)).bind(namespace).bind(name)
}

/// Which repositories of a namespace are listed, and how.
pub struct List<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// What their names have in them, in any case.
    pub name: &'a str,
    /// `name` or `pull_count`, descending behind a `-`; or `last_updated`, the newest first, the oldest behind a `-`.
    pub ordering: &'a str,
    /// Lets an administrator see everything.
    pub administrating: bool,
    /// At most so many.
    pub limit: i64,
    /// Behind so many.
    pub offset: i64,
}

/// The statement of lists in this order. Who has no role in the namespace has what is public there and what they are a
/// collaborator of, and nothing else is looked at for them.
macro_rules! listed {
    ($order:literal) => {
        concat!(
            "with there as materialized (
               select n.id namespace_id, u.id user_id, n.owner_id is not null and n.owner_id = u.id owner,
                 m.role member_role, ",
            READS_PUBLIC,
            " reads_public, ?6 and ifnull(u.administrator, 0) administrator
               from (select 1) left join namespaces n on n.name = ?4 left join users u on ",
            STATUS,
            " = 'active' and u.id = ",
            SUBJECT,
            "  left join members m on m.namespace_id = n.id and m.user_id = u.id),
             readable as materialized (
               select r.id, r.name, r.updated_at, r.pull_count
               from there t cross join repositories r on r.namespace_id = t.namespace_id
               where (t.owner or t.administrator or t.member_role is not null)
                 and r.deleted_at is null and (?5 = '' or instr(lower(r.name), lower(?5)) > 0)
               union
               select r.id, r.name, r.updated_at, r.pull_count
               from there t cross join repositories r on r.namespace_id = t.namespace_id
               where t.reads_public and r.private = 0
                 and r.deleted_at is null and (?5 = '' or instr(lower(r.name), lower(?5)) > 0)
               union
               select r.id, r.name, r.updated_at, r.pull_count
               from there t cross join collaborators k on k.user_id = t.user_id
                 cross join repositories r on r.id = k.repository_id and r.namespace_id = t.namespace_id
               where r.deleted_at is null and (?5 = '' or instr(lower(r.name), lower(?5)) > 0))
             select t.namespace_id, t.owner, t.administrator, t.member_role, k.role collaborator_role, c.count,
               r.id repository_id, r.name, r.private, r.private = 0 and t.reads_public public, r.revision, null deleted_at,
               r.description,
               r.star_count, r.pull_count, r.created_at, r.updated_at,
               exists (select 1 from tags where repository_id = r.id and deleted = 0) tagged
             from there t join (select count(*) count from readable) c
             left join (select id from readable order by ",
            $order,
            " limit ?7 offset ?8) p on true left join repositories r on r.id = p.id
             left join collaborators k on k.repository_id = r.id and k.user_id = t.user_id order by ",
            $order
        )
    };
}

/// The repositories of a namespace that somebody may read, each with its place and what a list tells
/// of it, and in every row `count`. A page past the end is one row without a `name`, and so is a namespace that does not
/// exist, for which there is no `namespace_id`. Nothing for an order that there is not.
#[must_use]
pub fn list(list: &List<'_>, subject: &Subject<'_>) -> Option<Statement> {
    let sql = match list.ordering {
        "name" => listed!("name"),
        "-name" => listed!("name desc"),
        "last_updated" => listed!("updated_at desc, name"),
        "-last_updated" => listed!("updated_at, name"),
        "pull_count" => listed!("pull_count, name"),
        "-pull_count" => listed!("pull_count desc, name"),
        _ => return None,
    };
    let statement = subject.bind_to(Statement::new(sql)).bind(list.namespace).bind(list.name);
    Some(statement.bind(list.administrating).bind(list.limit).bind(list.offset))
}

/// A new repository.
pub struct New<'a> {
    /// Where.
    pub namespace: i64,
    /// With the name of that namespace.
    pub name: &'a RepositoryName,
    /// One line.
    pub description: &'a str,
    /// A page.
    pub full_description: &'a str,
    /// Only for who was named.
    pub private: bool,
    /// Whether that was asked for: where it is only usual, what was private is private again.
    pub asked: bool,
    /// Who makes it.
    pub by: &'a AuditContext,
    /// The most that the namespace may have.
    pub most: i64,
}

/// Makes a repository, unless it is there, or its namespace has the most already; one that was marked
/// deleted (`pending_deletion`) goes first. The last statement gives a row if this made it.
#[must_use]
pub fn create(new: &New<'_>, pending_deletion: Option<i64>) -> Vec<Statement> {
    let mut statements = pending_deletion.map(|id| give_way(id, new.name, new.by)).unwrap_or_default();
    statements.push(
        Statement::new(concat!(
            "insert into repositories (namespace_id, name, full_name, private, description, full_description,
               created_at, updated_at)
             select id, ?2, name || '/' || ?2, iif(?8, ?3,
                 max(?3, ifnull((select private from tombstones where namespace_id = ?1 and name = ?2), 0))),
               ?4, ?5, ?6, ?6 from namespaces where id = ?1
               and (select count(*) from (select 1 from repositories where namespace_id = ?1 limit ?7)) < ?7
             on conflict (namespace_id, name) do nothing"
        ))
        .bind(new.namespace)
        .bind(new.name.name.as_str())
        .bind(new.private)
        .bind(new.description)
        .bind(new.full_description)
        .bind(new.by.now)
        .bind(new.most)
        .bind(new.asked),
    );
    let data = [("is_private", audit::flag(new.private))];
    let account = Account::Named(&new.name.namespace);
    statements.push(audit::record(new.by, "repo.create", account, &new.name.to_string(), &data));
    statements
}

/// What is to be changed of a repository; nothing stays as it is.
#[derive(Default)]
pub struct Change<'a> {
    /// One line.
    pub description: Option<&'a str>,
    /// A page.
    pub full_description: Option<&'a str>,
    /// Only for who was named.
    pub private: Option<bool>,
}

/// Changes a repository. Hiding it goes ahead in search as the next revision, so the change itself is
/// the one behind that.
#[must_use]
pub fn update(id: i64, name: &RepositoryName, change: &Change<'_>, by: &AuditContext) -> Vec<Statement> {
    let mut statements = Vec::new();
    if let Some(private) = change.private {
        // On its own, so that the audit is told of it only where it was otherwise.
        statements.push(
            Statement::new(
                "update repositories set private = ?2 where id = ?1 and private <> ?2 and deleted_at is null",
            )
            .bind(id)
            .bind(private),
        );
        let (account, data) = (Account::Named(&name.namespace), [("is_private", audit::flag(private))]);
        statements.push(audit::record(by, "repo.change_privacy", account, &name.to_string(), &data));
    }
    statements.extend([
        Statement::new(
            "update repositories set description = ifnull(?2, description),
               full_description = ifnull(?3, full_description), private = ifnull(?4, private), updated_at = ?5,
               revision = revision + 1 + ifnull(?4, 0)
             where id = ?1 and deleted_at is null",
        )
        .bind(id)
        .bind(change.description)
        .bind(change.full_description)
        .bind(change.private)
        .bind(by.now),
        enqueue(id),
    ]);
    statements
}

/// Removes a repository at once, with all that belongs to it.
#[must_use]
pub fn delete(id: i64, name: &RepositoryName, by: &AuditContext) -> Vec<Statement> {
    vec![
        enqueue(id),
        bury(id, by),
        Statement::new("delete from repositories where id = ?1").bind(id),
        told(by, "repo.delete", name),
    ]
}

/// A repository on its way to another namespace.
pub struct Move<'a> {
    /// The repository.
    pub id: i64,
    /// As it is called.
    pub from: &'a RepositoryName,
    /// The namespace where it goes.
    pub namespace: i64,
    /// As it is called there.
    pub to: &'a RepositoryName,
    /// Whether who has a role in it keeps that: the admins of the namespace never gave it.
    pub keep: bool,
    /// Who moves it.
    pub by: &'a AuditContext,
    /// The most repositories that the namespace may have.
    pub most: i64,
}

/// Moves a repository to another namespace, unless the name is taken there, or it has so many already;
/// one that was marked deleted there (`pending_deletion`) goes first. What was private there before stays so. Both
/// namespaces are told of it, and of every collaborator that it loses.
#[must_use]
pub fn transfer(this: &Move<'_>, pending_deletion: Option<i64>) -> Vec<Statement> {
    let (from, to, by) = (this.from, this.to, this.by);
    let mut statements =
        pending_deletion.map(|pending_deletion| give_way(pending_deletion, to, by)).unwrap_or_default();
    statements.push(enqueue(this.id));
    statements.push(
        Statement::new(concat!(
            "update repositories set namespace_id = ?2, updated_at = ?3, revision = revision + 1,
               full_name = (select n.name from namespaces n where n.id = ?2) || '/' || name,
               private = max(private, ifnull(
                 (select t.private from tombstones t where t.namespace_id = ?2 and t.name = repositories.name), 0))
             where id = ?1 and deleted_at is null and exists (select 1 from namespaces where id = ?2)
               and not exists (select 1 from repositories t where t.namespace_id = ?2 and t.name = repositories.name)
               and (namespace_id = ?2
                 or (select count(*) from (select 1 from repositories where namespace_id = ?2 limit ?4)) < ?4)"
        ))
        .bind(this.id)
        .bind(this.namespace)
        .bind(by.now)
        .bind(this.most),
    );
    statements.push(moved(this.id, from, by));
    let (old, new) = (from.to_string(), to.to_string());
    let told = |account, name, data| audit::record(by, "repo.transfer", Account::Named(account), name, &[data]);
    // Each behind the one before, which is there if it was moved.
    statements.push(told(&from.namespace, &old, ("to", new.as_str())));
    statements.push(told(&to.namespace, &new, ("from", old.as_str())));
    if !this.keep {
        statements.push(audit::record_lost_collaborators(by, this.id, from, to));
        let drop = "delete from collaborators where repository_id = ?1 and changes() > 0";
        statements.push(Statement::new(drop).bind(this.id));
    }
    statements
}
