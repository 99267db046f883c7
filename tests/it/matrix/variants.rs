//! Other ways of asking some endpoints.

use super::endpoints::{Endpoint, Says, Shows, endpoint};

/// Other ways of asking, which tell no more: pages, orders, parts of names.
#[rustfmt::skip]
pub const VARIANTS: [Endpoint; 13] = [
    endpoint("GET", "/v2/_catalog", "").asking("?n=1", Says::Listed),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories", "").asking("?page_size=1&ordering=-last_updated", Says::Listed),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories", "").asking("?name={name}", Says::Listed),
    endpoint("GET", "/v1/search", "").asking("?q=olga/{name}", Says::Listed),
    endpoint("GET", "/v1/search", "").asking("?q=", Says::Listed),
    endpoint("GET", "/v2/namespaces/{namespace}/repositories/{repository}/tags", "").asking("?name=lat", Says::Status),
    endpoint("GET", "/v2/_catalog", "").asking("?n=2&last=olga/a", Says::Listed),
    endpoint("GET", "/v1/repositories/{repository}/images", "").showing(Shows::Token),
    endpoint("PUT", "/v1/repositories/{repository}/images", "[]").showing(Shows::Token),
    endpoint("DELETE", "/v1/repositories/{repository}/images", "").showing(Shows::Token),
    endpoint("GET", "/v1/repositories/{repository}/layer/{image}/access", "").showing(Shows::Token),
    endpoint("GET", "/v2/auditlogs/{account}", "").asking("?name=olga/{name}", Says::Status),
    endpoint("GET", "/v2/auditlogs/{account}", "").asking("?name=olga/{name}:latest&action=repo.tag.push", Says::Status),
];
