//! The measured binaries, and the event for each.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};
use tests::Deployment;
use tests::operations::{ADDRESS, Kind};

/// One binary.
pub struct Subject {
    pub name: &'static str,
    /// Its function in the template. `None` for the empty function.
    pub resource: Option<&'static str>,
    pub path: PathBuf,
    /// The kind of event. Without one, the event asks `rotate-keys` to ensure that keys exist.
    kind: Option<Kind>,
    /// The status of its answer.
    status: u64,
    /// The maximum size of the zip, in MB.
    pub zip_bar: f64,
}

/// Name, resource, event, status, the maximum zip in MB, and the allowed AWS clients.
type Line = (&'static str, Option<&'static str>, Option<Kind>, u64, f64, &'static [&'static str]);

const ALL: [Line; 16] = [
    ("hello", None, Some(Kind::Fallback), 200, 3.0, &[]),
    (
        "request-otp",
        Some("RequestOtp"),
        Some(Kind::FirstRequest),
        200,
        4.0,
        &["dynamodb", "pinpointsmsvoicev2", "secretsmanager", "sesv2", "sns"],
    ),
    ("verify-otp", Some("VerifyOtp"), Some(Kind::KnownUser), 200, 4.0, &["dynamodb", "secretsmanager"]),
    ("refresh", Some("Refresh"), Some(Kind::Refresh), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("logout", Some("Logout"), Some(Kind::Logout), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("sessions", Some("Sessions"), Some(Kind::Sessions), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("profile", Some("Profile"), Some(Kind::Profile), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("account", Some("Account"), Some(Kind::Activity), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("status", Some("Status"), Some(Kind::Status), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("callbacks", Some("Callbacks"), None, 0, 3.0, &["dynamodb", "secretsmanager"]),
    ("delivery", Some("Delivery"), None, 0, 3.0, &["dynamodb"]),
    ("jwks", Some("Jwks"), Some(Kind::Jwks), 200, 3.0, &["dynamodb"]),
    ("fallback", Some("Fallback"), Some(Kind::Fallback), 404, 3.0, &[]),
    ("record", Some("Record"), None, 0, 3.0, &["dynamodb", "eventbridge"]),
    ("erase", Some("Erase"), None, 0, 3.0, &["dynamodb", "secretsmanager"]),
    ("rotate-keys", Some("RotateKeys"), None, 0, 3.0, &["dynamodb", "secretsmanager"]),
];

impl Subject {
    /// The empty function first, then all functions or `only` these.
    pub fn all(folder: &Path, only: &[String]) -> Vec<Subject> {
        let is_meant = |name: &str| name == "hello" || only.is_empty() || only.iter().any(|only| only == name);
        let subjects = ALL.into_iter().filter(|subject| is_meant(subject.0)).map(
            |(name, resource, kind, status, zip_bar, clients)| {
                let packaged = folder.join(name).join("bootstrap");
                let path = if packaged.exists() { packaged } else { folder.join(name) };
                assert!(path.is_file(), "{} is missing: build it first", path.display());
                assert_eq!(tests::binary::clients(path.to_str().unwrap()), clients, "{name}");
                Subject { name, resource, path, kind, status, zip_bar }
            },
        );
        subjects.collect()
    }

    /// A new event.
    pub async fn event(&self, auth: &Deployment, run: usize) -> Value {
        let Some(kind) = self.kind else {
            // The end of a window for `record` and `erase`, and a check of all keys for `rotate-keys`.
            return json!({ "mode": "ensure", "Records": [], "shardId": "shard" });
        };
        let request = kind.prepare(auth, run).await;
        auth.stack.api().unwrap().event(&request, ADDRESS.parse().unwrap()).unwrap().1
    }

    /// Asserts that the answer is a success.
    pub fn check(&self, answer: &Result<Value, Value>) {
        let answer = answer.as_ref().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert!(self.status == 0 || answer["statusCode"] == self.status, "{}: {answer}", self.name);
    }

    /// The size of the binary, and of a zip of it. The zip's entry header of about a hundred bytes is excluded.
    pub fn sizes(&self) -> (usize, usize) {
        let binary = std::fs::read(&self.path).unwrap();
        let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
        zip.write_all(&binary).unwrap();
        (binary.len(), zip.finish().unwrap().len() + 116)
    }
}
