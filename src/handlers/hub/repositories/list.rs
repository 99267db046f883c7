//! The repositories of a namespace, as far as the client may read them.

use crate::{
    auth::Credentials,
    context::Context,
    error::Result,
    handlers::hub::{Pagination, paged, query_parameter, repositories::body},
    operations::repositories::{self, ListRepositories},
    wire::{Request, Response},
};

/// `GET /v2/namespaces/{namespace}/repositories?page=&page_size=&name=&ordering=`
pub async fn list(ctx: &Context, request: &Request, credentials: &Credentials, namespace: &str) -> Result<Response> {
    let page = Pagination::read(request);
    let (name, ordering) = (query_parameter(request, "name"), query_parameter(request, "ordering"));
    let wanted = ListRepositories {
        namespace,
        name: name.as_deref().unwrap_or_default(),
        ordering: ordering.as_deref().unwrap_or("name"),
        limit: page.size,
        offset: page.offset(),
    };
    let (_, list) = repositories::list(ctx, request, credentials, &wanted).await?;
    paged(ctx, request, page, list.head.count, list.items.iter().map(body::summary).collect())
}
