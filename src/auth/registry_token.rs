//! Registry tokens, signed and verified with our own keys.

use crate::{
    config::Service,
    context::Context,
    domain::{
        certificates::SigningKey,
        credential::CredentialId,
        ends::DAY,
        health::CERTIFICATE_WARNING,
        jwt::{self, UnverifiedJwt},
        registry_token::{self, Claims, VerifiedToken},
        scope::Grant,
        secret::hex,
    },
    error::Fault,
    wire::Request,
};
use serde_json::json;

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
    ctx: &Context,
    service: &Service,
    sub: String,
    credential: CredentialId,
    access: Vec<Grant>,
) -> Result<Signed, Fault> {
    let key = signing_key(ctx).await?;
    let (now, expires_in) = (ctx.platform.now(), ctx.config.registry_token_seconds);
    let (exp, nbf, iat) = Claims::times(now, expires_in);
    let claims = Claims {
        iss: ctx.config.issuer.clone(),
        sub,
        aud: service.name.clone(),
        exp,
        nbf,
        iat,
        jti: hex(&ctx.random::<16>()),
        access,
        credential: credential.to_string(),
    };
    let unsigned = jwt::signing_input(&registry_token::header(service.hint, &key.chain), &claims);
    let signature = ctx.platform.sign_es256(&key.pkcs8, unsigned.as_bytes()).await?;
    Ok(Signed { token: jwt::assemble(&unsigned, &signature), issued_at: now, expires_in })
}

/// Verifies a registry token of ours. `None` if it is invalid.
pub async fn verify(ctx: &Context, token: &str) -> Result<Option<VerifiedToken>, Fault> {
    let Some(parts) = UnverifiedJwt::parse(token) else { return Ok(None) };
    let Ok(key) = ctx.config.signing_key() else { return Ok(None) };
    let Some(leaf) = registry_token::signer(&parts, &key.chain) else { return Ok(None) };
    if !ctx.platform.verify_es256(&leaf.point, parts.signed.as_bytes(), &parts.signature).await {
        return Ok(None);
    }
    let services = ctx.config.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>();
    Ok(registry_token::verify_claims(&parts, &ctx.config.issuer, &services, ctx.platform.now()))
}

/// The key that signs, unless registries would refuse its tokens.
async fn signing_key(ctx: &Context) -> Result<&SigningKey, Fault> {
    let key = ctx.config.signing_key()?;
    if !fits_certificate(ctx, key).await? {
        return Err(Fault::unconfigured("REGISTRY_CERTIFICATE does not fit REGISTRY_KEY"));
    }
    if key.chain.expires_at() <= ctx.platform.now() {
        return Err(Fault::unconfigured("REGISTRY_CERTIFICATE has ended"));
    }
    Ok(key)
}

/// Whether the key is that of its certificate: tried once in an isolate. Registries would refuse every token of a pair
/// that does not fit.
pub async fn fits_certificate(ctx: &Context, key: &SigningKey) -> Result<bool, Fault> {
    if let Some(fits) = key.fits.get() {
        return Ok(fits);
    }
    let probe = b"does the key fit the certificate?";
    let signature = ctx.platform.sign_es256(&key.pkcs8, probe).await?;
    let fits = ctx.platform.verify_es256(&key.chain.leaf.point, probe, &signature).await;
    key.fits.set(Some(fits));
    let left = key.chain.expires_at() - ctx.platform.now();
    if left < CERTIFICATE_WARNING {
        ctx.platform.log(&json!({ "level": "warning", "setting": "REGISTRY_CERTIFICATE", "ends_in_days": left / DAY }));
    }
    Ok(fits)
}

/// Where tokens are had.
pub fn realm(ctx: &Context, request: &Request) -> Result<String, Fault> {
    Ok(format!("{}/token", origin(ctx, request)?))
}

/// Where hublet is reached: `PUBLIC_URL`, so that no Host header can choose it; only on a loopback address it is the
/// host of the request.
pub fn origin(ctx: &Context, request: &Request) -> Result<String, Fault> {
    match &ctx.config.public_url {
        Some(url) => Ok(url.clone()),
        None if request.is_loopback() => Ok(request.origin()),
        None => Err(Fault::unconfigured("PUBLIC_URL is missing, of which addresses are made")),
    }
}
