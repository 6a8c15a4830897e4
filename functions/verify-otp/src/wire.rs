//! The bodies of the request and the answer.

use serde::{Deserialize, Serialize};
use shared::codes::Code;
use shared::http::{
    Cookie, Delivered, Frontends, IdentifierFields, Request, TokenDelivery, Tokens, UserView, source_url,
};
use shared::people::User;
use shared::texts::{Language, answers};
use shared::words::{ChallengeId, Destination, Error, Result, RetryKey};

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    identifier: IdentifierFields,
    otp_code: Option<String>,
    otp: Option<String>,
    challenge_id: Option<String>,
    source_url: Option<String>,
    retry: Option<String>,
    /// `Request` reads it.
    #[serde(rename = "locale")]
    _locale: Option<String>,
    token_delivery: Option<TokenDelivery>,
    device: Option<String>,
    remember: Option<bool>,
}

/// The parsed request.
pub(crate) struct SubmittedCode {
    pub(crate) to: Destination,
    pub(crate) code: Code,
    /// The challenge, if the client named one.
    pub(crate) challenge: Option<ChallengeId>,
    /// Whether a challenge of another identifier is ignored. In another tab of the browser, the cookie belongs to that identifier.
    pub(crate) may_be_foreign: bool,
    /// Its retry key, if the client may send the same answer again.
    pub(crate) retry: Option<RetryKey>,
    pub(crate) source_url: Option<String>,
    /// Whether the client gets the tokens in the body or as cookies.
    pub(crate) delivery: TokenDelivery,
    /// The client's device token.
    pub(crate) device: Option<String>,
    /// Whether the user wants to stay signed in after the browser was closed.
    pub(crate) is_remembered: bool,
}

impl SubmittedCode {
    /// Reads the body. Text without the form of a code is refused here and costs no attempt.
    pub(crate) fn read(request: &Request, frontends: &Frontends, binding_required: bool) -> Result<SubmittedCode> {
        let body: Body = request.json()?;
        let Body { identifier, otp_code, otp, challenge_id, source_url: source, .. } = body;
        let Body { retry, token_delivery, device, remember, .. } = body;
        let retry = retry.as_deref().map(str::parse).transpose()?;
        let typed = match (otp_code, otp) {
            (Some(one), Some(other)) if one != other => {
                return Err(Error::invalid("The body has two different codes. Send one."));
            }
            (Some(typed), _) | (None, Some(typed)) => typed,
            (None, None) => return Err(Error::invalid("The field otp_code is missing.")),
        };
        let Delivered { delivery, text: challenge_id, is_shown, is_cookie } =
            request.delivered(frontends, token_delivery, challenge_id, Cookie::Challenge)?;
        let retry = retry.filter(|_| is_shown);
        // An unusable device token must not keep anybody from signing in.
        let device = request.device_token(frontends, delivery, device).unwrap_or_default();
        // Bodies of replaced systems have no field for it.
        let is_required = binding_required && !request.is_by_alias;
        if is_required && challenge_id.is_none() {
            return Err(Error::invalid("The field challenge_id is missing."));
        }
        let source_url = source.as_deref().and_then(source_url).map(str::to_owned);
        let to = identifier.destination()?;
        let code = Code::read(&typed).ok_or(Error::InvalidOtp)?;
        let challenge = challenge_id.map(ChallengeId::from_client);
        let may_be_foreign = is_cookie && !is_required;
        let is_remembered = remember.unwrap_or(true);
        Ok(SubmittedCode { to, code, challenge, may_be_foreign, retry, source_url, delivery, device, is_remembered })
    }

    /// The same, from this page unless the body names another one.
    pub(crate) fn with_source(self, page: Option<&str>) -> SubmittedCode {
        let source_url = self.source_url.or_else(|| page.and_then(source_url).map(str::to_owned));
        SubmittedCode { source_url, ..self }
    }
}

/// The answer after a successful sign-in.
#[derive(Serialize)]
pub(crate) struct SignedIn<'a> {
    success: bool,
    message: &'static str,
    user: UserView<'a>,
    is_new_user: bool,
    expires_in: u64,
    tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
}

impl SignedIn<'_> {
    /// `device` is in the body unless the client gets it as a cookie.
    pub(crate) fn new<'a>(
        user: &'a User,
        is_new_user: bool,
        tokens: Tokens,
        device: Option<&'a str>,
        language: Language,
    ) -> SignedIn<'a> {
        SignedIn {
            success: true,
            message: answers::signed_in(language),
            user: UserView::of(user, is_new_user),
            is_new_user,
            expires_in: tokens.expires_in,
            tokens,
            device,
        }
    }
}
