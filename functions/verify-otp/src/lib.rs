//! `POST /api/auth/otp/verify/`: exchanges a code for a session.
//!
//! 1. Open the challenge id, and count an attempt before looking at the code. At the same time, read the identifier's user. An
//!    answer without an id is also limited by its network.
//! 2. Compare the code. The answer is the same for every reason why it is wrong.
//! 3. Admit the user (`shared::admission`): use up the challenge, so that its code works only once, and open a
//!    session within the session limit. A new user is created in the same transaction. A provider of texts that asks for it hears
//!    that its message was received.
//!    A user with a second factor gets a sealed id instead, for `second-factor`.
//! 4. An answer that was right a moment ago gets its session again, if it has the same challenge id and retry key.
//! 5. A browser gets the refresh token as a cookie, and a device cookie for its next request for a code.

mod again;
mod prove;
mod wire;

use shared::admission::{Admission, Admitted, Arrival, CodeCheck, Door, Payment, admit};
use shared::aws::{self, Aws, Feedback, KeyringReader, Secrets};
use shared::codes::{Allowance, SmsPolicy, device_token};
use shared::config::Reader;
use shared::factors::SecondFactorPolicy;
use shared::http::{Frontends, Issuer, Reply, Request, SignIn, TokenSettings};
use shared::keys::{CodeKeys, IndexKeys};
use shared::messages::SmsProvider;
use shared::observe::report::{self, About};
use shared::people::Familiarity;
use shared::runtime::Function;
use shared::sessions::{Opening, SessionPolicy};
use shared::store::{OtpTable, Store, UserTable};
use shared::words::{Clock, Error, Index, Result};

use crate::prove::Answer;
use crate::wire::SubmittedCode;

/// The function's resources: both tables, all keyrings, and the provider of texts.
pub struct VerifyOtp {
    clock: Clock,
    sms: SmsPolicy,
    binding_required: bool,
    failures: Allowance,
    sign_up_open: bool,
    source_from_referer: bool,
    sessions: SessionPolicy,
    second_factor: SecondFactorPolicy,
    frontends: Frontends,
    issuer: Issuer,
    index: KeyringReader<IndexKeys>,
    codes: KeyringReader<CodeKeys>,
    challenges: OtpTable,
    users: UserTable,
    feedback: Feedback,
}

/// The outcome of a right code, and the epoch of the identifier's device tokens.
pub(crate) struct Entered {
    pub(crate) admission: Admission,
    pub(crate) epoch: u32,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The SMS policy, to check the number and to lower the breaker debt for a used code.
    pub sms: SmsPolicy,
    /// The provider of SMS and calls, which may want to hear of used codes.
    pub sms_provider: SmsProvider,
    /// Whether an answer must contain `challenge_id`, except at the paths of replaced systems.
    pub binding_required: bool,
    /// The limit on wrong codes from one network.
    pub failures: Allowance,
    /// Whether a correct code for an unknown identifier creates a user.
    pub sign_up_open: bool,
    /// Whether the header `Referer` is the source of a sign-up without `source_url`.
    pub source_from_referer: bool,
    /// The length and number of sessions.
    pub session: SessionPolicy,
    /// The policy of second factors.
    pub second_factor: SecondFactorPolicy,
    /// The allowed origins of browsers, and the usual delivery of tokens.
    pub frontends: Frontends,
    /// The settings for tokens.
    pub tokens: TokenSettings,
    /// The secret with the index key.
    pub index_secret: String,
    /// The secret with the keyring of codes.
    pub codes_secret: String,
    /// The table of challenges and counters.
    pub otp_table: String,
    /// The table of users, identifiers, sessions and public keys.
    pub user_table: String,
}

impl Function for VerifyOtp {
    const NAME: &'static str = "verify-otp";
    const IS_AWAITED: bool = true;

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            sms: SmsPolicy::read(read),
            sms_provider: SmsProvider::read(read),
            binding_required: read.choice("OTP_BINDING", "optional", &["optional", "required"]) == "required"
                || !read.is_on("ALIASES"),
            failures: Allowance::read_failures(read),
            sign_up_open: read.choice("SIGN_UP", "open", &["open", "closed"]) == "open",
            source_from_referer: read.choice("SOURCE_FROM_REFERER", "off", &["off", "on"]) == "on",
            session: SessionPolicy::read(read),
            second_factor: SecondFactorPolicy::read(read),
            frontends: Frontends::read(read),
            tokens: TokenSettings::read(read),
            index_secret: IndexKeys::read_secret(read),
            codes_secret: CodeKeys::read_secret(read),
            otp_table: OtpTable::read_name(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<VerifyOtp> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let secrets = Secrets::new(&aws);
        let issuer = Issuer::new(settings.tokens, &secrets);
        let (index, codes) = (secrets.keyring(settings.index_secret), secrets.keyring(settings.codes_secret));
        // A sign-in starts with three calls at once. With SMS on, it ends with four.
        let calls = if settings.sms.countries.is_empty() { 3 } else { 4 };
        let feedback = settings.sms_provider.feedback(&aws);
        let [refresh, signing] = issuer.keyrings();
        let keyrings = secrets.warm([refresh, signing, &index, &codes], clock.now());
        tokio::join!(keyrings, store.connect(calls), feedback.connect(&aws));
        Ok(VerifyOtp {
            clock,
            sms: settings.sms,
            binding_required: settings.binding_required,
            failures: settings.failures,
            sign_up_open: settings.sign_up_open,
            source_from_referer: settings.source_from_referer,
            sessions: settings.session,
            second_factor: settings.second_factor,
            frontends: settings.frontends,
            issuer,
            index,
            codes,
            challenges: store.otp_table(settings.otp_table),
            users: store.user_table(settings.user_table),
            feedback,
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let submitted = SubmittedCode::read(&request, &self.frontends, self.binding_required)?;
        let submitted = submitted.with_source(request.referer().filter(|_| self.source_from_referer));
        self.sms.reaches(&submitted.to)?;

        // Load the keyrings and the signer before anything is counted, so that a failure here costs no attempt.
        let (index, codes, keys) =
            tokio::try_join!(self.index.keys(now), self.codes.keys(now), self.issuer.keys(&request, now))?;
        let access_key = keys.access_key()?;
        let index = Index::new(index.index.mac(), request.tenant());

        let answer = Answer::new(&submitted, request.network, &index, now)?;
        let opening = Opening {
            policy: &self.sessions,
            key_id: keys.refresh_key_id()?,
            device: &request.device(),
            familiarity: Familiarity::Unclear,
            id: answer.session.as_ref(),
            is_remembered: submitted.is_remembered,
        };
        let entered = match self.enter(&answer, &codes, opening, &index).await {
            Err(Error::InvalidOtp) => self.enter_again(&answer, &keys, &index).await,
            entered => entered,
        };
        let Entered { admission, epoch } = entered?;
        let Admitted { user, session, is_new } = match admission {
            Admission::In(admitted) => *admitted,
            Admission::Due(pending) => {
                report::about(About::User(&pending.user));
                let id = keys.pendings().seal(&pending, now)?;
                return Reply::due(&pending, &id, submitted.delivery, request.language);
            }
        };

        report::about(About::User(&user.id));
        report::about(About::Session(session.id()));
        let tokens = keys.issue(&session, &access_key)?;
        let device = &device_token(&submitted.to.identifier(), &index, epoch, now);
        let sign_in = SignIn { user: &user, is_new, tokens, device, trusted: None, backup_codes_left: None };
        Reply::signed_in(sign_in, submitted.delivery, now, request.language)
    }
}

impl VerifyOtp {
    /// Steps 1 to 3.
    async fn enter(
        &self,
        answer: &Answer<'_>,
        codes: &CodeKeys,
        opening: Opening<'_>,
        index: &Index<'_>,
    ) -> Result<Entered> {
        let (challenges, users) = (&self.challenges, self.users.of(index.tenant()));
        let check = CodeCheck { challenges, users, codes, failures: self.failures, now: answer.now };
        let (code, owner) = check.prove(&answer.code).await?;
        let epoch = code.state().epoch;
        let (known_since, familiarity) = answer.familiarity(index, epoch);
        let opening = Opening { familiarity, ..opening };
        let network = answer.code.network().clone();
        let payment = Payment::new(challenges, &self.sms, code.to(), index, network, answer.now)?;
        let payment = payment.with_feedback(&self.feedback, code.message());
        let door = Door {
            users,
            challenges,
            payment: &payment,
            sign_up_open: self.sign_up_open,
            second_factor: &self.second_factor,
        };
        let SubmittedCode { trusted, source_url, .. } = answer.submitted;
        let (trusted, source_url) = (trusted.as_ref(), source_url.as_deref());
        let arrival = Arrival { owner, opening, known_since, trusted, source_url, now: answer.now };
        Ok(Entered { admission: admit(&code.for_sign_in()?, door, arrival).await?, epoch })
    }
}
