//! Access tokens.

use constcat::concat;

use crate::{
    domain::{AccessTokenId, UserId, audit::AuditAction, token_restrictions::TokenRestrictions},
    store::{
        FromRow, Keyed, Query, Row, Statement, Step, Transaction,
        audit::{self, Account, AuditContext},
        token_details::{TOKEN_OWNER, TokenDetails, TokenOwner, by_uuid},
    },
};

/// An access token as it bears on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Never given twice.
    pub id: AccessTokenId,
    /// What it allows.
    pub restrictions: TokenRestrictions,
    /// When it was last used, roughly.
    pub used_at: Option<i64>,
    active: bool,
    expires_at: Option<i64>,
}

impl FromRow for AccessToken {
    fn from_row(row: &mut Row) -> Self {
        let (scopes, resources) = (row.get::<String>("token_scopes"), row.get::<Option<String>>("token_resources"));
        Self {
            id: row.get("token_id"),
            restrictions: TokenRestrictions::stored(&scopes, resources.as_deref()),
            used_at: row.get("token_used_at"),
            active: row.get("token_active"),
            expires_at: row.get("token_expires_at"),
        }
    }
}

/// The columns of an [`AccessToken`] `t`, but for when it expires (`token_expires_at`).
pub(super) const TOKEN_COLUMNS: &str = "t.id token_id, t.scopes token_scopes, t.resources token_resources,
   t.is_active token_active, t.used_at token_used_at";

impl Keyed for AccessToken {
    const KEY: &'static str = "token_id";
}

impl AccessToken {
    /// Whether it opens anything now.
    #[must_use]
    pub fn is_good(&self, now: i64) -> bool {
        self.active && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// Notes that a token was used.
#[must_use]
pub fn used(id: AccessTokenId, now: i64) -> Statement {
    Statement::new("update access_tokens set used_at = ?2 where id = ?1").bind(id).bind(now)
}

/// A new access token.
pub struct New<'a> {
    /// Its public name.
    pub uuid: &'a str,
    /// Whose rights it has.
    pub user_id: UserId,
    /// The name of that user.
    pub user: &'a str,
    /// SHA-256 of the secret.
    pub hash: &'a str,
    /// What people call it.
    pub label: &'a str,
    /// JSON list, as it was sent.
    pub scopes: &'a str,
    /// JSON list.
    pub resources: Option<&'a str>,
    /// Seconds since 1970.
    pub expires_at: Option<i64>,
    /// As it was sent, or as it was decided.
    pub expires_text: Option<&'a str>,
    /// The fewest days of the warnings that it needs no more.
    pub warned: Option<i64>,
    /// Who made it.
    pub by: &'a AuditContext,
    /// With what.
    pub creator_ua: &'a str,
    /// The most that a user may have.
    pub most: i64,
}

/// Creates a token, unless its user has the most already; returns it if this created it.
pub fn create(transaction: &mut Transaction, new: &New<'_>) -> Step<Option<TokenDetails>> {
    let insert = Statement::new(
        "insert into access_tokens (uuid, user_id, hash, label, scopes, resources, expires_at, expires_text,
           created_by, creator_ip, creator_ua, created_at, warned_days)
         select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?14
         where (select count(*) from (select 1 from access_tokens where user_id = ?2 limit ?13)) < ?13",
    )
    .bind(new.uuid)
    .bind(new.user_id)
    .bind(new.hash)
    .bind(new.label)
    .bind(new.scopes)
    .bind(new.resources)
    .bind(new.expires_at)
    .bind(new.expires_text)
    .bind(new.by.actor.as_str())
    .bind(new.by.address.as_str())
    .bind(new.creator_ua)
    .bind(new.by.now)
    .bind(new.most)
    .bind(new.warned);
    let limits = [("resources", new.resources), ("expires_at", new.expires_text)];
    let limits = limits.into_iter().filter_map(|(key, text)| Some((key, text?)));
    let data = [("user", new.user), ("label", new.label), ("scopes", new.scopes)];
    let data = data.into_iter().chain(limits).collect::<Vec<_>>();
    let record = audit::record(new.by, AuditAction::OrgAccessTokenCreate, Account::Of(new.user_id), new.uuid, &data);
    transaction.run([insert, record]);
    transaction.read(by_uuid(&TokenOwner::User(new.user_id), new.uuid))
}

/// Changes the label or the state of a token; returns it as it is then.
pub fn update(
    transaction: &mut Transaction,
    user: UserId,
    uuid: &str,
    label: Option<&str>,
    active: Option<bool>,
    by: &AuditContext,
) -> Step<Option<TokenDetails>> {
    let label_data = label.map(|label| ("label", label));
    let active_data = active.map(|active| ("is_active", audit::flag(active)));
    let data = label_data.into_iter().chain(active_data).collect::<Vec<_>>();
    transaction.run([
        Statement::new(
            "update access_tokens set label = ifnull(?3, label), is_active = ifnull(?4, is_active)
             where user_id = ?1 and uuid = ?2",
        )
        .bind(user)
        .bind(uuid)
        .bind(label)
        .bind(active),
        audit::record(by, AuditAction::OrgAccessTokenUpdate, Account::Of(user), uuid, &data),
    ]);
    transaction.read(by_uuid(&TokenOwner::User(user), uuid))
}

/// A token, as far as a renewal depends on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Renewable {
    /// The user whose rights it has.
    pub user_id: UserId,
    /// SHA-256 of the secret that it has.
    pub hash: String,
    /// An inactive one is not renewed.
    pub active: bool,
    /// Seconds since 1970, since when it has that secret.
    pub begun_at: i64,
    /// Seconds since 1970.
    pub expires_at: Option<i64>,
}

impl FromRow for Renewable {
    fn from_row(row: &mut Row) -> Self {
        Self {
            user_id: row.get("user_id"),
            hash: row.get("hash"),
            active: row.get("is_active"),
            begun_at: row.get("begun_at"),
            expires_at: row.get("expires_at"),
        }
    }
}

/// One token, to renew it.
#[must_use]
pub fn renewable(owner: &TokenOwner<'_>, uuid: &str) -> Query<Option<Renewable>> {
    let sql = concat!(
        "select user_id, hash, is_active, ifnull(renewed_at, created_at) begun_at, expires_at from access_tokens
         where user_id = ",
        TOKEN_OWNER,
        " and uuid = ?4"
    );
    Query::optional(owner.bind_to(Statement::new(sql)).bind(uuid))
}

/// A new secret for a token.
pub struct Renewal<'a> {
    /// Whose it is.
    pub user: UserId,
    /// Its public name.
    pub uuid: &'a str,
    /// SHA-256 of the secret that it has: where it has another one by now, it is not renewed.
    pub from: &'a str,
    /// SHA-256 of the new one.
    pub to: &'a str,
    /// Until when the earlier secret stays valid; `None`: it is revoked at once.
    pub previous_until: Option<i64>,
    /// Seconds since 1970.
    pub expires_at: Option<i64>,
    /// As it was sent, or as it was decided.
    pub expires_text: Option<&'a str>,
    /// The fewest days of the warnings that it needs no more.
    pub warned: Option<i64>,
}

/// Gives a token a new secret and a new end, and ends an earlier secret that was still good beside the one it had.
/// Returns whether this renewed it, and the token as it is then.
pub fn renew(
    transaction: &mut Transaction,
    renewal: &Renewal<'_>,
    by: &AuditContext,
) -> (Step<bool>, Step<Option<TokenDetails>>) {
    let update = Statement::new(
        "update access_tokens set hash = ?4, previous_hash = iif(?5 is null, null, hash), previous_until = ?5,
           expires_at = ?6, expires_text = ?7, warned_days = ?8, renewed_at = ?9
         where user_id = ?1 and uuid = ?2 and hash = ?3 and is_active = 1",
    )
    .bind(renewal.user)
    .bind(renewal.uuid)
    .bind(renewal.from)
    .bind(renewal.to)
    .bind(renewal.previous_until)
    .bind(renewal.expires_at)
    .bind(renewal.expires_text)
    .bind(renewal.warned)
    .bind(by.now);
    let overlap = renewal.previous_until.map_or(0, |until| until - by.now).to_string();
    let data = [("expires_at", renewal.expires_text.unwrap_or_default()), ("overlap_seconds", &overlap)];
    let record = audit::record(by, AuditAction::OrgAccessTokenRenew, Account::Of(renewal.user), renewal.uuid, &data);
    transaction.run([update]);
    let renewed = transaction.read(Query::any(record));
    (renewed, transaction.read(by_uuid(&TokenOwner::User(renewal.user), renewal.uuid)))
}

/// Deletes earlier secrets that are no longer valid, at most `most`.
#[must_use]
pub fn forget_previous(now: i64, most: i64) -> Query<usize> {
    let sql = "update access_tokens set previous_hash = null, previous_until = null
       where id in (select id from access_tokens where previous_until <= ?1 order by previous_until limit ?2)
       returning 1";
    Query::number(Statement::new(sql).bind(now).bind(most))
}

/// Deletes the token of a secret, whatever state it is in; the earlier secret of a renewed one ends alone.
/// Nothing, where there is none of this hash.
#[must_use]
pub fn revoke(hash: &str, address: &str, now: i64) -> Vec<Statement> {
    vec![
        Statement::new(
            "insert into audit (at, account, action, name, actor, credential, address, data)
             select ?2, coalesce(u.machine_of, (select id from namespaces where owner_id = u.id)),
               'org.access_token.delete', t.uuid, u.name, 'access-token ' || t.uuid, ?3,
               iif(t.hash = ?1, '{}', json_object('secret', 'previous'))
             from access_tokens t join users u on u.id = t.user_id where t.hash = ?1 or t.previous_hash = ?1",
        )
        .bind(hash)
        .bind(now)
        .bind(address),
        Statement::new("update access_tokens set previous_hash = null, previous_until = null where previous_hash = ?1")
            .bind(hash),
        Statement::new("delete from access_tokens where hash = ?1").bind(hash),
    ]
}

/// Deletes a token; returns whether there was one.
pub fn delete(transaction: &mut Transaction, user: UserId, uuid: &str, by: &AuditContext) -> Step<bool> {
    let delete = "delete from access_tokens where user_id = ?1 and uuid = ?2";
    transaction.run([Statement::new(delete).bind(user).bind(uuid)]);
    let record = audit::record(by, AuditAction::OrgAccessTokenDelete, Account::Of(user), uuid, &[]);
    transaction.read(Query::any(record))
}
