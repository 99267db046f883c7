//! The API on one page: a line for every endpoint, under the path that it belongs to.
//!
//! From the table follow the methods of a path (405, `Allow`, `OPTIONS`, and `HEAD` where there is `GET`), the largest
//! body, the form of a failure, what scripts of other origins read, and the call of the handler. The tests iterate it:
//! the permission matrix, the `OpenAPI` document, the fault matrix and the budgets of round trips fail for an endpoint
//! that they do not know.

#[macro_use]
mod endpoint;

pub use endpoint::{Cors, Endpoint, Method, Path, Security};

use crate::{
    handlers::{account, description, events, gate, hub, revocation, token, v1},
    index::Index,
    refusal::{Answer, Refusal},
    routes::{Hub, Route},
    wire::{Dialect, Reply, Request},
};

/// Bytes of a body that holds no list and no long text. As many are read where an endpoint needs none: a body that nobody
/// reads costs the client its connection.
const SMALL: usize = 16 << 10;
/// 10,000 images with checksums.
const IMAGES: usize = 2_000_000;
/// As many scopes as a token may have, of the longest names.
const SCOPES: usize = 160 << 10;
/// 25,000 characters describe a repository.
const DESCRIBED: usize = 256 << 10;
/// Notifications of a registry. It is read only for one that shows its secret.
const EVENTS: usize = 8 << 20;

// "pattern" Errors Cors Route =>
//     Method Security largest body => handler;
endpoints! { (index, request)
    // The Docker Hub API v1.
    "/v1/_ping" V1 Public Route::Ping =>
        Get    None            SMALL     => Ok(v1::ping());
    "/v1/users/" V1 Closed Route::Users =>
        Get    Password        SMALL     => v1::users::login(index, request).await;
        Post   None            SMALL     => v1::users::register(index, request).await;
    "/v1/users/{username}/" V1 Closed Route::User(name) =>
        Put    Password        SMALL     => v1::users::update(index, request, name).await;
    "/v1/repositories/{repository}/" V1 Closed Route::Repository(name) =>
        Put    Password        IMAGES    => v1::repositories::create(index, request, name).await;
        Delete Password        IMAGES    => v1::repositories::delete(index, request, name).await;
    "/v1/repositories/{repository}/images" V1 Anonymous Route::Images(name) =>
        Get    V1              SMALL     => v1::images::list(index, request, name).await;
        Put    V1              IMAGES    => v1::images::update(index, request, name).await;
        Delete V1              IMAGES    => v1::images::clear(index, request, name).await;
    "/v1/repositories/{repository}/auth" V1 Closed Route::Auth(name) =>
        Put    RepositoryToken SMALL     => v1::images::authorize(index, request, name).await;
    "/v1/repositories/{repository}/layer/{image}/access" V1 Anonymous Route::LayerAccess(name, image) =>
        Get    V1              SMALL     => v1::images::access(index, request, name, image).await;
    "/v1/repositories/{repository}/tags" V1 Anonymous Route::TagList(name) =>
        Get    V1              SMALL     => v1::images::tags(index, request, name).await;
    "/v1/search" V1 Anonymous Route::Search =>
        Get    Registry        SMALL     => v1::search::search(index, request).await;

    // Registries and their clients; manifests and blobs, with which pulls and pushes begin, are at a registry.
    "/v2/" Token Closed Route::RegistryBase =>
        Get    Registry        SMALL     => gate::enter(index, request).await;
    "/v2/_catalog" Token Anonymous Route::Catalog =>
        Get    Registry        SMALL     => gate::catalog(index, request).await;
    "/v2/{repository}/tags/list" Token Anonymous Route::TagNames(name) =>
        Get    Registry        SMALL     => gate::tags(index, request, name).await;
    "/v2/{repository}/manifests/{reference}" Token Closed Route::Manifest =>
        Get    None            0         => Err(gate::elsewhere(index, request).into());
        Put    None            0         => Err(gate::elsewhere(index, request).into());
    "/v2/{repository}/blobs/{digest}" Token Closed Route::Blob =>
        Post   None            0         => Err(gate::elsewhere(index, request).into());
        Get    None            0         => Err(gate::elsewhere(index, request).into());
    "/token" Token Token Route::Token =>
        Get    Password        SMALL     => token::get(index, request).await;
        Post   Body            SCOPES    => token::post(index, request).await;
    "/token/revoke" Token Closed Route::Revocation =>
        Post   Body            SMALL     => revocation::revoke(index, request).await;
    "/.well-known/jwks.json" Token Public Route::Jwks =>
        Get    None            SMALL     => Ok(gate::keys(index)?);
    "/events" Token Closed Route::Events =>
        Post   EventSecret     EVENTS    => events::take(index, request).await;

    // What people open, and what says what there is.
    "/openapi.json" V1 Public Route::OpenApi =>
        Get    None            SMALL     => Ok(description::description());
    "/account/confirm" Page Closed Route::Confirm =>
        Get    None            SMALL     => Ok(account::confirm_page());
        Post   Link            SMALL     => account::confirm(index, request).await;
    "/account/password" Page Closed Route::Password =>
        Get    None            SMALL     => Ok(account::password_page(index));
        Post   Link            SMALL     => account::set_password(index, request).await;
    "/account/forgotten" Page Closed Route::Forgotten =>
        Get    None            SMALL     => account::forgotten_page(index);
        Post   None            SMALL     => account::forgotten(index, request).await;

    // The management API: logins, accounts and their tokens.
    "/v2/users/login" Hub Closed Route::Hub(Hub::Login) =>
        Post   Body            SMALL     => hub::sessions::login(index, request).await;
    "/v2/auth/token" Hub Closed Route::Hub(Hub::AuthToken) =>
        Post   Body            SMALL     => hub::sessions::auth_token(index, request).await;
    "/v2/logout" Hub Closed Route::Hub(Hub::Logout) =>
        Post   Session         SMALL     => hub::sessions::logout(index, request).await;
    "/v2/user" Hub Closed Route::Hub(Hub::CurrentUser) =>
        Get    Session         SMALL     => hub::sessions::oneself(index, request).await;
        Delete Session         SMALL     => hub::leaving::leave(index, request).await;
    "/v2/user/orgs" Hub Closed Route::Hub(Hub::OwnOrganisations) =>
        Get    Session         SMALL     => hub::namespaces::organisations(index, request).await;
    "/v2/repositories/namespaces" Hub Closed Route::Hub(Hub::OwnNamespaces) =>
        Get    Session         SMALL     => hub::namespaces::names(index, request).await;
    "/v2/users/{username}" Hub Anonymous Route::Hub(Hub::User(name)) =>
        Get    Session         SMALL     => hub::namespaces::user(index, request, name).await;
    "/v2/orgs/{namespace}" Hub Anonymous Route::Hub(Hub::Organisation(name)) =>
        Get    Session         SMALL     => hub::namespaces::one(index, request, name).await;
    "/v2/user/password" Hub Closed Route::Hub(Hub::Password) =>
        Post   Session         SMALL     => hub::password::change(index, request).await;
    "/v2/user/emails" Hub Closed Route::Hub(Hub::Emails) =>
        Get    Session         SMALL     => hub::emails::list(index, request).await;
        Post   Session         SMALL     => hub::emails::add(index, request).await;
    "/v2/user/emails/{email}" Hub Closed Route::Hub(Hub::Email(email)) =>
        Patch  Session         SMALL     => hub::emails::choose(index, request, email).await;
        Delete Session         SMALL     => hub::emails::remove(index, request, email).await;
    "/v2/access-tokens" Hub Closed Route::Hub(Hub::AccessTokens) =>
        Get    Session         SMALL     => hub::access_tokens::list(index, request).await;
        Post   Session         SMALL     => hub::access_tokens::create(index, request).await;
    "/v2/access-tokens/{uuid}" Hub Closed Route::Hub(Hub::AccessToken(uuid)) =>
        Get    Session         SMALL     => hub::access_tokens::get(index, request, uuid).await;
        Patch  Session         SMALL     => hub::access_tokens::update(index, request, uuid).await;
        Delete Session         SMALL     => hub::access_tokens::delete(index, request, uuid).await;
    "/v2/access-tokens/{uuid}/renew" Hub Closed Route::Hub(Hub::AccessTokenRenewal(uuid)) =>
        Post   Session         SMALL     => hub::access_tokens::renew(index, request, uuid).await;
    "/v2/refresh-tokens" Hub Closed Route::Hub(Hub::RefreshTokens) =>
        Get    Session         SMALL     => hub::sessions::refresh_tokens(index, request).await;
    "/v2/refresh-tokens/{uuid}" Hub Closed Route::Hub(Hub::RefreshToken(uuid)) =>
        Delete Session         SMALL     => hub::sessions::end_refresh_token(index, request, uuid).await;

    // The management API: repositories.
    "/v2/namespaces/{namespace}/repositories" Hub Anonymous Route::Hub(Hub::Repositories(namespace)) =>
        Get    Session         SMALL     => hub::repositories::list(index, request, namespace).await;
        Post   Session         DESCRIBED => hub::repositories::create(index, request, Some(namespace)).await;
    "/v2/repositories" Hub Closed Route::Hub(Hub::NewRepository) =>
        Post   Session         DESCRIBED => hub::repositories::create(index, request, None).await;
    "/v2/namespaces/{namespace}/repositories/{repository}" Hub Anonymous Route::Hub(Hub::Repository(name)) =>
        Get    Session         SMALL     => hub::repositories::get(index, request, name).await;
        Patch  Session         DESCRIBED => hub::repositories::update(index, request, name).await;
        Delete Session         DESCRIBED => hub::repositories::delete(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/privacy" Hub Closed Route::Hub(Hub::Privacy(name)) =>
        Post   Session         SMALL     => hub::repositories::privacy(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/transfer" Hub Closed Route::Hub(Hub::Transfer(name)) =>
        Post   Session         SMALL     => hub::repositories::transfer(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/star" Hub Closed Route::Hub(Hub::Star(name)) =>
        Get    Session         SMALL     => hub::stars::list(index, request, name).await;
        Put    Session         SMALL     => hub::stars::add(index, request, name).await;
        Post   Session         SMALL     => hub::stars::add(index, request, name).await;
        Delete Session         SMALL     => hub::stars::remove(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/images" Hub Anonymous Route::Hub(Hub::Images(name)) =>
        Get    Session         SMALL     => hub::images::list(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/images-summary" Hub Anonymous Route::Hub(Hub::ImagesSummary(name)) =>
        Get    Session         SMALL     => hub::images::summary(index, request, name).await;
    "/v2/search/repositories" Hub Anonymous Route::Hub(Hub::Search) =>
        Get    Session         SMALL     => hub::search::repositories(index, request).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/tags" Hub Anonymous Route::Hub(Hub::Tags(name)) =>
        Get    Session         SMALL     => hub::tags::list(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}" Hub Anonymous Route::Hub(Hub::Tag(name, tag)) =>
        Get    Session         SMALL     => hub::tags::get(index, request, name, tag).await;
        Delete Session         SMALL     => hub::tags::delete(index, request, name, tag).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/collaborators" Hub Closed Route::Hub(Hub::Collaborators(name)) =>
        Get    Session         SMALL     => hub::collaborators::list(index, request, name).await;
        Post   Session         SMALL     => hub::collaborators::add(index, request, name).await;
    "/v2/namespaces/{namespace}/repositories/{repository}/collaborators/{username}" Hub Closed Route::Hub(Hub::Collaborator(name, user)) =>
        Delete Session         SMALL     => hub::collaborators::remove(index, request, name, user).await;

    // The management API: namespaces, and machines with their tokens.
    "/v2/namespaces/{namespace}/members" Hub Closed Route::Hub(Hub::Members(namespace)) =>
        Get    Session         SMALL     => hub::members::list(index, request, namespace).await;
    "/v2/namespaces/{namespace}/members/{username}" Hub Closed Route::Hub(Hub::Member(namespace, user)) =>
        Put    Session         SMALL     => hub::members::set(index, request, namespace, user).await;
        Delete Session         SMALL     => hub::members::remove(index, request, namespace, user).await;
    "/v2/auditlogs/{account}" Hub Closed Route::Hub(Hub::AuditLogs(account)) =>
        Get    Session         SMALL     => hub::audit::list(index, request, account).await;
    "/v2/auditlogs/{account}/actions" Hub Closed Route::Hub(Hub::AuditActions) =>
        Get    Session         SMALL     => hub::audit::actions(index, request).await;
    "/v2/namespaces/{namespace}/machines" Hub Closed Route::Hub(Hub::Machines(namespace)) =>
        Get    Session         SMALL     => hub::machines::list(index, request, namespace).await;
        Post   Session         SMALL     => hub::machines::create(index, request, namespace).await;
    "/v2/namespaces/{namespace}/machines/{username}" Hub Closed Route::Hub(Hub::Machine(namespace, user)) =>
        Delete Session         SMALL     => hub::machines::delete(index, request, namespace, user).await;
    "/v2/namespaces/{namespace}/machines/{username}/access-tokens" Hub Closed Route::Hub(Hub::MachineTokens(namespace, user)) =>
        Get    Session         SMALL     => hub::machines::tokens(index, request, namespace, user).await;
        Post   Session         SMALL     => hub::machines::create_token(index, request, namespace, user).await;
    "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}" Hub Closed Route::Hub(Hub::MachineToken(namespace, user, uuid)) =>
        Get    Session         SMALL     => hub::machines::get_token(index, request, namespace, user, uuid).await;
        Patch  Session         SMALL     => hub::machines::update_token(index, request, namespace, user, uuid).await;
        Delete Session         SMALL     => hub::machines::delete_token(index, request, namespace, user, uuid).await;
    "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew" Hub Closed Route::Hub(Hub::MachineTokenRenewal(namespace, user, uuid)) =>
        Post   Session         SMALL     => hub::machines::renew_token(index, request, namespace, user, uuid).await;
}

/// Every endpoint with its path.
pub fn endpoints() -> impl Iterator<Item = (&'static Path, &'static Endpoint)> {
    PATHS.iter().flat_map(|path| path.endpoints.iter().map(move |endpoint| (path, endpoint)))
}
