//! The platform's requests and responses as plain values.

use futures_util::StreamExt;
use web_sys::Url;
use worker::{Headers, ResponseBuilder};

use crate::{
    domain::secret::hex,
    serve::body_limit,
    wire::{Reply, Request, request::headers_of},
};

/// Reads a request, with a body up to the limit of its path.
pub async fn read(mut request: worker::Request) -> worker::Result<Request> {
    // `Request::method` takes an unknown method for GET, and `Request::path` does not normalise. The
    // platform's own URL does, and brings no tables of Unicode into the worker.
    let method = request.inner().method();
    let url = Url::new(&request.inner().url())?;
    let path = url.pathname();
    let mut headers = Vec::new();
    for &name in headers_of(&path) {
        if let Some(value) = request.headers().get(name)? {
            headers.push((name.to_owned(), value));
        }
    }
    let announced = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let body = match method.as_str() {
        "GET" | "HEAD" | "OPTIONS" => Some(Vec::new()),
        _ => body(&mut request, announced, body_limit(&path)).await?,
    };
    let mut id = [0; 8];
    // Without randomness there are no tokens either: they fail on their own, this is but a name.
    let _ = getrandom::fill(&mut id);
    Ok(Request {
        method,
        path,
        query: url.search().trim_start_matches('?').to_owned(),
        host: url.host(),
        https: url.protocol() == "https:",
        headers,
        body,
        id: hex(&id),
    })
}

/// The body, or nothing as soon as it is over the limit.
async fn body(
    request: &mut worker::Request,
    announced: Option<usize>,
    limit: usize,
) -> worker::Result<Option<Vec<u8>>> {
    if announced.is_some_and(|length| length > limit) {
        return Ok(None);
    }
    if announced.is_some() {
        return request.bytes().await.map(Some);
    }
    let Ok(mut stream) = request.stream() else { return Ok(Some(Vec::new())) };
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk?);
        if bytes.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(bytes))
}

/// Writes a reply. A response of status 204 must not have a body, not even an empty one.
pub fn write(reply: Reply) -> worker::Result<worker::Response> {
    let headers = Headers::new();
    for (name, value) in &reply.headers {
        headers.set(name, value)?;
    }
    let response = ResponseBuilder::new().with_status(reply.status).with_headers(headers);
    Ok(if reply.body.is_empty() { response.empty() } else { response.fixed(reply.body) })
}
