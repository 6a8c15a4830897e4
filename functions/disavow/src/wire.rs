//! The bodies of the request and the answer.

use serde::{Deserialize, Serialize};
use shared::http::Request;
use shared::sessions::Disavowal;
use shared::texts::{Language, answers};
use shared::words::Result;

#[derive(Deserialize)]
struct Body {
    token: String,
}

/// The token: from a form, or from JSON.
pub(crate) fn submitted(request: &Request) -> Result<String> {
    match request.is_form() {
        true => request.form_field("token").map(str::to_owned).ok_or_else(Disavowal::refused),
        false => request.json::<Body>().map(|body| body.token),
    }
}

/// The answer after a disavowal.
#[derive(Serialize)]
pub(crate) struct Disavowed {
    success: bool,
    message: &'static str,
    done_before: bool,
}

impl Disavowed {
    pub(crate) fn new(done_before: bool, language: Language) -> Disavowed {
        Disavowed { success: true, message: answers::all_ended(language), done_before }
    }
}
