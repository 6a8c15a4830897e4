//! The HTTP layer: requests and replies, routes and aliases, browsers and cookies, tokens, and a page.

mod alias;
mod bearer;
mod browser;
mod cookie;
mod form;
mod frontends;
mod identifier_fields;
mod issuer;
pub mod json;
mod language;
mod origin;
mod page;
mod proxies;
mod reply;
mod request;
mod routes;
mod site;
mod source_url;
mod user_view;

pub use self::alias::ALIASES;
pub(crate) use self::alias::Shape;
pub use self::bearer::{Checker, CheckerSettings};
pub use self::browser::Delivered;
pub use self::cookie::{Cookie, Cookies};
pub use self::frontends::{Frontends, Page, TokenDelivery};
pub use self::identifier_fields::IdentifierFields;
pub use self::issuer::{AccessKey, Issuer, RequestKeys, TokenSettings, Tokens};
pub use self::origin::{Origin, is_host_name};
pub use self::page::Page as HtmlPage;
pub use self::proxies::Proxies;
pub use self::reply::Reply;
pub use self::request::{LONGEST_BODY, Request, without_final_slash};
pub(crate) use self::routes::look_in;
pub use self::routes::{ROUTES, Route, look};
pub use self::source_url::source_url;
pub use self::user_view::UserView;
