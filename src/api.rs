//! The API on one page: a line for every endpoint, under the path that it belongs to.
//!
//! From the table follow the methods of a path (405, `Allow`, `OPTIONS`, and `HEAD` where there is `GET`), the largest
//! body, the form of a failure, what scripts of other origins read, and the call of the handler. The tests iterate it:
//! the permission matrix, the `OpenAPI` document, the fault matrix and the budgets of round trips fail for an endpoint
//! that they do not know.

#[macro_use]
mod endpoint;

pub use endpoint::{Cors, Endpoint, Method, Path, Security};
use endpoint::{PendingResponse, apart};

use futures_util::future::ready;

use crate::{
    auth::PasswordSession,
    context::Context,
    error::{Refusal, Result},
    handlers::{
        account, events, health, hub, openapi,
        pages::{
            self,
            administration::{self, Screen},
        },
        reconciler,
        registry::{base, token},
        revocation, site, v1,
    },
    routes::{Hub, Page, Route},
    wire::{Dialect, Request, Response},
};

/// Nothing: what is sent is for a registry.
const UNREAD: usize = 0;
/// Bytes of a body that holds no list and no long text. Endpoints without a body read as many too: an unread body costs
/// the client its connection.
const SMALL: usize = 16 << 10;
/// 10,000 images with checksums.
const IMAGES: usize = 2_000_000;
/// As many scopes as a token may have, of the longest names.
const SCOPES: usize = 160 << 10;
/// 25,000 characters describe a repository; a report of a reconciler is as long.
const DESCRIBED: usize = 256 << 10;
/// The same characters in a form, where each of their bytes may be three.
const DESCRIBED_FORM: usize = 400 << 10;
/// Notifications of a registry. The body is read only if the registry's secret is right.
const EVENTS: usize = 8 << 20;

// "pattern" Errors Cors largest body Route =>
//     Method Security => handler;
// The credentials that a handler is given are those that its line takes.
endpoints! { (ctx, request, credentials)
    // The Docker Hub API v1.
    "/v1/_ping" V1 Public SMALL Route::Ping =>
        Get    None            => ready(Ok(v1::ping()));
    "/v1/users/" V1 Closed SMALL Route::Users =>
        Get    Password        => v1::users::login(ctx, request, credentials);
        Post   None            => v1::users::register(ctx, request);
    "/v1/users/{username}/" V1 Closed SMALL Route::User(name) =>
        Put    Password        => v1::users::update(ctx, request, credentials, name);
    "/v1/repositories/{repository}/" V1 Closed IMAGES Route::Repository(name) =>
        Put    Password        => v1::repositories::create(ctx, request, credentials, name);
        Delete Password        => v1::repositories::delete(ctx, request, credentials, name);
    "/v1/repositories/{repository}/images" V1 Anonymous IMAGES Route::Images(name) =>
        Get    V1              => v1::images::list(ctx, request, credentials, name);
        Put    V1              => v1::images::update(ctx, request, credentials, name);
        Delete V1              => v1::images::clear(ctx, request, credentials, name);
    "/v1/repositories/{repository}/auth" V1 Closed SMALL Route::Auth(name) =>
        Put    RepositoryToken => v1::images::authorize(ctx, request, name);
    "/v1/repositories/{repository}/layer/{image}/access" V1 Anonymous SMALL Route::LayerAccess(name, image) =>
        Get    V1              => v1::images::access(ctx, request, credentials, name, image);
    "/v1/repositories/{repository}/tags" V1 Anonymous SMALL Route::TagList(name) =>
        Get    V1              => v1::images::tags(ctx, request, credentials, name);
    "/v1/search" V1 Anonymous SMALL Route::Search =>
        Get    Registry        => v1::search::search(ctx, request);

    // Registries and their clients; manifests and blobs, with which pulls and pushes begin, are at a registry.
    "/v2/" Token Closed SMALL Route::RegistryBase =>
        Get    Registry        => base::check(ctx, request);
    "/v2/_catalog" Token Anonymous SMALL Route::Catalog =>
        Get    Registry        => base::catalog(ctx, request);
    "/v2/{repository}/tags/list" Token Anonymous SMALL Route::TagNames(name) =>
        Get    Registry        => base::tags(ctx, request, name);
    "/v2/{repository}/manifests/{reference}" Token Closed UNREAD Route::Manifest =>
        Get    None            => ready(Err(base::elsewhere(ctx, request).into()));
        Put    None            => ready(Err(base::elsewhere(ctx, request).into()));
    "/v2/{repository}/blobs/{digest}" Token Closed UNREAD Route::Blob =>
        Post   None            => ready(Err(base::elsewhere(ctx, request).into()));
        Get    None            => ready(Err(base::elsewhere(ctx, request).into()));
    "/token" Token Token SCOPES Route::Token =>
        Get    OptionalPassword => token::get(ctx, request);
        Post   Body            => token::post(ctx, request);
    "/token/revoke" Token Closed SMALL Route::Revocation =>
        Post   Body            => revocation::revoke(ctx, request);
    "/.well-known/jwks.json" Token Public SMALL Route::Jwks =>
        Get    None            => ready(base::jwks(ctx).map_err(Into::into));
    "/events" Token Closed EVENTS Route::Events =>
        Post   EventSecret     => events::receive(ctx, request);
    "/reconciler" Hub Closed DESCRIBED Route::Reconciler =>
        Get    Reconciler      => reconciler::compare(ctx, request);
        Post   Reconciler      => reconciler::report(ctx, request);

    // Whether all is well; what browsers and crawlers ask for; what says what there is.
    "/health" Hub Anonymous SMALL Route::Health =>
        Get    OptionalSession => health::report(ctx, request, credentials);
    "/" Page Closed SMALL Route::Front =>
        Get    OptionalCookie  => pages::home::page(ctx, request, credentials);
    "/favicon.ico" V1 Public SMALL Route::Icon =>
        Get    None            => ready(Ok(site::icon()));
    "/robots.txt" V1 Public SMALL Route::Robots =>
        Get    None            => ready(Ok(site::robots()));
    "/openapi.json" V1 Public SMALL Route::OpenApi =>
        Get    None            => openapi::document(ctx);
    "/account/confirm" Page Closed SMALL Route::Confirm =>
        Get    None            => ready(Ok(account::confirm_page(ctx)));
        Post   Link            => account::confirm(ctx, request);
    "/account/password" Page Closed SMALL Route::Password =>
        Get    None            => ready(Ok(account::password_page(ctx)));
        Post   Link            => account::set_password(ctx, request);
    "/account/forgotten" Page Closed SMALL Route::Forgotten =>
        Get    None            => ready(account::forgotten_page(ctx));
        Post   None            => account::forgotten(ctx, request);

    // The pages. They take the cookie of a browser and nothing else, and nothing else takes that.
    "/sign-in" Page Closed SMALL Route::Page(Page::SignIn) =>
        Get    None            => ready(Ok(pages::sign_in::page(ctx, request)));
        Post   Body            => pages::sign_in::sign_in(ctx, request);
    "/sign-out" Page Closed SMALL Route::Page(Page::SignOut) =>
        Post   Cookie          => pages::sign_in::sign_out(ctx, request, credentials);
    "/register" Page Closed SMALL Route::Page(Page::Register) =>
        Get    None            => ready(Ok(pages::register::page(ctx)));
        Post   None            => pages::register::register(ctx, request);
    "/search" Page Closed SMALL Route::Page(Page::Search) =>
        Get    OptionalCookie  => pages::search::page(ctx, request, credentials);
    "/settings" Page Closed SMALL Route::Page(Page::Settings) =>
        Get    Cookie          => pages::settings::page(ctx, request, credentials);
        Post   Cookie          => pages::settings::change(ctx, request, credentials);
    "/settings/tokens" Page Closed SMALL Route::Page(Page::Tokens) =>
        Get    Cookie          => pages::tokens::page(ctx, request, credentials);
        Post   FreshCookie     => pages::tokens::change(ctx, request, credentials);
    "/settings/tokens/new" Page Closed SMALL Route::Page(Page::NewToken) =>
        Get    Cookie          => pages::tokens::new(ctx, request, credentials);
        Post   FreshCookie     => pages::tokens::create(ctx, request, credentials);
    "/settings/sessions" Page Closed SMALL Route::Page(Page::Sessions) =>
        Get    Cookie          => pages::sessions::page(ctx, request, credentials);
        Post   Cookie          => pages::sessions::change(ctx, request, credentials);
    "/admin" Page Closed SMALL Route::Page(Page::Administration) =>
        Get    Cookie          => administration::overview::page(ctx, request, credentials, None);
        Post   Cookie          => administration::overview::write_notice(ctx, request, credentials);
    "/admin/users" Page Closed SMALL Route::Page(Page::Users) =>
        Get    Cookie          => administration::page(ctx, request, credentials, Screen::Users, None);
    "/admin/users/{username}" Page Closed SMALL Route::Page(Page::User(name)) =>
        Get    Cookie          => administration::page(ctx, request, credentials, Screen::User(name), None);
        Post   FreshCookie     => administration::user::change(ctx, request, credentials, name);
    "/admin/namespaces" Page Closed SMALL Route::Page(Page::Namespaces) =>
        Get    Cookie          => administration::page(ctx, request, credentials, Screen::Namespaces, None);
    "/admin/limits" Page Closed SMALL Route::Page(Page::Limits) =>
        Get    Cookie          => administration::page(ctx, request, credentials, Screen::Limits, None);
    "/static/{file}" Page Public SMALL Route::Page(Page::Asset(file)) =>
        Get    None            => ready(site::asset(file));
    "/r/{namespace}" Page Closed SMALL Route::Page(Page::Namespace(namespace)) =>
        Get    OptionalCookie  => pages::namespace::page(ctx, request, credentials, namespace);
    "/r/{namespace}/-/new" Page Closed SMALL Route::Page(Page::NewRepository(namespace)) =>
        Get    Cookie          => pages::new_repository::page(ctx, credentials, namespace);
        Post   Cookie          => pages::new_repository::create(ctx, request, credentials, namespace);
    "/r/{namespace}/-/members" Page Closed SMALL Route::Page(Page::Members(namespace)) =>
        Get    Cookie          => pages::members::page(ctx, request, credentials, namespace);
        Post   FreshCookie     => pages::members::change(ctx, request, credentials, namespace);
    "/r/{namespace}/-/service-accounts" Page Closed SMALL Route::Page(Page::ServiceAccounts(namespace)) =>
        Get    Cookie          => pages::service_accounts::page(ctx, request, credentials, namespace);
        Post   FreshCookie     => pages::service_accounts::change(ctx, request, credentials, namespace);
    "/r/{namespace}/-/service-accounts/{username}" Page Closed SMALL Route::Page(Page::ServiceAccount(namespace, user)) =>
        Get    Cookie          => pages::service_account::page(ctx, request, credentials, namespace, user);
        Post   FreshCookie     => pages::service_account::change(ctx, request, credentials, namespace, user);
    "/r/{namespace}/-/audit" Page Closed SMALL Route::Page(Page::Audit(namespace)) =>
        Get    Cookie          => pages::audit::page(ctx, request, credentials, namespace);
    "/r/{namespace}/-/refusals" Page Closed SMALL Route::Page(Page::Refusals(namespace)) =>
        Get    Cookie          => pages::refusals::page(ctx, request, credentials, namespace);
    "/r/{namespace}/-/deletions" Page Closed SMALL Route::Page(Page::Deletions(namespace)) =>
        Get    Cookie          => pages::deletions::page(ctx, request, credentials, namespace);
    "/r/{repository}" Page Closed SMALL Route::Page(Page::Repository(name)) =>
        Get    OptionalCookie  => pages::repository::page(ctx, request, credentials, name);
    "/r/{repository}/-/tags" Page Closed SMALL Route::Page(Page::Tags(name)) =>
        Post   FreshCookie     => pages::repository::delete_tags(ctx, request, credentials, name);
    "/r/{repository}/-/settings" Page Closed DESCRIBED_FORM Route::Page(Page::RepositorySettings(name)) =>
        Get    Cookie          => pages::repository_settings::page(ctx, request, credentials, name);
        Post   FreshCookie     => pages::repository_settings::change(ctx, request, credentials, name);
    "/r/{repository}/-/access" Page Closed SMALL Route::Page(Page::Access(name)) =>
        Get    Cookie          => pages::access::page(ctx, request, credentials, name);
        Post   FreshCookie     => pages::access::change(ctx, request, credentials, name);
    "/r/{repository}/-/tags/{tag}" Page Closed SMALL Route::Page(Page::Tag(name, tag)) =>
        Get    OptionalCookie  => pages::tag::page(ctx, request, credentials, name, tag);

    // The management API: logins, accounts and their tokens.
    "/v2/users/login" Hub Closed SMALL Route::Hub(Hub::Login) =>
        Post   Body            => hub::sessions::login(ctx, request);
    "/v2/auth/token" Hub Closed SMALL Route::Hub(Hub::AuthToken) =>
        Post   Body            => hub::sessions::auth_token(ctx, request);
    "/v2/logout" Hub Closed SMALL Route::Hub(Hub::Logout) =>
        Post   Session         => hub::sessions::logout(ctx, credentials);
    "/v2/user" Hub Closed SMALL Route::Hub(Hub::CurrentUser) =>
        Get    Session         => hub::sessions::current_user(ctx, credentials);
        Delete PasswordSession => hub::leaving::leave(ctx, request, credentials);
    "/v2/user/orgs" Hub Closed SMALL Route::Hub(Hub::OwnOrganisations) =>
        Get    Session         => hub::namespaces::organisations(ctx, request, credentials);
    "/v2/repositories/namespaces" Hub Closed SMALL Route::Hub(Hub::OwnNamespaces) =>
        Get    Session         => hub::namespaces::names(ctx, credentials);
    "/v2/users/{username}" Hub Anonymous SMALL Route::Hub(Hub::User(name)) =>
        Get    OptionalSession => hub::namespaces::user(ctx, request, credentials, name);
    "/v2/orgs/{namespace}" Hub Anonymous SMALL Route::Hub(Hub::Organisation(name)) =>
        Get    OptionalSession => hub::namespaces::get(ctx, request, credentials, name);
    "/v2/user/password" Hub Closed SMALL Route::Hub(Hub::Password) =>
        Post   PasswordSession => hub::password::change(ctx, request, credentials);
    "/v2/user/emails" Hub Closed SMALL Route::Hub(Hub::Emails) =>
        Get    PasswordSession => hub::emails::list(ctx, credentials);
        Post   PasswordSession => hub::emails::add(ctx, request, credentials);
    "/v2/user/emails/{email}" Hub Closed SMALL Route::Hub(Hub::Email(email)) =>
        Patch  PasswordSession => hub::emails::choose(ctx, request, credentials, email);
        Delete PasswordSession => hub::emails::remove(ctx, request, credentials, email);
    "/v2/access-tokens" Hub Closed SMALL Route::Hub(Hub::AccessTokens) =>
        Get    PasswordSession => hub::access_tokens::list(ctx, request, credentials);
        Post   PasswordSession => hub::access_tokens::create(ctx, request, credentials);
    "/v2/access-tokens/{uuid}" Hub Closed SMALL Route::Hub(Hub::AccessToken(uuid)) =>
        Get    PasswordSession => hub::access_tokens::get(ctx, credentials, uuid);
        Patch  PasswordSession => hub::access_tokens::update(ctx, request, credentials, uuid);
        Delete PasswordSession => hub::access_tokens::delete(ctx, request, credentials, uuid);
    "/v2/access-tokens/{uuid}/renew" Hub Closed SMALL Route::Hub(Hub::AccessTokenRenewal(uuid)) =>
        Post   PasswordSession => hub::access_tokens::renew(ctx, request, credentials, uuid);
    "/v2/refresh-tokens" Hub Closed SMALL Route::Hub(Hub::RefreshTokens) =>
        Get    PasswordSession => hub::sessions::refresh_tokens(ctx, credentials);
    "/v2/refresh-tokens/{uuid}" Hub Closed SMALL Route::Hub(Hub::RefreshToken(uuid)) =>
        Delete PasswordSession => hub::sessions::end_refresh_token(ctx, request, credentials, uuid);

    // The management API: repositories.
    "/v2/namespaces/{namespace}/repositories" Hub Anonymous DESCRIBED Route::Hub(Hub::Repositories(namespace)) =>
        Get    OptionalSession => hub::repositories::list(ctx, request, credentials, namespace);
        Post   Session         => hub::repositories::create(ctx, request, credentials, Some(namespace));
    "/v2/repositories" Hub Closed DESCRIBED Route::Hub(Hub::NewRepository) =>
        Post   Session         => hub::repositories::create(ctx, request, credentials, None);
    "/v2/namespaces/{namespace}/repositories/{repository}" Hub Anonymous DESCRIBED Route::Hub(Hub::Repository(name)) =>
        Get    OptionalSession => hub::repositories::get(ctx, request, credentials, name);
        Patch  Session         => hub::repositories::update(ctx, request, credentials, name);
        Delete Session         => hub::repositories::delete(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/privacy" Hub Closed SMALL Route::Hub(Hub::Privacy(name)) =>
        Post   Session         => hub::repositories::privacy(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/transfer" Hub Closed SMALL Route::Hub(Hub::Transfer(name)) =>
        Post   Session         => hub::repositories::transfer(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/star" Hub Closed SMALL Route::Hub(Hub::Star(name)) =>
        Get    Session         => hub::stars::list(ctx, request, credentials, name);
        Put    Session         => hub::stars::add(ctx, credentials, name);
        Post   Session         => hub::stars::add(ctx, credentials, name);
        Delete Session         => hub::stars::remove(ctx, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/images" Hub Anonymous SMALL Route::Hub(Hub::Images(name)) =>
        Get    OptionalSession => hub::images::list(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/images-summary" Hub Anonymous SMALL Route::Hub(Hub::ImagesSummary(name)) =>
        Get    OptionalSession => hub::images::summary(ctx, request, credentials, name);
    "/v2/search/repositories" Hub Anonymous SMALL Route::Hub(Hub::Search) =>
        Get    OptionalSession => hub::search::repositories(ctx, request, credentials);
    "/v2/namespaces/{namespace}/repositories/{repository}/tags" Hub Anonymous SMALL Route::Hub(Hub::Tags(name)) =>
        Get    OptionalSession => hub::tags::list(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}" Hub Anonymous SMALL Route::Hub(Hub::Tag(name, tag)) =>
        Get    OptionalSession => hub::tags::get(ctx, request, credentials, name, tag);
        Delete Session         => hub::tags::delete(ctx, request, credentials, name, tag);
    "/v2/namespaces/{namespace}/repositories/{repository}/collaborators" Hub Closed SMALL Route::Hub(Hub::Collaborators(name)) =>
        Get    Session         => hub::collaborators::list(ctx, request, credentials, name);
        Post   Session         => hub::collaborators::add(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/repositories/{repository}/collaborators/{username}" Hub Closed SMALL Route::Hub(Hub::Collaborator(name, user)) =>
        Delete Session         => hub::collaborators::remove(ctx, request, credentials, name, user);

    // The management API: why something is denied, and who has access.
    "/v2/access-reviews" Hub Closed SMALL Route::Hub(Hub::AccessReviews) =>
        Post   OptionalSession => hub::access_reviews::review(ctx, request, credentials);
    "/v2/namespaces/{namespace}/repositories/{repository}/access" Hub Closed SMALL Route::Hub(Hub::RepositoryAccess(name)) =>
        Get    Session         => hub::access_reviews::list(ctx, request, credentials, name);
    "/v2/namespaces/{namespace}/refusals" Hub Closed SMALL Route::Hub(Hub::Refusals(namespace)) =>
        Get    Session         => hub::access_reviews::refusals(ctx, request, credentials, namespace);

    // The management API: namespaces, and service accounts with their tokens.
    "/v2/namespaces/{namespace}/members" Hub Closed SMALL Route::Hub(Hub::Members(namespace)) =>
        Get    Session         => hub::members::list(ctx, request, credentials, namespace);
    "/v2/namespaces/{namespace}/members/{username}" Hub Closed SMALL Route::Hub(Hub::Member(namespace, user)) =>
        Put    Session         => hub::members::set(ctx, request, credentials, namespace, user);
        Delete Session         => hub::members::remove(ctx, request, credentials, namespace, user);
    "/v2/auditlogs/{account}" Hub Closed SMALL Route::Hub(Hub::AuditLogs(account)) =>
        Get    Session         => hub::audit::list(ctx, request, credentials, account);
    "/v2/auditlogs/{account}/actions" Hub Closed SMALL Route::Hub(Hub::AuditActions) =>
        Get    Session         => hub::audit::actions(ctx, credentials);
    "/v2/namespaces/{namespace}/machines" Hub Closed SMALL Route::Hub(Hub::Machines(namespace)) =>
        Get    Session         => hub::machines::list(ctx, credentials, namespace);
        Post   Session         => hub::machines::create(ctx, request, credentials, namespace);
    "/v2/namespaces/{namespace}/machines/{username}" Hub Closed SMALL Route::Hub(Hub::Machine(namespace, user)) =>
        Delete Session         => hub::machines::delete(ctx, request, credentials, namespace, user);
    "/v2/namespaces/{namespace}/machines/{username}/access-tokens" Hub Closed SMALL Route::Hub(Hub::MachineTokens(namespace, user)) =>
        Get    Session         => hub::machines::tokens(ctx, request, credentials, namespace, user);
        Post   Session         => hub::machines::create_token(ctx, request, credentials, namespace, user);
    "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}" Hub Closed SMALL Route::Hub(Hub::MachineToken(namespace, user, uuid)) =>
        Get    Session         => hub::machines::get_token(ctx, request, credentials, namespace, user, uuid);
        Patch  Session         => hub::machines::update_token(ctx, request, credentials, namespace, user, uuid);
        Delete Session         => hub::machines::delete_token(ctx, request, credentials, namespace, user, uuid);
    "/v2/namespaces/{namespace}/machines/{username}/access-tokens/{uuid}/renew" Hub Closed SMALL Route::Hub(Hub::MachineTokenRenewal(namespace, user, uuid)) =>
        Post   Session         => hub::machines::renew_token(ctx, request, credentials, namespace, user, uuid);
}

/// Every endpoint with its path.
pub fn endpoints() -> impl Iterator<Item = (&'static Path, &'static Endpoint)> {
    PATHS.iter().flat_map(|path| path.endpoints.iter().map(move |endpoint| (path, endpoint)))
}
