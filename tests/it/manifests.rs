//! What is kept of manifests goes once nothing names them, and not before.

use serde_json::{Value, json};
use test_support::client::TestClient;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Days after which the scheduled run looks, and some more.
const A_WHILE: u64 = 8 * 24 * 60 * 60;

struct Registry {
    client: TestClient,
    secret: String,
    delivered: usize,
}

impl Registry {
    fn new() -> Self {
        let mut client = TestClient::new().unwrap();
        client.register("paul");
        let secret = client.event_authorization("registry");
        Self { client, secret, delivered: 0 }
    }

    /// Something happens to `paul/app`; names stand for digests.
    fn tells(&mut self, action: &str, tag: &str, digest: &str, images: &[&str]) {
        self.client.app.platform.advance(1);
        self.delivered += 1;
        let named = |name: &&str| json!({ "digest": format!("sha256:{name}"), "platform": { "os": "linux", "architecture": name } });
        let target = json!({
            "repository": "paul/app", "tag": tag, "mediaType": if images.is_empty() { IMAGE } else { INDEX },
            "digest": if digest.is_empty() { String::new() } else { format!("sha256:{digest}") },
            "references": if images.is_empty() { json!([{ "size": 7 }]) } else { images.iter().map(named).collect::<Value>() },
        });
        let event = json!({ "events": [{ "id": self.delivered.to_string(), "action": action, "target": target }] });
        let response = self.client.ask("POST /events", &self.secret, &event.to_string());
        assert_eq!((response.status, &response.body["taken"]), (200, &json!(1)), "{response:?}");
    }

    /// What is kept after a while.
    fn keeps(&mut self) -> String {
        self.client.app.platform.advance(A_WHILE);
        self.client.app.scheduled();
        let sql =
            "select ifnull(group_concat(substr(digest, 8), ' '), '') from (select digest from manifests order by 1)";
        self.client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// How many are still to be looked at.
    fn waiting(&self) -> i64 {
        let sql = "select count(*) from manifests where look_at is not null";
        self.client.app.db.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn manifest_goes_with_its_last_reference() {
    let mut registry = Registry::new();
    registry.tells("push", "", "amd64", &[]);
    registry.tells("push", "", "arm64", &[]);
    registry.tells("push", "1", "old", &["amd64", "arm64"]);
    registry.tells("push", "2", "new", &["arm64", "s390x"]);
    registry.tells("push", "1-amd64", "amd64", &[]);
    assert_eq!(registry.keeps(), "amd64 arm64 new old s390x");
    assert_eq!(registry.waiting(), 0, "what is named is not looked at again and again");

    registry.tells("push", "1", "new", &["arm64", "s390x"]);
    assert_eq!(registry.keeps(), "amd64 arm64 new s390x", "the images of an index that is gone are looked at next");
    assert_eq!(registry.keeps(), "amd64 arm64 new s390x", "a tag and another index name them");

    registry.tells("delete", "1-amd64", "", &[]);
    assert_eq!(registry.keeps(), "arm64 new s390x");
    registry.tells("delete", "", "new", &[]);
    assert_eq!(registry.keeps(), "arm64 s390x");
    assert_eq!(registry.keeps(), "");
}

#[test]
fn images_pushed_before_their_index_are_kept() {
    let mut registry = Registry::new();
    registry.tells("push", "", "amd64", &[]);
    registry.client.app.scheduled();
    registry.tells("push", "1", "index", &["amd64"]);
    let tag = registry.client.ask("GET /v2/repositories/paul/app/tags/1", "", "");
    assert_eq!(tag.body["images"][0]["size"], 7, "{tag:?}");
    registry.tells("delete", "", "", &[]);
    assert_eq!(registry.keeps(), "amd64");
    assert_eq!(registry.keeps(), "");
}

#[test]
fn deleted_tag_releases_its_manifest() {
    let mut registry = Registry::new();
    registry.tells("push", "1", "one", &[]);
    assert_eq!(registry.keeps(), "one");
    let login = json!({ "username": "paul", "password": "secret" }).to_string();
    let session = format!("Bearer {}", registry.client.ask("POST /v2/users/login", "", &login).text("token"));
    let gone = registry.client.ask("DELETE /v2/repositories/paul/app/tags/1", &session, "");
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(registry.keeps(), "");
}
