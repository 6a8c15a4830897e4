//! `POST /api/auth/otp/request/`: sends a code to an identifier.
//!
//! A code that confirms a request of a session ([`Purpose::StepUp`]) needs the session's access token and a device token of the
//! identifier. A sign-in reads neither keys nor users for it.
//!
//! 1. Count the request for its network, check the day's SMS budget, and read the identifier's item, for a tagged address its
//!    mailbox's too. Now and then, read the stack's share of wrong answers.
//! 2. Decide (`shared::codes::IdentifierState::decide`): a code of its own, a long code, or a share in one that is under way. A
//!    write takes a token out of the identifier's bucket and stores the code. An SMS also counts towards the network's daily
//!    limit.
//! 3. Take an SMS out of the day's budget.
//! 4. Send the code. After a certain refusal, take everything back, so that the client may retry at once.
//! 5. Give the same answer to everybody. Of the users' table it can read the public keys only, so it cannot reveal accounts. A request without
//!    a message waits as long as one with a message. A browser gets the challenge id as a cookie that scripts cannot read.

mod asking;
mod pace;
mod wire;

use shared::admission::{Gate, Rules};
use shared::aws::{self, Aws, KeyringReader, Secrets};
use shared::codes::{
    Allowance, Asked, ChallengePolicy, ChallengeRef, Drafting, MailPolicy, Purpose, Seal, is_known_device,
};
use shared::config::Reader;
use shared::http::{Checker, CheckerSettings, Frontends, Reply, Request};
use shared::keys::{CodeKeys, IndexKeys};
use shared::messages::{MailSettings, PhoneChannels, ProviderSettings, Providers, Sender, SmsSettings};
use shared::observe::report::{self, About};
use shared::runtime::Function;
use shared::store::{ChallengeRequest, OtpTable, Store, UserTable};
use shared::words::{Clock, Error, Forbidden, Index, Lane, Result};

use crate::asking::Asking;
use crate::pace::Pace;
use crate::wire::CodeRequest;

/// The function's resources: one table, two keyrings, the keys for checking access tokens, email and SMS.
pub struct RequestOtp {
    clock: Clock,
    policy: ChallengePolicy,
    requests: Allowance,
    mail: MailPolicy,
    frontends: Frontends,
    checker: Checker,
    index: KeyringReader<IndexKeys>,
    codes: KeyringReader<CodeKeys>,
    table: OtpTable,
    sender: Sender,
    others: PhoneChannels,
    pace: Pace,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    /// The length, expiry and limits of codes.
    pub challenge: ChallengePolicy,
    /// The limit on requests from one network.
    pub requests: Allowance,
    /// The limits on mail.
    pub mail_limits: MailPolicy,
    /// The settings for email, and the product's name in all messages.
    pub mail: MailSettings,
    /// Whether the subject of a mail has the code.
    pub in_subject: bool,
    /// The settings for SMS.
    pub sms: SmsSettings,
    /// The settings for calls and WhatsApp.
    pub others: PhoneChannels,
    /// The services outside AWS that send messages.
    pub providers: ProviderSettings,
    /// The allowed origins of browsers, and the usual delivery of tokens.
    pub frontends: Frontends,
    /// The settings for checking access tokens.
    pub tokens: CheckerSettings,
    /// The table with the public keys.
    pub user_table: String,
    /// The table of challenges and counters.
    pub otp_table: String,
    /// The secret with the index key.
    pub index_secret: String,
    /// The secret with the keyring of codes.
    pub codes_secret: String,
}

/// An access token alone sends no messages: its thief could frighten the user with them, or hide a real one among them (S275).
const NO_DEVICE: Forbidden =
    Forbidden::Request("Send the device token that a sign-in with this identifier has given to this client.");

impl Function for RequestOtp {
    const NAME: &'static str = "request-otp";
    const IS_AWAITED: bool = true;

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            challenge: ChallengePolicy::read(read),
            requests: Allowance::read_requests(read),
            mail_limits: MailPolicy::read(read),
            mail: MailSettings::read(read),
            in_subject: MailSettings::read_in_subject(read),
            sms: SmsSettings::read(read),
            others: PhoneChannels::read(read),
            providers: ProviderSettings::read(read),
            frontends: Frontends::read(read),
            tokens: CheckerSettings::read(read),
            user_table: UserTable::read_name(read),
            otp_table: OtpTable::read_name(read),
            index_secret: IndexKeys::read_secret(read),
            codes_secret: CodeKeys::read_secret(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<RequestOtp> {
        let Settings { challenge: policy, requests, mail_limits, mail, in_subject, sms, others, frontends, .. } =
            settings;
        let Settings { providers, tokens, user_table, otp_table, index_secret, codes_secret, .. } = settings;
        let aws = Aws::new(aws, &clock)?;
        let secrets = Secrets::new(&aws);
        let (index, codes) = (secrets.keyring(index_secret), secrets.keyring(codes_secret));
        let store = Store::new(&aws);
        // Not warmed, because few requests need it.
        let checker = Checker::new(tokens, &aws, &store.user_table(user_table));
        let providers = Providers::new(&aws, &secrets, &providers);
        let sender = Sender::new(&aws, (mail, in_subject), sms, &others, providers.as_ref())?;
        let has_sms = !policy.sms.countries.is_empty();
        let (table, now) = (store.otp_table(otp_table), clock.now());
        let warm = async {
            match &providers {
                Some(providers) => secrets.warm([&index, &codes, providers.secret()], now).await,
                None => secrets.warm([&index, &codes], now).await,
            }
        };
        // A request starts with three calls at once: its network's count, the identifier's item, and the counts of SMS or an
        // instance's lease of mails. The brake's read opens the third connection.
        tokio::join!(warm, store.connect(2), table.is_braked(now), sender.warm(has_sms));
        let pace = Pace::default();
        Ok(RequestOtp {
            clock,
            policy,
            requests,
            mail: mail_limits,
            frontends,
            checker,
            index,
            codes,
            table,
            sender,
            others,
            pace,
        })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let CodeRequest { to, purpose, named, delivery, device } = CodeRequest::read(&request, &self.frontends)?;
        let rules = Rules { requests: self.requests, mail: &self.mail, sms: &self.policy.sms };
        rules.reach(&to)?;
        if !self.others.on().is_on(to.channel()) {
            return Err(Error::invalid("This channel is off. Use sms for a number."));
        }

        if purpose != Purpose::SignIn {
            self.checker.subject(&request, now).await?;
        }

        let (index, codes) = tokio::try_join!(self.index.keys(now), self.codes.keys(now))?;
        let index = Index::new(index.index.mac(), request.tenant());
        let identifier = index.identifier(&to.identifier());
        let network = index.network(request.network);
        report::about(About::Identifier(&identifier));
        report::about(About::Network(&network));
        let seal = Seal::new(&index, &identifier, purpose);
        let named = named.and_then(|id| seal.open(&id, now));
        let gate = Gate::new(&self.table, rules, &to, &index, &network, now)?;
        let may_be_known = device.is_some();
        gate.know(may_be_known)?;
        let (looked, state, is_braked) = tokio::join!(
            gate.look(may_be_known),
            self.table.identifier_and_mailbox(&identifier),
            self.table.is_braked(now),
        );
        let (mut looked, state) = (looked?, state?);

        let is_known =
            device.is_some_and(|device| is_known_device(&device, &to.identifier(), &index, state.epoch, now));
        if purpose == Purpose::StepUp && !is_known {
            return Err(Error::Forbidden(NO_DEVICE));
        }
        let lane = if is_known { Lane::Known } else { Lane::Open };
        let asked = Asked {
            lane,
            network: network.short(),
            named: named.as_ref().and_then(ChallengeRef::own),
            by_alias: request.is_by_alias,
            channel: to.channel(),
            purpose,
            policy: &self.policy,
            now,
        };
        let pepper = codes.peppers.active(now)?;
        let drafting = Drafting {
            tenant: index.tenant(),
            to: &to,
            pepper_id: &pepper.id,
            pepper: &pepper.key.mac(),
            length: self.policy.digits(lane, is_braked),
        };
        let (language, api) = (request.language, request.api(self.frontends.domain.as_deref()));
        let request = ChallengeRequest { identifier: &identifier, asked, drafting };
        let asking =
            Asking { request, gate: &gate, network: &network, seal, named: named.as_ref(), delivery, language, api };
        let old = looked.old_counts();
        let answering = async {
            asking.may_follow(self, &state).await?;
            let allowed = gate.allow(looked, lane)?;
            match asking.repeated(self) {
                // A held address answers everybody alike, also within the pause.
                Some(repeated) if !state.is_held(now) => asking.repeat(self, repeated).await,
                _ => asking.decide(self, state, allowed).await,
            }
        };
        tokio::join!(answering, gate.remove_counts(old)).0
    }
}
