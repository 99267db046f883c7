//! Nothing opens anything but what the index signed, for what it was signed.

mod doors;
mod forged;
mod lookalikes;

use std::{collections::BTreeSet, ops::Range};

use doors::{DOORS, Kind, SEARCHING, Site};
use hublet::{
    domain::{
        Access, RepositoryName, credential::CredentialId, keys::TokenKeys, opaque_token,
        repository_token::RepositoryTokenClaims, secret::from_hex, secret::hex, session_token,
    },
    platform::Platform,
    wire::Authorization,
};

use crate::reading;

/// Kinds that are refused without a look into the database.
const SIGNED: [Kind; 4] = [Kind::Repository, Kind::Registry, Kind::Session, Kind::Cookie];

/// Shows forgeries at the door of a kind; none may open it, and none that is signed asks a database.
fn refused(site: &mut Site, kind: Kind, forgeries: impl IntoIterator<Item = String>) -> usize {
    let (door, genuine) = (Site::door(kind), site.secret(kind));
    assert!(site.show(&door, &genuine).0 < 300, "{kind:?}: the genuine one opens nothing");
    // What people copy has blanks around it.
    let copied =
        |text: &str| matches!(kind, Kind::Access | Kind::Refresh | Kind::Reconciler) && text.trim_ascii() == genuine;
    // What follows a semicolon is another cookie.
    let copied = |text: &str| {
        copied(text) || kind == Kind::Cookie && text.split(';').next().is_some_and(|first| first.trim_end() == genuine)
    };
    let is_forged = |text: &String| !lookalikes::means(text, &genuine) && !copied(text);
    let forgeries = forgeries.into_iter().filter(is_forged).collect::<BTreeSet<_>>();
    for text in &forgeries {
        let (status, round_trips) = site.show(&door, text);
        assert!((400..500).contains(&status), "{kind:?}: {status} for {text:?}");
        assert!(round_trips == 0 || !SIGNED.contains(&kind), "{kind:?}: {round_trips} round trips for {text:?}");
    }
    assert!(site.show(&door, &genuine).0 < 300, "{kind:?}: the genuine one opens nothing any more");
    forgeries.len()
}

fn kinds(site: &Site) -> Vec<Kind> {
    site.secrets.iter().map(|(kind, _)| *kind).collect()
}

/// A text with each of these bits of each letter changed.
fn altered(text: &str, bits: Range<usize>) -> Vec<String> {
    let flipped = |place: usize, bit: usize| {
        let letters = text.bytes().enumerate();
        letters.map(|(at, byte)| char::from(if at == place { byte ^ 1 << bit } else { byte })).collect()
    };
    (0..text.len()).flat_map(|place| bits.clone().map(move |bit| flipped(place, bit))).collect()
}

#[test]
fn single_bit_change_is_refused() {
    let mut site = Site::new();
    let mut cases = 0;
    for (kind, secret) in site.secrets.clone() {
        cases += refused(&mut site, kind, altered(&secret, 0..8));
    }
    // With certificates it is a long text: one bit of each letter.
    let mut site = Site::new();
    site.client.app.set("SERVICES", "registry=x5c");
    site.secrets = vec![(Kind::Registry, site.client.ask(SEARCHING, "paul:secret", "").text("token"))];
    for bit in [0, 5] {
        let secret = site.secret(Kind::Registry);
        cases += refused(&mut site, Kind::Registry, altered(&secret, bit..bit + 1));
    }
    println!("cases: {cases} secrets with one bit changed");
}

#[test]
fn lookalikes_are_refused() {
    let mut site = Site::new();
    let mut cases = 0;
    for kind in kinds(&site) {
        let all = lookalikes::of(&site.secret(kind));
        cases += refused(&mut site, kind, all);
    }
    println!("cases: {cases} look-alikes of secrets");
}

#[test]
fn tokens_are_accepted_only_where_they_belong() {
    let mut site = Site::new();
    let mut cases = 0;
    for door in DOORS {
        for (kind, secret) in site.secrets.clone() {
            let (status, _) = site.show(&door, &secret);
            let opened = if door.takes.contains(&kind) { 200..300 } else { 400..500 };
            assert!(opened.contains(&status), "{kind:?} at {door:?}: {status}");
            cases += 1;
        }
    }
    println!("cases: {cases} secrets in the place of each other");
}

#[test]
fn recombined_tokens_are_refused() {
    let mut site = Site::new();
    let mut cases = 0;
    // Another repository, another access, another user.
    let jane = site.client.register("jane").replace("Bearer ", "");
    let other = site.client.ask("PUT /v1/repositories/paul/other/", "paul:secret", "[]");
    let (app, other) = (site.secret(Kind::Repository), other.header("x-docker-token").to_owned());
    let fields = |token: &str| token.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (one, two) = (fields(&app), fields(&other));
    let mut mixed = Vec::new();
    for signature in [&one[0], &two[0]] {
        for repository in [&one[1], &two[1]] {
            mixed.extend(["read", "write", "delete"].map(|access| format!("{signature},{repository},access={access}")));
        }
    }
    // The genuine one of the other repository is refused here too.
    cases += refused(&mut site, Kind::Repository, mixed);

    let tokens = [site.secret(Kind::Registry), site.secret(Kind::Session), jane.clone()];
    let registry = site.client.ask("GET /token?service=registry", "jane:secret", "").text("token");
    let parts = tokens.iter().chain([&registry]).map(|token| token.split('.').collect::<Vec<_>>()).collect::<Vec<_>>();
    let mut mixed = Vec::new();
    for header in &parts {
        for claims in &parts {
            mixed.extend(parts.iter().map(|signature| format!("{}.{}.{}", header[0], claims[1], signature[2])));
        }
    }
    let whole = |text: &String| ![&tokens[0], &tokens[1], &jane, &registry].contains(&text);
    for kind in [Kind::Registry, Kind::Session] {
        cases += refused(&mut site, kind, mixed.iter().filter(|text| whole(text)).cloned());
    }
    println!("cases: {cases} tokens made of the parts of others");
}

#[test]
fn other_keys_and_purposes_are_refused() {
    let mut site = Site::new();
    let now = site.client.app.platform.now();
    let index = site.client.app.context();
    let ours = index.config.keys().unwrap();
    let genuine = RepositoryTokenClaims::verify(&site.secret(Kind::Repository), ours, now).unwrap();
    let mut repository = Vec::new();
    let mut session = Vec::new();
    for text in ["x".repeat(32), "a key of the stage which is no secret at all ".repeat(2), "\0".repeat(64)] {
        let keys = TokenKeys::parse(&text).unwrap();
        repository.push(genuine.sign(&keys, [1; 8]));
        session.push(session_token::sign(&keys, genuine.credential, "paul", [1; 8], now));
    }
    // What the right key signs for another purpose, over the very same fields.
    let token = site.secret(Kind::Repository);
    let signature = token.strip_prefix("signature=").unwrap().split(',').next().unwrap();
    let bytes = from_hex(signature).unwrap();
    let (fields, _) = bytes.split_at(bytes.len() - 32);
    let key = ours.signing();
    let parts: [&[u8]; 3] = [fields, b"paul/app", b"write"];
    for mac in [
        key.mac("session token", &parts),
        key.mac("event secret", &parts),
        key.mac("repository token", &[fields, b"paul/app"]),
        key.mac("repository token", &[fields, b"paul/appwrite"]),
        key.mac("", &parts),
        key.hmac_sha256(fields),
        [0; 32],
    ] {
        repository.push(token.replace(signature, &format!("{}{}", hex(fields), hex(&mac))));
    }
    for shorter in 0..bytes.len() {
        repository.push(token.replace(signature, &hex(&bytes[..shorter])));
    }
    let unsigned = site.secret(Kind::Session).rsplit_once('.').unwrap().0.to_owned();
    let plain = [key.hmac_sha256(unsigned.as_bytes()), key.mac("session token", &[unsigned.as_bytes()]), [0; 32]];
    session.extend(plain.map(|mac| forged::signed(&unsigned, &mac)));
    // Nobody has a session.
    session.push(session_token::sign(ours, CredentialId::Anonymous, "", [1; 8], now));
    let random = |kind: opaque_token::TokenKind| {
        (0..100).map(|at| kind.generate([at; 20]).reveal().to_owned()).collect::<Vec<_>>()
    };
    let mut cases = refused(&mut site, Kind::Repository, repository) + refused(&mut site, Kind::Session, session);
    cases += refused(&mut site, Kind::Access, random(opaque_token::TokenKind::Access));
    cases += refused(&mut site, Kind::Refresh, random(opaque_token::TokenKind::Refresh));
    println!("cases: {cases} secrets under other keys");
}

#[test]
fn header_chooses_no_key_and_no_algorithm() {
    let mut site = Site::new();
    let index = site.client.app.context();
    let id = index.config.keys().unwrap().signing().id;
    let public = vec![id.to_vec(), hex(&id).into_bytes()];
    let mut cases = 0;
    for kind in [Kind::Registry, Kind::Session] {
        let all = forged::all(&site.secret(kind), &public);
        cases += refused(&mut site, kind, all);
    }
    println!("cases: {cases} tokens whose header chooses");
}

#[test]
fn v1_registry_reads_accepted_headers_alike() {
    let site = Site::new();
    let now = site.client.app.platform.now();
    let index = site.client.app.context();
    let keys = index.config.keys().unwrap();
    let genuine = RepositoryTokenClaims::verify(&site.secret(Kind::Repository), keys, now).unwrap();
    let names = [
        "paul/app",
        "paul/access",
        "access/repository",
        "signature/access",
        "paul/_",
        "paul/a.b-c",
        "a/b/c",
        "paul/read",
        "paul/Token",
        "library/redis",
        "A.b/C_d",
        "paul/x-",
        "paul/access-delete",
        "0/0",
    ];
    let (mut accepted, mut cases) = (0, 0);
    for name in names {
        for access in [Access::Read, Access::Write, Access::Delete] {
            let (namespace, rest) = name.split_once('/').unwrap();
            let repository = RepositoryName::parse(namespace, rest).unwrap();
            let token = RepositoryTokenClaims { repository, access, ..genuine.clone() }.sign(keys, [7; 8]);
            let schemes =
                ["Token ", "token ", "TOKEN ", "Token Token ", "Token  ", " Token ", "Token token ", "Basic "];
            let alike =
                if ["paul/app", "signature/access"].contains(&name) { lookalikes::of(&token) } else { Vec::new() };
            let texts = alike.into_iter().chain([token]);
            let headers = texts.flat_map(|text| schemes.iter().map(move |scheme| format!("{scheme}{text}")));
            for header in headers {
                // Blanks around a value end with the transport.
                let header = header.trim_matches([' ', '\t']);
                cases += 1;
                let Some(Authorization::Token(shown)) = Authorization::parse(Some(header)) else { continue };
                let Some(claim) = RepositoryTokenClaims::verify(shown.reveal(), keys, now) else { continue };
                accepted += 1;
                let read = reading::registry(header);
                let says = |name: &str| read.get(name).map(String::as_str);
                assert_eq!(says("repository"), Some(claim.repository.to_string().as_str()), "{header}");
                assert_eq!(says("access"), Some(claim.access.as_str()), "{header}");
                assert!(says("signature").is_some_and(|signature| header.contains(signature)), "{header}");
            }
        }
    }
    assert!(accepted >= names.len() * 3 * 5, "only {accepted} were accepted");
    println!("cases: {cases} headers read as a v1 registry reads them, of which {accepted} are accepted");
}
