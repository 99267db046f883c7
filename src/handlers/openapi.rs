//! The description of everything that is served, for programs.

use crate::{context::Context, error::Result, wire::Response};

/// `GET /openapi.json`
pub async fn document(ctx: &Context) -> Result<Response> {
    let document = ctx.platform.openapi().await?;
    Ok(Response::raw_json(200, document).with("Cache-Control", "public, max-age=300"))
}
