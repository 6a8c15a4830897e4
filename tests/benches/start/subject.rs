//! What is measured: each function's binary, and the event that it is given.

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
    /// Its function in the template; nothing has none.
    pub resource: Option<&'static str>,
    pub path: PathBuf,
    /// What makes its event; who rotates keys is asked to ensure that there are some.
    kind: Option<Kind>,
    /// The status of its answer.
    status: u64,
    /// The largest zip, in MB.
    pub zip_bar: f64,
}

/// Name, resource, event, status, the largest zip in MB, and the AWS clients that it may have.
type Line = (&'static str, Option<&'static str>, Option<Kind>, u64, f64, &'static [&'static str]);

const ALL: [Line; 10] = [
    ("hello", None, Some(Kind::Fallback), 200, 3.0, &[]),
    (
        "request-otp",
        Some("RequestOtp"),
        Some(Kind::FirstRequest),
        200,
        4.0,
        &["dynamodb", "secretsmanager", "sesv2", "sns"],
    ),
    ("verify-otp", Some("VerifyOtp"), Some(Kind::KnownUser), 200, 4.0, &["dynamodb", "secretsmanager"]),
    ("refresh", Some("Refresh"), Some(Kind::Refresh), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("logout", Some("Logout"), Some(Kind::Logout), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("sessions", Some("Sessions"), Some(Kind::Sessions), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("profile", Some("Profile"), Some(Kind::Profile), 200, 3.0, &["dynamodb", "secretsmanager"]),
    ("jwks", Some("Jwks"), Some(Kind::Jwks), 200, 3.0, &["dynamodb"]),
    ("fallback", Some("Fallback"), Some(Kind::Fallback), 404, 3.0, &[]),
    ("rotate-keys", Some("RotateKeys"), None, 0, 3.0, &["dynamodb", "secretsmanager"]),
];

impl Subject {
    /// All functions or `only` these, and first the one that does nothing.
    pub fn all(folder: &Path, only: &[String]) -> Vec<Subject> {
        let is_meant = |name: &str| name == "hello" || only.is_empty() || only.iter().any(|only| only == name);
        let subjects = ALL.into_iter().filter(|subject| is_meant(subject.0)).map(
            |(name, resource, kind, status, zip_bar, clients)| {
                let packaged = folder.join(name).join("bootstrap");
                let path = if packaged.exists() { packaged } else { folder.join(name) };
                assert!(path.is_file(), "{} is not there: build it first", path.display());
                assert_eq!(tests::binary::clients(path.to_str().unwrap()), clients, "{name}");
                Subject { name, resource, path, kind, status, zip_bar }
            },
        );
        subjects.collect()
    }

    /// An event that nothing has answered yet.
    pub async fn event(&self, auth: &Deployment, run: usize) -> Value {
        let Some(kind) = self.kind else { return json!({ "mode": "ensure" }) };
        let request = kind.prepare(auth, run).await;
        auth.stack.api().unwrap().event(&request, ADDRESS.parse().unwrap()).unwrap().1
    }

    /// Asserts that it has done what it was asked for.
    pub fn check(&self, answer: &Result<Value, Value>) {
        let answer = answer.as_ref().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert!(self.status == 0 || answer["statusCode"] == self.status, "{}: {answer}", self.name);
    }

    /// Its size, and that of a zip of it: what names the file in there is about a hundred bytes.
    pub fn sizes(&self) -> (usize, usize) {
        let binary = std::fs::read(&self.path).unwrap();
        let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
        zip.write_all(&binary).unwrap();
        (binary.len(), zip.finish().unwrap().len() + 116)
    }
}
