//! A user in an answer of the API.

use serde::Serialize;

use crate::people::User;

/// A user, as verify and profile return it.
#[derive(Serialize)]
pub struct UserView<'a> {
    id: String,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    email_verified: bool,
    phone_verified: bool,
    first_name: &'a str,
    last_name: &'a str,
    full_name: String,
    date_joined: String,
    last_login: Option<String>,
    is_new_user: bool,
}

impl<'a> UserView<'a> {
    /// The view of `user`. A user's email address and phone number were proven before they were stored.
    pub fn of(user: &'a User, is_new_user: bool) -> UserView<'a> {
        UserView {
            id: user.id.to_string(),
            email: user.email.as_deref(),
            phone: user.phone.as_deref(),
            email_verified: user.email.is_some(),
            phone_verified: user.phone.is_some(),
            first_name: &user.first_name,
            last_name: &user.last_name,
            full_name: format!("{} {}", user.first_name, user.last_name).trim().to_owned(),
            date_joined: user.joined.to_string(),
            last_login: user.last_login.map(|at| at.to_string()),
            is_new_user,
        }
    }
}
