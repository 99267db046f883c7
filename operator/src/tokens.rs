//! Access tokens and sessions.

use hublet::{
    domain::{
        UserId, UserName,
        audit::AuditAction,
        ends::{self, DAY},
        opaque_token::{self, TokenKind},
        texts::{self, Form},
        time,
        token_restrictions::{self, Resource, TokenScope},
    },
    store::{
        FromRow, Query, Row, Statement, Transaction,
        access_tokens::{self, New},
        administration,
        audit::{self, Account},
    },
};
use serde_json::json;

use crate::{ALL, Failure, Operator, Output, Result, Words, accounts, invalid, refused, require, row};

/// The longest label, in characters.
const MAX_LABEL_LENGTH: usize = 100;

/// The most days that can be asked for.
const MAX_DAYS: i64 = 99_999;

/// What `--days` says, in seconds.
pub fn days(text: &str) -> Result<i64> {
    let days = text.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days) && !text.starts_with(['0', '+']));
    days.map_or_else(|| invalid("--days is a number from 1 to 99999"), |days: i64| Ok(days * DAY))
}

/// What an access token is to allow, by the flags.
fn restrictions(operator: &Operator) -> Result<(Vec<TokenScope>, Option<Vec<Resource>>)> {
    let flags = &operator.flags;
    let odd = |word: &str| Failure::Invalid(format!("{} is neither a scope nor a resource: see --help", json!(word)));
    let scope = |word: &String| serde_json::from_value::<TokenScope>(json!(word)).map_err(|_| odd(word));
    let scopes = flags.scope.as_ref().map(|words| words.iter().map(scope).collect::<Result<Vec<_>>>());
    let scopes = scopes.unwrap_or_else(|| Ok(vec![TokenScope::Read]));
    let resource = |path: &String| {
        let resource = Resource { path: path.clone(), scopes: Vec::new() };
        let acceptable = token_restrictions::acceptable(std::slice::from_ref(&resource));
        acceptable.map(|()| resource).map_err(|_| odd(path))
    };
    let named = flags.scope.iter().flatten().map(String::as_str).collect::<Vec<_>>();
    if named.contains(&"repo:roles") && !named.contains(&"repo:admin") {
        return invalid("--scope repo:roles goes with --scope repo:admin");
    }
    let scopes = scopes?;
    let resources = flags.resource.as_ref().map(|paths| paths.iter().map(resource).collect::<Result<Vec<_>>>());
    Ok((scopes, resources.transpose()?))
}

/// Warnings of resources that are not what is meant by them.
fn warnings(resources: &[Resource]) -> Vec<String> {
    let bare = resources.iter().map(|resource| resource.path.as_str()).filter(|path| !path.contains('/'));
    let warning = |path| {
        format!(
            "--resource {path} is the one repository library/{path}. For what is in the namespace {path}: \
             --resource '{path}/*', or '{path}/**' with what is deeper"
        )
    };
    bare.map(warning).collect()
}

/// How long an access token may be valid, in seconds.
fn longest(operator: &Operator) -> Result<Option<i64>> {
    if operator.config.problems.iter().any(|problem| problem.starts_with("ACCESS_TOKEN_MAX_DAYS")) {
        return invalid("ACCESS_TOKEN_MAX_DAYS is no number of days");
    }
    Ok(operator.config.access_token_age)
}

/// `token NAME`
pub async fn create(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    let most = longest(operator)?;
    let (scopes, resources) = restrictions(operator)?;
    let warnings = warnings(resources.as_deref().unwrap_or_default());
    let label = operator.flags.label.as_deref().unwrap_or("made by the operator");
    let long = (1..=MAX_LABEL_LENGTH).contains(&label.chars().count());
    if !long || texts::acceptable("--label", label, Form::Line).is_err() {
        return invalid("--label is 1 to 100 printable characters");
    }
    let asked = operator.flags.days.as_deref().map(days).transpose()?;
    if let (Some(asked), Some(most)) = (asked, most)
        && asked > most
    {
        return invalid(format!("--days is at most {}: ACCESS_TOKEN_MAX_DAYS", most / DAY));
    }
    let user = operator.require_user(&name).await?;
    let usual = (!user.machine).then_some(ends::PERSON);
    let expires_at = ends::end(asked.map(|seconds| operator.now + seconds), usual, most, operator.now)?;
    let expires_text = expires_at.map(time::format_seconds);
    let secret = TokenKind::Access.generate(operator.random()?);
    let uuid = opaque_token::uuid(operator.random()?);
    let printed_scopes = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let printed_resources =
        resources.iter().flatten().map(|resource| resource.path.as_str()).collect::<Vec<_>>().join(" ");
    let (scopes, resources) = (json!(scopes).to_string(), resources.map(|resources| json!(resources).to_string()));
    let new = New {
        uuid: &uuid,
        user_id: user.id,
        user: &user.name,
        hash: &TokenKind::Access.parse_and_hash(secret.reveal()).unwrap_or_default(),
        label,
        scopes: &scopes,
        resources: resources.as_deref(),
        expires_at,
        expires_text: expires_text.as_deref(),
        warned: ends::warned(expires_at, operator.now),
        by: &operator.by,
        creator_ua: "npm run admin",
        most: ALL,
    };
    let mut transaction = Transaction::new();
    let created = access_tokens::create(&mut transaction, &new);
    let token = require(operator.commit(transaction).await?.take(created)?)?;
    let columns = [
        ("name", user.name.as_str().into()),
        ("uuid", token.uuid.into()),
        ("scopes", printed_scopes.into()),
        ("resources", printed_resources.into()),
        ("expires", expires_text.as_deref().unwrap_or("never").into()),
    ];
    let secret = secret.reveal();
    let note = format!("\nThe token, which is shown this once; use it where a password goes:\n{secret}");
    Ok(Output { warnings, rows: vec![row(columns)], notes: vec![note], ..Output::default() })
}

/// An access token, and whose it is.
struct Owned {
    user_id: UserId,
    user: String,
}

impl FromRow for Owned {
    fn from_row(row: &mut Row) -> Self {
        Self { user_id: row.get("user_id"), user: row.get("name") }
    }
}

/// `token UUID end`
pub async fn end(operator: &Operator, words: &Words) -> Result<Output> {
    let uuid = words.uuid("UUID")?;
    words.end()?;
    let sql = "select t.user_id, u.name from access_tokens t join users u on u.id = t.user_id where t.uuid = ?1";
    let owned: Option<Owned> = operator.fetch(Query::optional(Statement::new(sql).bind(uuid.as_str()))).await?;
    let owned = require(owned)?;
    let mut transaction = Transaction::new();
    let delete = "delete from access_tokens where user_id = ?1 and uuid = ?2";
    transaction.run([Statement::new(delete).bind(owned.user_id).bind(uuid.as_str())]);
    let data = [("user", owned.user.as_str())];
    let record =
        audit::record(&operator.by, AuditAction::OrgAccessTokenDelete, Account::Of(owned.user_id), &uuid, &data);
    let ended = transaction.read(Query::any(record));
    if !operator.commit(transaction).await?.take(ended)? {
        return refused();
    }
    let columns = [("access token", uuid.into()), ("user", owned.user.into()), ("status", "ended".into())];
    Ok(vec![row(columns)].into())
}

/// `tokens [NAME]`
pub async fn list(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.maybe_user("NAME")?;
    let sql = "select u.name, coalesce(t.uuid, '(none)') as uuid, coalesce(t.label, '') as label,
         coalesce((select group_concat(value, ' ') from json_each(t.scopes)), '') as scopes,
         coalesce((select group_concat(value ->> 'path', ' ') from json_each(t.resources)), '') as resources,
         case when t.is_active = 0 then 'not active' when t.expires_at <= ?2 then 'has ended' when t.id is null then ''
           else 'good' end as state,
         coalesce(t.expires_text, '') as expires, coalesce(t.created_by, '') as \"made by\",
         coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', t.created_at, 'unixepoch'), '') as made,
         coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', t.used_at, 'unixepoch'), '') as used
       from users u left join access_tokens t on t.user_id = u.id
       where u.name = ?1 or ?1 is null and t.id is not null
       order by u.name, t.id";
    let of = name.as_ref().map(UserName::as_str);
    let rows = operator.rows(Statement::new(sql).bind(of).bind(operator.now)).await?;
    if rows.is_empty() && of.is_some() { refused() } else { Ok(rows.into()) }
}

/// `ending`
pub async fn ending(operator: &Operator) -> Result<Output> {
    let sql = "select u.name, t.uuid, t.label, strftime('%Y-%m-%dT%H:%M:%SZ', t.expires_at, 'unixepoch') as expires,
         (t.expires_at - cast(?1 as integer) + 86399) / 86400 as days
       from access_tokens t join users u on u.id = t.user_id
       where t.is_active = 1 and t.expires_at > ?1 and t.expires_at <= ?1 + 60 * 86400
         and (t.warned_days is null or t.warned_days in (1, 7, 30))
       order by t.expires_at limit 1000";
    Ok(operator.rows(Statement::new(sql).bind(operator.now)).await?.into())
}

/// `sessions NAME end`
pub async fn end_sessions(operator: &Operator, words: &Words) -> Result<Output> {
    let name = words.user("NAME")?;
    words.end()?;
    let user = operator.require_user(&name).await?;
    let transaction = administration::end_sessions(&user, false, &operator.by).into();
    let sql = "with whose as (
         select name, status, (select id from namespaces where owner_id = users.id) own from users where id = ?1)
       select name || ' is logged in nowhere, and is ' || status as what, '' as command from whose
       union all
       select 'token ' || a.name || ' of the service account ' || (a.data ->> 'user') || ' has ended with it', ''
       from whose w join audit a on a.account = w.own and a.at = ?2 and a.actor = 'operator'
         and a.action = 'org.access_token.delete' and a.data ->> 'user' <> w.name
       union all
       select 'token ' || t.uuid || ' of the service account ' || m.name || ', which ' || w.name || ' made, goes on',
         'npm run admin -- token ' || t.uuid || ' end'
       from whose w join access_tokens t on t.created_by = w.name
       join users m on m.id = t.user_id and m.kind = 'machine' and m.machine_of is not w.own";
    accounts::finish(operator, transaction, Statement::new(sql).bind(user.id).bind(operator.now)).await
}
