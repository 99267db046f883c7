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
use test_support::{Stage, client::Client};
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

/// The leaf of the stage and its CA.
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
fn index() -> (Client, String) {
    let mut client = Client(Stage::new().unwrap_or_else(|error| unreachable!("{error}")));
    let session = client.join("paul");
    (client, session)
}

fn minted(client: &mut Client, request: &str) -> String {
    client.ask(request, "paul:secret", "").text("token")
}

#[test]
fn each_service_is_told_in_its_way_which_key_signed() {
    let (mut client, _) = index();
    client.0.set("SERVICES", "a=x5c,b=jwks,c=libtrust,d");
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
fn a_token_says_who_for_whom_how_long_and_what() {
    let (mut client, _) = index();
    let leaf = &certificates(CHAIN)[0];
    let now = hublet::platform::Platform::now(&*client.0.platform);
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
fn after_a_rotation_both_keys_count_and_after_a_compromise_the_new_one() {
    let (mut client, _) = index();
    let chain = certificates(CHAIN);
    let pem = |certificate: &Certificate| {
        let der = STANDARD.encode(certificate.to_der().unwrap());
        format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
    };
    let before = format!("Bearer {}", minted(&mut client, MINT));
    client.0.set("REGISTRY_KEY", NEXT_KEY);

    // Between the two settings nothing is signed that no registry would take.
    let told = client.ask(MINT, "paul:secret", "");
    assert_eq!((told.status, &told.body["errors"][0]["code"]), (503, &json!("UNAVAILABLE")));

    client.0.set("REGISTRY_CERTIFICATE", &format!("{NEXT}{}{}", pem(&chain[1]), pem(&chain[0])));
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

    client.0.set("REGISTRY_CERTIFICATE", &format!("{NEXT}{NEXT}"));
    assert_eq!(client.ask("GET /v2/", &before, "").status, 401);
    let told = client.ask("GET /.well-known/jwks.json", "", "");
    assert_eq!(told.body["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn a_header_chooses_no_key_and_no_algorithm() {
    let (mut client, _) = index();
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
        let told = client.ask("GET /v2/", &forged, "");
        assert_eq!((told.status, told.round_trips), (401, 0), "{header}");
    }
}

#[test]
fn from_sixty_days_before_a_certificate_ends_the_log_says_so_and_from_its_end_nothing_is_signed() {
    let (mut client, _) = index();
    let end =
        |certificate: &Certificate| certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
    let end = certificates(CHAIN).iter().map(end).min().unwrap();
    let mut at = |left: u64| {
        let now = u64::try_from(hublet::platform::Platform::now(&*client.0.platform)).unwrap();
        client.0.platform.pass(end - left - now);
        client.0.set("REGISTRY_TOKEN_SECONDS", "300");
        client.0.platform.log.borrow_mut().clear();
        let told = client.ask(MINT, "", "").status;
        let log = client.0.platform.log.borrow();
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
fn a_good_signature_is_not_enough() {
    let (mut client, _) = index();
    let (header, claims) = read(&minted(&mut client, MINT), &certificates(CHAIN)[0]);
    let now = hublet::platform::Platform::now(&*client.0.platform);
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
        let told = client.ask("GET /v2/", &token, "");
        assert_eq!((told.status, told.round_trips), (status, u64::from(status == 200)), "{token}");
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
        let told = client.ask("GET /v1/search?q=app", &with("access", access.clone()), "");
        assert_eq!(told.status, status, "{access}");
    }
}

#[test]
fn whoever_guesses_must_wait_and_is_told_so_in_the_dialect() {
    let (mut client, session) = index();
    let (access, _) = client.access_token(&session);
    for _ in 0..5 {
        assert_eq!(client.ask(MINT, "paul:guess", "").status, 401);
    }
    let form = "grant_type=password&service=registry&client_id=docker&username=paul&password=secret";
    for (request, who, body) in [(MINT, "paul:secret", ""), ("POST /token", "", form)] {
        let told = client.ask(request, who, body);
        assert_eq!((told.status, told.header("retry-after")), (429, "1"), "{told:?}");
        assert_eq!(told.body["error"], "temporarily_unavailable");
        assert_eq!(told.body["errors"][0]["code"], "TOOMANYREQUESTS");
        assert_eq!(told.body["details"], told.body["error_description"]);
    }
    // What cannot be guessed does not wait.
    assert_eq!(client.ask(MINT, &format!("paul:{access}"), "").status, 200);
    client.0.platform.pass(1);
    assert_eq!(client.ask(MINT, "paul:secret", "").status, 200);

    client.0.platform.flooded.set(true);
    for (request, who) in [(MINT, ""), (MINT, "jane:secret"), ("POST /v2/users/login", "")] {
        let body =
            if who.is_empty() && request.starts_with("POST") { r#"{"username": "jane", "password": "x"}"# } else { "" };
        let told = client.ask(request, who, body);
        assert_eq!((told.status, told.header("retry-after")), (429, "60"), "{request} {told:?}");
    }
    assert_eq!(client.ask(MINT, &format!("paul:{access}"), "").status, 200);
}

#[test]
fn fifty_logins_are_kept_and_the_least_used_goes() {
    let (mut client, session) = index();
    let login = "GET /token?service=registry&client_id=docker&offline_token=true";
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(client.ask(login, "paul:secret", "").text("refresh_token"));
        client.0.platform.pass(1);
    }
    let refresh = |client: &mut Client, at: usize| {
        let form = format!("grant_type=refresh_token&service=registry&client_id=docker&refresh_token={}", tokens[at]);
        client.ask("POST /token", "", &form).status
    };
    // The oldest is used after an hour, so that this is written down, and the second is the least used then.
    client.0.platform.pass(60 * 60);
    assert_eq!(refresh(&mut client, 0), 200);
    assert!(client.ask(login, "paul:secret", "").text("refresh_token").starts_with("hlr_"));
    assert_eq!([0, 1, 2].map(|at| refresh(&mut client, at)), [200, 401, 200]);
    assert_eq!(client.ask("GET /v2/refresh-tokens", &session, "").status, 401, "a session lives ten minutes");
    let session = client.ask("POST /v2/users/login", "", r#"{"username": "paul", "password": "secret"}"#).text("token");
    let listed = client.ask("GET /v2/refresh-tokens", &format!("Bearer {session}"), "");
    assert_eq!(listed.body["count"], 50);
}

#[test]
fn what_is_secret_is_stored_as_a_hash() {
    let (mut client, session) = index();
    let (access, _) = client.access_token(&session);
    let login = client.ask("GET /token?service=registry&offline_token=true", "paul:secret", "");
    let stored = |sql: &str| client.0.db.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let hash = |secret: &str| hublet::domain::secret::sha256_hex(secret);
    assert_eq!(stored("select hash from access_tokens"), hash(&access));
    assert_eq!(stored("select hash from refresh_tokens"), hash(&login.text("refresh_token")));
}

#[test]
fn over_plain_http_credentials_get_no_answer_and_no_look_up() {
    let (client, _) = index();
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
        let reply = client.0.answer(&request);
        let log = client.0.platform.log.borrow();
        (reply.status, log.iter().rev().find_map(|line| line.get("round_trips")?.as_u64()).unwrap())
    };
    let basic = format!("Basic {}", STANDARD.encode("paul:secret"));
    let registry = client.registry("registry");
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
fn five_hundred_scopes_of_long_names_are_granted_in_one_token_that_is_read_again() {
    let (mut client, _) = index();
    // As many as the body of a token request holds.
    let name = |number: usize| format!("paul/{number:095}");
    let ask = |client: &mut Client, many: usize| {
        let scopes = (0..many).map(|number| format!("repository:{}:pull,push", name(number))).collect::<Vec<_>>();
        let scopes = scopes.join("+");
        let form = format!("service=registry&client_id=mirror&username=paul&password=secret&scope={scopes}");
        client.ask("POST /token", "", &format!("grant_type=password&{form}"))
    };
    let told = ask(&mut client, 500);
    assert_eq!((told.status, told.round_trips), (200, 1), "{told:?}");
    let leaf = &certificates(CHAIN)[0];
    let (_, claims) = read(&told.text("token"), leaf);
    for (number, granted) in claims["access"].as_array().unwrap().iter().enumerate() {
        let expected = json!({ "type": "repository", "name": name(number), "actions": ["pull", "push"] });
        assert_eq!(granted, &expected);
    }
    assert_eq!(claims["access"].as_array().map(Vec::len), Some(500));
    let gate = client.ask("GET /v2/", &format!("Bearer {}", told.text("token")), "");
    assert_eq!(gate.status, 200, "what is signed here is taken here");
    assert_eq!(ask(&mut client, 501).status, 400);
}
