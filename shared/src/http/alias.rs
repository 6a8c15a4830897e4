//! The paths that frontends of replaced systems call, and the shapes that they expect (`docs/migration.md`).
//!
//! A request gets Latchkey's path before routing, and its answer gets another body afterwards. Handlers learn only that the client
//! knows no challenge ids. Every path accepts the field names of such a frontend. An alias can add fixed fields to the body.

use serde_json::{Value, json};

use super::{Reply, Request};
use crate::texts::Language;
use crate::words::Error;

/// A path of a replaced system, with its own answers.
pub struct Alias {
    /// The alias's only method.
    pub method: &'static str,
    /// The path, without its final slash.
    pub path: &'static str,
    /// Latchkey's path for the same operation.
    pub stands_for: &'static str,
    /// Fixed fields that are added to the body.
    adds: &'static [(&'static str, &'static str)],
    /// Turns the body of a 200 into the alias's, given the request's body.
    answer: AnswerBody,
    /// Turns the body of a refusal into the alias's.
    refusal: RefusalBody,
    /// Turns the body of a 200 that asks for a second factor into the alias's. Without it, the alias refuses.
    second_factor: Option<RefusalBody>,
}

type AnswerBody = fn(&Value, &Value) -> Value;
type RefusalBody = fn(&Value) -> Value;

const REQUEST: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/otp/verify";
const REFRESH: &str = "/api/auth/token/refresh";
const LOGOUT: &str = "/api/auth/logout";
const PROFILE: &str = "/api/profile";

/// These frontends store their tokens themselves, so `TOKEN_DELIVERY` does not apply.
const IN_BODY: (&str, &str) = ("token_delivery", "body");
/// These frontends support phones only, so any other identifier is a mistake.
const BY_SMS: &[(&str, &str)] = &[IN_BODY, ("channel", "sms")];

/// All aliases.
pub const ALIASES: [Alias; 10] = [
    post("/accounts/otp/request", REQUEST, sent, message_and_code),
    post("/cfg/accounts/otp/request", REQUEST, sent, message_and_code),
    post("/accounts/otp/verify", VERIFY, signed_in, message_and_code),
    Alias {
        second_factor: Some(requires_2fa),
        ..post("/cfg/accounts/otp/verify", VERIFY, signed_in, message_and_code)
    },
    post("/cfg/accounts/token/refresh", REFRESH, tokens, detail_and_code),
    post("/cfg/accounts/token/blacklist", LOGOUT, nothing, detail_and_code),
    get("/cfg/accounts/profile", PROFILE, |user, _| account(user), detail),
    Alias { adds: BY_SMS, ..post("/api/auth/send-otp", REQUEST, texted, message_only) },
    Alias { adds: BY_SMS, ..post("/api/auth/verify-otp", VERIFY, signed_in_by_phone, message_only) },
    get("/api/auth/profile", PROFILE, |user, _| json!({ "user": phone_account(user) }), detail),
];

const fn post(path: &'static str, stands_for: &'static str, answer: AnswerBody, refusal: RefusalBody) -> Alias {
    Alias { method: "POST", path, stands_for, adds: &[IN_BODY], answer, refusal, second_factor: None }
}

const fn get(path: &'static str, stands_for: &'static str, answer: AnswerBody, refusal: RefusalBody) -> Alias {
    Alias { method: "GET", path, stands_for, adds: &[], answer, refusal, second_factor: None }
}

/// The alias of one request, for shaping the answer.
pub(crate) struct Shape {
    alias: &'static Alias,
    asked: Value,
}

impl Shape {
    /// Gives the request Latchkey's path, if its own is an alias. Returns `None` for any other path.
    pub(crate) fn translate(request: &mut Request) -> Option<Shape> {
        let alias = ALIASES.iter().find(|alias| alias.path == request.path)?;
        alias.stands_for.clone_into(&mut request.path);
        request.is_by_alias = true;
        Some(Shape { alias, asked: request.amend(alias.adds) })
    }

    /// Turns a reply into the alias's.
    pub(crate) fn reshape(self, reply: Reply) -> Reply {
        let Shape { alias, asked } = self;
        let status = reply.status();
        if status.is_redirection() {
            // Redirects to the alias without its final slash.
            return Reply::permanent_redirect(alias.path).unwrap_or(reply);
        }
        if status.is_success() && reply.asks_for_second_factor() {
            return match alias.second_factor {
                Some(shape) => reply.reshaped(|body| shape(&body)),
                None => reply.reshaped(|_| json!({ "detail": "2FA required" })).forbidden(),
            };
        }
        reply.reshaped(|body| if status.is_success() { (alias.answer)(&body, &asked) } else { (alias.refusal)(&body) })
    }
}

fn sent(ours: &Value, _: &Value) -> Value {
    json!({
        "message": ours["message"],
        "expires_in": ours["expires_in"],
        "resend_in": ours["retry_after"],
    })
}

fn texted(ours: &Value, asked: &Value) -> Value {
    json!({
        "message": "OTP sent successfully",
        "phone_number": asked["phone_number"],
        "expires_in_minutes": ours["expires_in"].as_u64().unwrap_or_default() / 60,
    })
}

fn signed_in(ours: &Value, _: &Value) -> Value {
    let user = ("user".to_owned(), account(&ours["user"]));
    Value::Object(renamed(&ours["tokens"], &TOKENS).chain([user]).collect())
}

fn requires_2fa(ours: &Value) -> Value {
    json!({ "requires_2fa": true, "session_id": ours["challenge_id"] })
}

fn signed_in_by_phone(ours: &Value, _: &Value) -> Value {
    json!({
        "message": ours["message"],
        "user": phone_account(&ours["user"]),
        "tokens": ours["tokens"],
        "is_new_user": ours["is_new_user"],
    })
}

const TOKENS: [(&str, &str); 2] = [same("access"), same("refresh")];

fn tokens(ours: &Value, _: &Value) -> Value {
    Value::Object(renamed(ours, &TOKENS).collect())
}

fn nothing(_: &Value, _: &Value) -> Value {
    json!({})
}

fn account(user: &Value) -> Value {
    const MEMBERS: [(&str, &str); 8] = [
        same("id"),
        same("email"),
        same("phone"),
        same("phone_verified"),
        same("first_name"),
        same("last_name"),
        same("full_name"),
        same("date_joined"),
    ];
    Value::Object(renamed(user, &MEMBERS).collect())
}

/// The `username` is the user's id. The phone number stays out of it.
fn phone_account(user: &Value) -> Value {
    const MEMBERS: [(&str, &str); 7] = [
        same("id"),
        ("phone_number", "phone"),
        ("username", "id"),
        same("first_name"),
        same("last_name"),
        ("is_phone_verified", "phone_verified"),
        same("date_joined"),
    ];
    Value::Object(renamed(user, &MEMBERS).collect())
}

fn message_and_code(ours: &Value) -> Value {
    const MEMBERS: [(&str, &str); 3] = [("error", "message"), ("error_code", "error"), same("retry_after")];
    Value::Object(renamed(ours, &MEMBERS).collect())
}

const fn same(name: &str) -> (&str, &str) {
    (name, name)
}

/// The members of `ours` under their new names. Missing members are left out.
fn renamed(ours: &Value, members: &[(&str, &str)]) -> impl Iterator<Item = (String, Value)> {
    members.iter().filter_map(|(theirs, name)| Some(((*theirs).to_owned(), ours.get(*name)?.clone())))
}

impl Reply {
    /// A refusal in the shape of the paths for second factors.
    pub fn in_detail(error: &Error, language: Language) -> Reply {
        match error {
            Error::InvalidOtp => {
                Reply::refusal(error, language).reshaped(|_| json!({ "detail": "Invalid TOTP token" }))
            }
            _ => Reply::refusal(error, language).reshaped(|ours| detail(&ours)),
        }
    }
}

fn detail(ours: &Value) -> Value {
    json!({ "detail": ours["message"] })
}

fn detail_and_code(ours: &Value) -> Value {
    let code =
        if ours["error"] == "invalid_token" { "token_not_valid" } else { ours["error"].as_str().unwrap_or_default() };
    json!({ "detail": ours["message"], "code": code })
}

fn message_only(ours: &Value) -> Value {
    json!({ "error": ours["message"] })
}
