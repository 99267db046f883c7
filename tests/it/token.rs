//! Registry tokens as a registry sees them: how they are signed, what they say, what a new key changes,
//! and who must wait.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hublet::{domain::certificates::pem_blocks, wire::Request};
use p256::{
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer, Verifier},
    },
    pkcs8::{DecodePrivateKey, DecodePublicKey},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_support::client::TestClient;
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

/// The leaf of the test app and its CA.
const CHAIN: &str = include_str!("../../test-support/registry/certificates.pem");

/// The key of that leaf.
const KEY: &str = include_str!("../../test-support/registry/key.pem");

/// The leaf that comes after it, and its key.
const NEXT: &str = include_str!("../../test-support/registry/next.pem");
const NEXT_KEY: &str = include_str!("../../test-support/registry/next-key.pem");

const MINT: &str = "GET /token?service=registry&scope=repository:paul/app:pull,push";

/// The certificates of a text.
fn certificates(pem: &str) -> Vec<Certificate> {
    let blocks = pem_blocks(pem, "CERTIFICATE").unwrap_or_default();
    blocks.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
}

/// The public key of a certificate with its algorithm, DER.
fn public_key(certificate: &Certificate) -> Vec<u8> {
    certificate.tbs_certificate().subject_public_key_info().to_der().unwrap_or_default()
}

/// The header and the claims of a token that this certificate's key signed; `Null` for every other.
fn read(token: &str, certificate: &Certificate) -> (Value, Value) {
    let verified = || {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let key = VerifyingKey::from_public_key_der(&public_key(certificate)).ok()?;
        key.verify(signed.as_bytes(), &signature).ok()?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some((json(header)?, json(claims)?))
    };
    verified().unwrap_or_default()
}

/// RFC 7638, from the coordinates at the end of the DER.
fn thumbprint(certificate: &Certificate) -> String {
    let key = public_key(certificate);
    let half = |from: usize| URL_SAFE_NO_PAD.encode(key.get(from..from + 32).unwrap_or_default());
    let (x, y) = (half(key.len() - 64), half(key.len() - 32));
    let canonical = json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y }).to_string();
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

/// An index with Paul, who has a session.
fn test_app() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap_or_else(|error| unreachable!("{error}"));
    let session = client.register("paul");
    (client, session)
}

fn minted(client: &mut TestClient, request: &str) -> String {
    client.ask(request, "paul:secret", "").text("token")
}

#[test]
fn key_hint_follows_the_service() {
    let (mut client, _) = test_app();
    client.app.set("SERVICES", "a=x5c,b=jwks,c=libtrust,d");
    let chain = certificates(CHAIN);
    let (leaf, ca) = (&chain[0], &chain[1]);
    let mut header = |service: &str| {
        let token = minted(&mut client, &MINT.replace("registry", service));
        let (header, claims) = read(&token, leaf);
        assert_eq!(claims["aud"], service);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("JWT")));
        assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
        header
    };
    let x5c = json!([leaf, ca].map(|certificate| STANDARD.encode(certificate.to_der().unwrap())));
    assert_eq!(header("a")["x5c"], x5c);
    assert_eq!(header("d")["x5c"], x5c);
    assert_eq!(header("b")["kid"], thumbprint(leaf));
    // As `openssl pkey -pubin -outform DER | sha256sum` and coreutils' base32 have it.
    let kid = header("c")["kid"].as_str().unwrap().to_owned();
    assert_eq!(kid.split(':').map(str::len).collect::<Vec<_>>(), [4; 12]);
    let digest = Sha256::digest(public_key(leaf));
    let number = |letter: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
    let bits = kid
        .chars()
        .filter(|letter| *letter != ':')
        .fold(String::new(), |bits, letter| bits + &format!("{:05b}", number(letter)));
    let wanted = digest.iter().take(30).fold(String::new(), |bits, byte| bits + &format!("{byte:08b}"));
    assert_eq!(bits, wanted);
}

#[test]
fn token_claims_are_complete() {
    let (mut client, _) = test_app();
    let leaf = &certificates(CHAIN)[0];
    let now = hublet::platform::Platform::now(&*client.app.platform);
    let answer = client.ask(MINT, "paul:secret", "");
    let (_, claims) = read(&answer.text("token"), leaf);
    let expected = json!({
        "iss": "hublet",
        "sub": "paul",
        "aud": "registry",
        "iat": now,
        "nbf": now - 30,
        "exp": now + 300,
        "jti": claims["jti"],
        "access": [{ "type": "repository", "name": "paul/app", "actions": ["pull", "push"] }],
        "credential": claims["credential"],
    });
    assert_eq!(claims, expected);
    assert_eq!(answer.text("issued_at"), "2026-01-01T00:00:00Z");
    let (_, second) = read(&minted(&mut client, MINT), leaf);
    assert_ne!(claims["jti"], second["jti"]);
    let nobodys = client.ask(MINT, "", "").text("token");
    let (_, claims) = read(&nobodys, leaf);
    assert_eq!((&claims["sub"], &claims["access"]), (&json!(""), &json!([])));
}

#[test]
fn rotation_keeps_both_keys_until_compromise() {
    let (mut client, _) = test_app();
    let chain = certificates(CHAIN);
    let pem = |certificate: &Certificate| {
        let der = STANDARD.encode(certificate.to_der().unwrap());
        format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
    };
    let before = format!("Bearer {}", minted(&mut client, MINT));
    client.app.set("REGISTRY_KEY", NEXT_KEY);

    // Between the two settings nothing is signed that no registry would take.
    let response = client.ask(MINT, "paul:secret", "");
    assert_eq!((response.status, &response.body["errors"][0]["code"]), (503, &json!("UNAVAILABLE")));

    client.app.set("REGISTRY_CERTIFICATE", &format!("{NEXT}{}{}", pem(&chain[1]), pem(&chain[0])));
    let next = &certificates(NEXT)[0];
    let after = minted(&mut client, MINT);
    assert_eq!(read(&after, next).1["sub"], "paul");
    assert_eq!(read(&after, &chain[0]).1, Value::Null);
    let after = format!("Bearer {after}");
    for token in [&before, &after] {
        assert_eq!(client.ask("GET /v2/", token, "").status, 200);
    }
    let keys = client.ask("GET /.well-known/jwks.json", "", "").body["keys"].clone();
    let kids = keys.as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>();
    assert_eq!(kids, [json!(thumbprint(next)), json!(thumbprint(&chain[0]))]);

    client.app.set("REGISTRY_CERTIFICATE", &format!("{NEXT}{NEXT}"));
    assert_eq!(client.ask("GET /v2/", &before, "").status, 401);
    let response = client.ask("GET /.well-known/jwks.json", "", "");
    assert_eq!(response.body["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn header_chooses_no_key_and_no_algorithm() {
    let (mut client, _) = test_app();
    let token = minted(&mut client, MINT);
    let (_, rest) = token.split_once('.').unwrap();
    let header = read(&token, &certificates(CHAIN)[0]).0;
    let x5c = header["x5c"].clone();
    for header in [
        json!({ "alg": "none", "typ": "JWT" }),
        json!({ "alg": "HS256", "typ": "JWT", "x5c": x5c }),
        json!({ "alg": "ES256", "typ": "JWT", "x5c": [x5c[0]] }),
        json!({ "alg": "ES256", "typ": "JWT", "x5c": x5c, "jwk": {} }),
        json!({ "alg": "ES256", "typ": "JWT", "x5c": x5c, "jku": "http://127.0.0.1/" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
    ] {
        let forged = format!("Bearer {}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let response = client.ask("GET /v2/", &forged, "");
        assert_eq!((response.status, response.round_trips), (401, 0), "{header}");
    }
}

#[test]
fn certificate_expiry_is_logged_and_enforced() {
    let (mut client, _) = test_app();
    let end =
        |certificate: &Certificate| certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
    let end = certificates(CHAIN).iter().map(end).min().unwrap();
    let mut at = |left: u64| {
        let now = u64::try_from(hublet::platform::Platform::now(&*client.app.platform)).unwrap();
        client.app.platform.advance(end - left - now);
        client.app.set("REGISTRY_TOKEN_SECONDS", "300");
        client.app.platform.log.borrow_mut().clear();
        let told = client.ask(MINT, "", "").status;
        let log = client.app.platform.log.borrow();
        (told, log.iter().find_map(|line| line["ends_in_days"].as_u64()))
    };
    let sixty_days = 60 * 24 * 60 * 60;
    assert_eq!(at(sixty_days), (200, None));
    assert_eq!(at(sixty_days - 1), (200, Some(59)));
    assert_eq!(at(1), (200, Some(0)));
    assert_eq!(at(0), (503, Some(0)));
}

/// A token that says this, under the index's own key.
fn signed(header: &Value, claims: &Value) -> String {
    let der = pem_blocks(KEY, "PRIVATE KEY").unwrap_or_default().pop().unwrap_or_default();
    let Ok(key) = SigningKey::from_pkcs8_der(&der) else { return String::new() };
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let unsigned = format!("{header}.{claims}");
    let signature: Signature = key.sign(unsigned.as_bytes());
    format!("Bearer {unsigned}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

#[test]
fn claims_are_checked_after_the_signature() {
    let (mut client, _) = test_app();
    let (header, claims) = read(&minted(&mut client, MINT), &certificates(CHAIN)[0]);
    let now = hublet::platform::Platform::now(&*client.app.platform);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signed(&header, &claims)
    };
    let (leaf, kid) = (header["x5c"][0].clone(), thumbprint(&certificates(CHAIN)[0]));
    for (status, token) in [
        (200, signed(&header, &claims)),
        (200, signed(&json!({ "alg": "ES256", "typ": "JWT", "kid": kid }), &claims)),
        (401, signed(&json!({ "alg": "ES256", "typ": "JWT" }), &claims)),
        (401, signed(&json!({ "alg": "ES256", "typ": "JWT", "x5c": [leaf] }), &claims)),
        (401, signed(&json!({ "alg": "ES384", "typ": "JWT", "kid": kid }), &claims)),
        (401, signed(&json!(null), &claims)),
        (200, with("exp", json!(now + 1))),
        (401, with("exp", json!(now))),
        (200, with("nbf", json!(now))),
        (401, with("nbf", json!(now + 1))),
        (401, with("iss", json!("another"))),
        (401, with("aud", json!("another"))),
        (401, with("credential", json!(""))),
        (401, with("credential", json!("password"))),
    ] {
        let response = client.ask("GET /v2/", &token, "");
        assert_eq!((response.status, response.round_trips), (status, u64::from(status == 200)), "{token}");
    }
    let catalog =
        |kind: &str, name: &str, actions: &[&str]| json!([{ "type": kind, "name": name, "actions": actions }]);
    for (status, access) in [
        (200, catalog("registry", "catalog", &["search"])),
        (200, catalog("registry", "catalog", &["*"])),
        (200, catalog("registry", "catalog", &["pull", "search"])),
        (401, catalog("registry", "catalog", &["pull"])),
        (401, catalog("registry", "catalog", &[])),
        (401, catalog("registry", "other", &["search"])),
        (401, catalog("repository", "catalog", &["search"])),
        (401, json!([{ "type": "registry", "name": "catalog" }])),
        (401, json!([])),
    ] {
        let response = client.ask("GET /v1/search?q=app", &with("access", access.clone()), "");
        assert_eq!(response.status, status, "{access}");
    }
}

#[test]
fn throttled_token_request_returns_429() {
    let (mut client, session) = test_app();
    let (access, _) = client.access_token(&session);
    for _ in 0..5 {
        assert_eq!(client.ask(MINT, "paul:guess", "").status, 401);
    }
    let form = "grant_type=password&service=registry&client_id=docker&username=paul&password=secret";
    for (request, who, body) in [(MINT, "paul:secret", ""), ("POST /token", "", form)] {
        let response = client.ask(request, who, body);
        assert_eq!((response.status, response.header("retry-after")), (429, "1"), "{response:?}");
        assert_eq!(response.body["error"], "temporarily_unavailable");
        assert_eq!(response.body["errors"][0]["code"], "TOOMANYREQUESTS");
        assert_eq!(response.body["details"], response.body["error_description"]);
    }
    // What cannot be guessed does not wait.
    assert_eq!(client.ask(MINT, &format!("paul:{access}"), "").status, 200);
    client.app.platform.advance(1);
    assert_eq!(client.ask(MINT, "paul:secret", "").status, 200);

    client.app.platform.over_limits.set(true);
    for (request, who) in [(MINT, ""), (MINT, "jane:secret"), ("POST /v2/users/login", "")] {
        let body =
            if who.is_empty() && request.starts_with("POST") { r#"{"username": "jane", "password": "x"}"# } else { "" };
        let response = client.ask(request, who, body);
        assert_eq!((response.status, response.header("retry-after")), (429, "60"), "{request} {response:?}");
    }
    assert_eq!(client.ask(MINT, &format!("paul:{access}"), "").status, 200);
}

#[test]
fn refresh_tokens_are_limited_to_fifty() {
    let (mut client, session) = test_app();
    let login = "GET /token?service=registry&client_id=docker&offline_token=true";
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(client.ask(login, "paul:secret", "").text("refresh_token"));
        client.app.platform.advance(1);
    }
    let refresh = |client: &mut TestClient, at: usize| {
        let form = format!("grant_type=refresh_token&service=registry&client_id=docker&refresh_token={}", tokens[at]);
        client.ask("POST /token", "", &form).status
    };
    // The oldest is used after an hour, so that this is written down, and the second is the least used then.
    client.app.platform.advance(60 * 60);
    assert_eq!(refresh(&mut client, 0), 200);
    assert!(client.ask(login, "paul:secret", "").text("refresh_token").starts_with("hlr_"));
    assert_eq!([0, 1, 2].map(|at| refresh(&mut client, at)), [200, 401, 200]);
    assert_eq!(client.ask("GET /v2/refresh-tokens", &session, "").status, 401, "a session lives ten minutes");
    let session = client.ask("POST /v2/users/login", "", r#"{"username": "paul", "password": "secret"}"#).text("token");
    let listed = client.ask("GET /v2/refresh-tokens", &format!("Bearer {session}"), "");
    assert_eq!(listed.body["count"], 50);
}

#[test]
fn secrets_are_stored_as_hashes() {
    let (mut client, session) = test_app();
    let (access, _) = client.access_token(&session);
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "");
    let stored = |sql: &str| client.app.db.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let hash = |secret: &str| hublet::domain::secret::sha256_hex(secret);
    assert_eq!(stored("select hash from access_tokens"), hash(&access));
    assert_eq!(stored("select hash from refresh_tokens"), hash(&login.text("refresh_token")));
}

#[test]
fn plain_http_credentials_are_refused_unread() {
    let (client, _) = test_app();
    let asked = |method: &str, path: &str, query: &str, authorization: &str| {
        let headers = [("authorization", authorization)].into_iter().filter(|(_, value)| !value.is_empty());
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            host: "hub.example.com".into(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: Some(Vec::new()),
            ..Request::default()
        };
        let reply = client.app.answer(&request);
        let log = client.app.platform.log.borrow();
        (reply.status, log.iter().rev().find_map(|line| line.get("round_trips")?.as_u64()).unwrap())
    };
    let basic = format!("Basic {}", STANDARD.encode("paul:secret"));
    let registry = client.event_authorization("registry");
    assert_eq!(asked("GET", "/token", "service=registry", &basic), (403, 0));
    assert_eq!(asked("POST", "/token", "", ""), (403, 0));
    assert_eq!(asked("POST", "/account/confirm", "", ""), (403, 0));
    assert_eq!(asked("POST", "/account/password", "", ""), (403, 0));
    assert_eq!(asked("POST", "/events", "", &registry), (403, 0));
    assert_eq!(asked("GET", "/v2/_catalog", "", "Bearer x.y.z"), (403, 0));
    assert_eq!(asked("GET", "/v2/user", "", "Bearer x.y.z"), (403, 0));
    assert_eq!(asked("GET", "/token", "service=registry", ""), (200, 1));
    // Where the index is reached is for PUBLIC_URL to say, and for no Host header.
    assert_eq!(asked("GET", "/v2/", "", ""), (503, 0));
}

#[test]
fn five_hundred_scopes_fit_into_a_token() {
    let (mut client, _) = test_app();
    // As many as the body of a token request holds.
    let name = |number: usize| format!("paul/{number:095}");
    let ask = |client: &mut TestClient, many: usize| {
        let scopes = (0..many).map(|number| format!("repository:{}:pull,push", name(number))).collect::<Vec<_>>();
        let scopes = scopes.join("+");
        let form = format!("service=registry&client_id=mirror&username=paul&password=secret&scope={scopes}");
        client.ask("POST /token", "", &format!("grant_type=password&{form}"))
    };
    let response = ask(&mut client, 500);
    assert_eq!((response.status, response.round_trips), (200, 1), "{response:?}");
    let leaf = &certificates(CHAIN)[0];
    let (_, claims) = read(&response.text("token"), leaf);
    for (number, granted) in claims["access"].as_array().unwrap().iter().enumerate() {
        let expected = json!({ "type": "repository", "name": name(number), "actions": ["pull", "push"] });
        assert_eq!(granted, &expected);
    }
    assert_eq!(claims["access"].as_array().map(Vec::len), Some(500));
    let gate = client.ask("GET /v2/", &format!("Bearer {}", response.text("token")), "");
    assert_eq!(gate.status, 200, "what is signed here is taken here");
    assert_eq!(ask(&mut client, 501).status, 400);
}
