//! The bodies of the requests and the answers.

use serde::{Deserialize, Serialize};
use shared::codes::Code;
use shared::factors::{SubmittedFactor, TrustToken};
use shared::http::{Cookie, Delivered, Frontends, IdentifierFields, Request, TokenDelivery, Tokens};
use shared::sessions::Transaction;
use shared::words::{ChallengeId, Destination, Error, Result, RetryKey};

#[derive(Deserialize)]
struct SignInBody {
    challenge_id: Option<String>,
    method: String,
    code: Option<String>,
    trust_device: Option<bool>,
    token_delivery: Option<TokenDelivery>,
}

/// A second factor that ends a sign-in.
pub(crate) struct SubmittedSignIn {
    pub(crate) challenge: ChallengeId,
    pub(crate) factor: SubmittedFactor,
    /// Whether the user trusts the device from now on.
    pub(crate) trusts: bool,
    pub(crate) delivery: TokenDelivery,
}

impl SubmittedSignIn {
    pub(crate) fn read(request: &Request, frontends: &Frontends) -> Result<SubmittedSignIn> {
        let SignInBody { challenge_id, method, code, trust_device, token_delivery } = request.json()?;
        let Delivered { delivery, text: challenge, .. } =
            request.delivered(frontends, token_delivery, challenge_id, Cookie::Challenge)?;
        let challenge = challenge.ok_or_else(|| Error::invalid("The field challenge_id is missing."))?;
        Ok(SubmittedSignIn {
            challenge: ChallengeId::from_client(challenge),
            factor: SubmittedFactor::read(&method, code.as_deref())?,
            trusts: trust_device.unwrap_or(false),
            delivery,
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct OptionsBody {
    pub(crate) transaction: Option<String>,
}

/// The methods of a step-up.
#[derive(Serialize)]
pub(crate) struct Options<'a> {
    pub(crate) success: bool,
    pub(crate) methods: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) challenge_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct StepUpBody {
    #[serde(flatten)]
    identifier: IdentifierFields,
    challenge_id: Option<String>,
    method: String,
    code: Option<String>,
    otp_code: Option<String>,
    transaction: Option<String>,
    retry: Option<String>,
    token_delivery: Option<TokenDelivery>,
    trusted_device: Option<String>,
}

/// A proof that steps a session up.
pub(crate) struct SubmittedStepUp {
    pub(crate) challenge: ChallengeId,
    pub(crate) proof: SubmittedProof,
    /// The retry key of the client's current refresh token.
    pub(crate) retry: Option<RetryKey>,
    pub(crate) delivery: TokenDelivery,
}

pub(crate) enum SubmittedProof {
    /// A code that was asked for to step up.
    Code {
        to: Destination,
        code: Code,
        /// The transaction that the user confirms.
        transaction: Option<Transaction>,
    },
    /// A second factor.
    Factor {
        factor: SubmittedFactor,
        /// The client's token of a trusted device.
        trusted: Option<TrustToken>,
    },
}

impl SubmittedStepUp {
    pub(crate) fn read(request: &Request, frontends: &Frontends) -> Result<SubmittedStepUp> {
        let body: StepUpBody = request.json()?;
        let StepUpBody { identifier, challenge_id, method, code, otp_code, transaction, .. } = body;
        let StepUpBody { retry, token_delivery, trusted_device, .. } = body;
        let retry = retry.as_deref().map(str::parse).transpose()?;
        let is_code = method == "otp";
        // The id of a code may be in the browser's cookie, like that of every code. A factor's id is in the body.
        let (field, cookie) = if is_code { (challenge_id.clone(), Cookie::Challenge) } else { (None, Cookie::Refresh) };
        let Delivered { delivery, text, .. } = request.delivered(frontends, token_delivery, field, cookie)?;
        let challenge = if is_code { text } else { challenge_id };
        let challenge = challenge.ok_or_else(|| Error::invalid("The field challenge_id is missing."))?;
        let proof = if is_code {
            let typed = otp_code.ok_or_else(|| Error::invalid("The field otp_code is missing."))?;
            let transaction = transaction.as_deref().map(str::parse).transpose()?;
            let code = Code::read(&typed).ok_or(Error::InvalidOtp)?;
            SubmittedProof::Code { to: identifier.destination()?, code, transaction }
        } else {
            let trusted = request.trusted_device(frontends, delivery, trusted_device);
            SubmittedProof::Factor { factor: SubmittedFactor::read(&method, code.as_deref())?, trusted }
        };
        Ok(SubmittedStepUp { challenge: ChallengeId::from_client(challenge), proof, retry, delivery })
    }
}

/// The answer to a step-up.
#[derive(Serialize)]
pub(crate) struct SteppedUp {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) expires_in: u64,
    pub(crate) tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup_codes_left: Option<usize>,
}
