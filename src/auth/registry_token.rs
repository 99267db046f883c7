//! Registry tokens, signed and verified with our own keys.

use crate::{
    domain::{
        certificates::SigningKey,
        credential::CredentialId,
        jwt::{self, Parts},
        registry_token::{self, Claims, VerifiedToken},
        scope::Grant,
        secret::hex,
    },
    index::{Index, settings::Service},
    refusal::Fault,
    wire::Request,
};
use serde_json::json;

/// From so many seconds before a certificate ends, the log says so: 60 days.
const ENDING: i64 = 60 * 24 * 60 * 60;

/// A registry token, and how long it lives.
pub struct Signed {
    /// The token.
    pub token: String,
    /// Seconds since 1970.
    pub issued_at: i64,
    /// Seconds.
    pub expires_in: i64,
}

/// Signs a token for a service.
pub async fn sign(
    index: &Index,
    service: &Service,
    sub: String,
    credential: CredentialId,
    access: Vec<Grant>,
) -> Result<Signed, Fault> {
    let key = signing_key(index).await?;
    let (now, expires_in) = (index.world.now(), index.settings.registry_token_seconds);
    let (exp, nbf, iat) = Claims::times(now, expires_in);
    let claims = Claims {
        iss: index.settings.issuer.clone(),
        sub,
        aud: service.name.clone(),
        exp,
        nbf,
        iat,
        jti: hex(&index.random::<16>()),
        access,
        credential: credential.to_string(),
    };
    let unsigned = jwt::unsigned(&registry_token::header(service.hint, &key.chain), &claims);
    let signature = index.world.sign(&key.pkcs8, unsigned.as_bytes()).await?;
    Ok(Signed { token: jwt::signed(&unsigned, &signature), issued_at: now, expires_in })
}

/// What a token stands for that somebody presents to us; nothing for a bad one.
pub async fn verify(index: &Index, token: &str) -> Result<Option<VerifiedToken>, Fault> {
    let Some(parts) = Parts::read(token) else { return Ok(None) };
    let Ok(key) = index.settings.signing_key() else { return Ok(None) };
    let Some(leaf) = registry_token::signer(&parts, &key.chain) else { return Ok(None) };
    if !index.world.verifies(&leaf.point, parts.signed.as_bytes(), &parts.signature).await {
        return Ok(None);
    }
    let services = index.settings.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>();
    Ok(registry_token::verify_claims(&parts, &index.settings.issuer, &services, index.world.now()))
}

/// The key that signs. Once in an isolate it is tried against its certificate: registries would
/// refuse every token of a pair that does not fit.
async fn signing_key(index: &Index) -> Result<&SigningKey, Fault> {
    let key = index.settings.signing_key()?;
    let now = index.world.now();
    let fits = if let Some(fits) = key.fits.get() {
        fits
    } else {
        let probe = b"does the key fit the certificate?";
        let signature = index.world.sign(&key.pkcs8, probe).await?;
        let fits = index.world.verifies(&key.chain.leaf.point, probe, &signature).await;
        key.fits.set(Some(fits));
        let left = key.chain.leaf.expires_at.min(key.chain.ca.expires_at) - now;
        if left < ENDING {
            index
                .world
                .log(&json!({ "level": "warning", "setting": "REGISTRY_CERTIFICATE", "ends_in_days": left / 86_400 }));
        }
        fits
    };
    if !fits {
        return Err(Fault::unconfigured("REGISTRY_CERTIFICATE does not fit REGISTRY_KEY"));
    }
    if key.chain.leaf.expires_at <= now || key.chain.ca.expires_at <= now {
        return Err(Fault::unconfigured("REGISTRY_CERTIFICATE has ended"));
    }
    Ok(key)
}

/// Where tokens are had.
pub fn realm(index: &Index, request: &Request) -> Result<String, Fault> {
    Ok(format!("{}/token", origin(index, request)?))
}

/// Where this index is reached. It is `PUBLIC_URL`, so that no Host header can turn it into somebody
/// else's; only on this machine itself the request says it.
pub fn origin(index: &Index, request: &Request) -> Result<String, Fault> {
    match &index.settings.public_url {
        Some(url) => Ok(url.clone()),
        None if request.loopback() => Ok(request.origin()),
        None => Err(Fault::unconfigured("PUBLIC_URL is missing, of which addresses are made")),
    }
}
