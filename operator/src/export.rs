//! Leaving: what can be taken along to another system.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bcrypt::BASE_64;
use hublet::store::{FromRow, Query, Row, Statement};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Operator, Result, invalid};

/// The cost of a new hash, as `htpasswd -B` has it: registries verify it with every request, and the password is random.
const COST: u32 = 5;

/// A row that is JSON already.
struct Json(Value);

impl FromRow for Json {
    fn from_row(row: &mut Row) -> Self {
        let text = row.get::<String>("object");
        Self(row.json("object", &text))
    }
}

/// All that is here apart from secrets, images and what was.
#[derive(Debug, Serialize)]
pub struct Everything {
    /// Users and service accounts, with e-mail addresses.
    pub users: Vec<Value>,
    /// Namespaces, with their members.
    pub namespaces: Vec<Value>,
    /// Repositories, with their collaborators.
    pub repositories: Vec<Value>,
}

const USERS: &str = "select json_object('name', u.name, 'kind', iif(u.kind = 'machine', 'service account', 'user'),
     'status', u.status, 'administrator', json(iif(u.administrator, 'true', 'false')),
     'namespace', (select name from namespaces where id = u.machine_of),
     'emails', (select json_group_array(json_object('address', address,
         'confirmed', json(iif(confirmed_at is null, 'false', 'true'))))
       from (select address, confirmed_at from emails where user_id = u.id order by id))) object
   from users u order by u.name";

const NAMESPACES: &str = "select json_object('name', n.name, 'owner', (select name from users where id = n.owner_id),
     'members', (select json_group_array(json_object('user', name, 'role', role))
       from (select u.name, m.role from members m join users u on u.id = m.user_id
         where m.namespace_id = n.id order by u.name))) object
   from namespaces n order by n.name";

const REPOSITORIES: &str = "select json_object('name', r.full_name,
     'visibility', iif(r.private, 'private', 'public'),
     'description', r.description, 'full_description', r.full_description,
     'collaborators', (select json_group_array(json_object('user', name, 'role', role))
       from (select u.name, c.role from collaborators c join users u on u.id = c.user_id
         where c.repository_id = r.id order by u.name))) object
   from repositories r where r.deleted_at is null order by r.full_name";

/// What can be taken along.
pub async fn everything(operator: &Operator) -> Result<Everything> {
    let query = |sql| Query::<Vec<Json>>::all(Statement::new(sql));
    let (users, namespaces, repositories) =
        operator.fetch((query(USERS), query(NAMESPACES), query(REPOSITORIES))).await?;
    let values = |rows: Vec<Json>| rows.into_iter().map(|row| row.0).collect();
    Ok(Everything { users: values(users), namespaces: values(namespaces), repositories: values(repositories) })
}

/// A new password for each of these users, as `[name, password, hash]`: what is stored here verifies nothing elsewhere.
pub fn new_passwords(operator: &Operator, names: &[String]) -> Result<Vec<Value>> {
    let one = |name: &String| {
        if name.contains([':', '\n']) {
            return invalid(format!("{name:?} cannot be in a file of passwords"));
        }
        let password = URL_SAFE_NO_PAD.encode(operator.random::<15>()?);
        let salt = operator.random::<16>()?;
        let key = password.bytes().chain([0]).collect::<Vec<_>>();
        let [hash @ .., _] = bcrypt::bcrypt(COST, salt, &key);
        let hash = format!("$2y${COST:02}${}{}", BASE_64.encode(salt), BASE_64.encode(hash));
        Ok(json!([name, password, hash]))
    };
    names.iter().map(one).collect()
}
