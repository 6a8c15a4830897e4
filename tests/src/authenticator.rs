//! An authenticator app, and users who have one.

use data_encoding::BASE32_NOPAD;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use serde_json::{Value, json};

use crate::{Answer, Client, Deployment, Tokens};

pub const SECOND_FACTOR: &str = "/api/auth/second-factor/verify/";
pub const STEP_UP_OPTIONS: &str = "/api/auth/step-up/options/";
pub const STEP_UP: &str = "/api/auth/step-up/verify/";
pub const FACTORS: &str = "/api/auth/factors/";
pub const TOTP: &str = "/api/auth/factors/totp/";
pub const CONFIRM: &str = "/api/auth/factors/totp/confirm/";
pub const BACKUP_CODES: &str = "/api/auth/factors/backup-codes/";
pub const TRUSTED_DEVICES: &str = "/api/auth/factors/trusted-devices/";

/// An authenticator app with one secret. It shares no code with the server.
#[derive(Clone, Debug)]
pub struct Authenticator {
    secret: Vec<u8>,
}

impl Authenticator {
    /// The app that was given `secret` as text.
    pub fn of(secret: &str) -> Authenticator {
        Authenticator { secret: BASE32_NOPAD.decode(secret.as_bytes()).unwrap() }
    }

    /// Its code at a time in Unix seconds.
    pub fn code_at(&self, seconds: u64) -> String {
        let mac = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret), &(seconds / 30).to_be_bytes());
        let mac = mac.as_ref();
        let place = usize::from(mac[19] & 15);
        let number = u32::from_be_bytes(mac[place..place + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// Its code at the deployment's time.
    pub fn code(&self, auth: &Deployment) -> String {
        self.code_at(auth.now())
    }

    /// Six digits that are none of its codes around the deployment's time.
    pub fn wrong(&self, auth: &Deployment) -> String {
        let near: Vec<String> = (0..5).map(|step| self.code_at(auth.now() - 60 + 30 * step)).collect();
        (0..9).map(|digit| digit.to_string().repeat(6)).find(|code| !near.contains(code)).unwrap()
    }
}

/// A user with an authenticator app.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The session that added the app. Its proof is of the first level.
    pub tokens: Tokens,
    pub app: Authenticator,
    /// The id of the app.
    pub id: String,
    pub backup_codes: Vec<String>,
}

impl<'a> Client<'a> {
    /// Posts JSON with an access token.
    pub async fn post_as(self, access: &str, path: &str, body: Value) -> Answer {
        self.post_with("authorization", &format!("Bearer {access}"), path, body).await
    }

    /// Signs in for the first time and adds an authenticator app. Its next code is half a minute away.
    pub async fn enrol(self, address: &str) -> Enrolled {
        let tokens = self.sign_in(address).await;
        self.enrol_in(&tokens).await
    }

    /// The same in a session that is fresh enough.
    pub async fn enrol_in(self, tokens: &Tokens) -> Enrolled {
        let begun = self.post_as(&tokens.access, TOTP, json!({})).await.ok();
        let (id, app) = (text(&begun["factor_id"]), Authenticator::of(begun["secret"].as_str().unwrap()));
        let code = app.code(self.deployment);
        let added = self.post_as(&tokens.access, CONFIRM, json!({ "factor_id": id, "code": code })).await.ok();
        let backup_codes =
            added["backup_codes"].as_array().map_or_else(Vec::new, |codes| codes.iter().map(text).collect());
        self.deployment.wait(30);
        Enrolled { tokens: tokens.clone(), app, id, backup_codes }
    }

    /// The first step of a sign-in: the id of the sign-in that waits for a second factor.
    pub async fn first_step(self, address: &str) -> String {
        let asked = self.ask(address).await;
        let due = self.answer(address, &asked).await.ok();
        assert_eq!(due["second_factor_required"], true, "{due}");
        text(&due["challenge_id"])
    }

    /// The second step.
    pub async fn second_step(self, challenge: &str, method: &str, code: &str) -> Answer {
        self.post(SECOND_FACTOR, json!({ "challenge_id": challenge, "method": method, "code": code })).await
    }

    /// Signs in with both steps. The app's next code is half a minute away.
    pub async fn sign_in_with(self, address: &str, app: &Authenticator) -> Tokens {
        let challenge = self.first_step(address).await;
        let tokens = self.second_step(&challenge, "totp", &app.code(self.deployment)).await.tokens();
        self.deployment.wait(30);
        tokens
    }

    /// The id of a step-up that waits for a second factor.
    pub async fn begin_step_up(self, access: &str) -> String {
        let options = self.post_as(access, STEP_UP_OPTIONS, json!({})).await.ok();
        text(&options["challenge_id"])
    }

    /// Ends a step-up.
    pub async fn step_up(self, access: &str, challenge: &str, method: &str, code: &str) -> Answer {
        let body = json!({ "challenge_id": challenge, "method": method, "code": code });
        self.post_as(access, STEP_UP, body).await
    }

    /// Steps up with the app. Its next code is half a minute away.
    pub async fn step_up_with(self, tokens: &Tokens, app: &Authenticator) -> Tokens {
        let challenge = self.begin_step_up(&tokens.access).await;
        let stepped = self.step_up(&tokens.access, &challenge, "totp", &app.code(self.deployment)).await.tokens();
        self.deployment.wait(30);
        stepped
    }

    /// Removes an app, or ends the trust in devices.
    pub async fn delete_as(self, access: &str, path: &str) -> Answer {
        self.with_token("DELETE", path, access).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}
