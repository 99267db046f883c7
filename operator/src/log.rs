//! Who did what.

use hublet::store::Statement;

use crate::{Operator, Output, Result, invalid, tokens};

/// The most rows that are read at once.
const MAX_ROWS: usize = 1_000;

/// What is printed for the actor of a row that has none.
const NO_ACTOR: &str = "-";

/// `log`
///
/// The newest rows, or the oldest after the one that was printed last: none is passed over. The output has more to come
/// where it is full. `--name` of a namespace also has all that was done in it. An actor may be a user of a registry's own,
/// `SERVICE:NAME`, of which a registry decides how it is written.
pub async fn log(operator: &Operator) -> Result<Output> {
    let flags = &operator.flags;
    if let Some(name) = flags.name.as_deref().filter(|name| !is_name(name)) {
        let name = serde_json::Value::from(name);
        return invalid(format!("nothing is called {name}: a name has letters, digits and . _ - / alone"));
    }
    let since = flags.days.as_deref().map(tokens::days).transpose()?.map(|seconds| operator.now - seconds);
    let after = flags.after.or(since.map(|_| 0));
    // Two selects read each list: made beforehand, they would be all of the audit.
    // A namespace that is removed has left its name in the row of its removal, one of its last.
    let sql = "with entries as not materialized (
         select a.id, strftime('%Y-%m-%dT%H:%M:%SZ', a.at, 'unixepoch') as time, a.actor, a.action, a.name,
           coalesce((select n.name from namespaces n where n.id = a.account),
             (select d.name from audit d indexed by audit_by_account
              where d.account = a.account and d.action in ('org.delete', 'user.delete') order by d.at desc limit 1),
             '') as namespace,
           a.credential, a.address, a.data, a.at
         from audit a
         where (?2 is null or a.actor = ?2) and a.at >= ifnull(?3, a.at)),
       named as not materialized (select * from entries where ?1 is null or name = ?1 or namespace = ?1)
       select id, time, actor, action, name, namespace, credential, address, data from (
         select * from (select * from named where ?4 is null order by id desc limit ?5)
         union all
         select * from (select * from named where id > ?4 order by id limit ?5))
       order by id";
    let limit = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
    let statement = Statement::new(sql)
        .bind(flags.name.as_deref())
        .bind(flags.actor.as_deref().map(|actor| if actor == NO_ACTOR { "" } else { actor }))
        .bind(since)
        .bind(after)
        .bind(limit);
    let rows = operator.rows(statement).await?;
    Ok(Output { is_full: rows.len() == MAX_ROWS, ..rows.into() })
}

/// Whether something could be called this.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    (1..=300).contains(&text.len()) && text.bytes().all(plain)
}
