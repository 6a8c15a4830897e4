//! Moto's side: creates the resources of a stack and reads the messages sent.

use local_aws::template::{Template, find_root};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A moto server.
pub struct Moto {
    address: String,
}

impl Moto {
    pub fn at(address: String) -> Moto {
        Moto { address: address.trim_end_matches('/').to_owned() }
    }

    /// Creates the template's resources and returns the variables for the functions.
    pub async fn prepare(&self) -> Vec<(&'static str, String)> {
        let template = Template::read(&find_root().unwrap(), "default").unwrap();
        for table in &template.tables {
            self.call("dynamodb", "DynamoDB_20120810.CreateTable", &table.definition).await;
        }
        for identity in &template.senders {
            self.ses("identities", json!({ "EmailIdentity": identity })).await;
        }
        let environment = &template.functions["RequestOtp"].environment;
        let set = &environment["SES_CONFIGURATION_SET"];
        self.ses("configuration-sets", json!({ "ConfigurationSetName": set })).await;
        vec![
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("CODES_SECRET_ARN", self.secret("codes").await),
            ("INDEX_SECRET_ARN", self.secret("index").await),
            ("REFRESH_SECRET_ARN", self.secret("refresh").await),
            ("SIGNING_SECRET_ARN", self.secret("signing").await),
            ("VAULT_SECRET_ARN", self.secret("vault").await),
            // Generating an RSA key takes long in a debug build.
            ("JWT_ALGORITHM", "ES256".to_owned()),
        ]
    }

    /// The code in the newest message to `to`: the first word of an email's subject, or of an SMS.
    pub async fn newest_code(&self, to: &str) -> String {
        let sent: Value = serde_json::from_str(&self.ask("GET", "/moto-api/data.json", "", "").await).unwrap();
        let list = |service: &str, kind: &str| sent[service][kind].as_array().cloned().unwrap_or_default();
        let mails = list("ses", "Message").into_iter().filter(|mail| mail["destinations"]["ToAddresses"][0] == to);
        let texts = list("sns", "SMS").into_iter().filter(|sms| sms["phone_number"] == to);
        let words = mails.map(|mail| mail["subject"].clone()).chain(texts.map(|sms| sms["message"].clone()));
        let newest = words.last().unwrap_or_else(|| panic!("moto received no message for {to}"));
        newest.as_str().unwrap().split(' ').next().unwrap().to_owned()
    }

    /// Creates a secret without a value and returns its ARN.
    async fn secret(&self, name: &str) -> String {
        let made = self.call("secretsmanager", "secretsmanager.CreateSecret", &json!({ "Name": name })).await;
        made["ARN"].as_str().unwrap().to_owned()
    }

    async fn ses(&self, path: &str, body: Value) {
        self.ask("POST", &format!("/v2/email/{path}"), &headers("ses", "application/json"), &body.to_string()).await;
    }

    async fn call(&self, service: &str, target: &str, body: &Value) -> Value {
        let headers = format!("{}x-amz-target: {target}\r\n", headers(service, "application/x-amz-json-1.1"));
        serde_json::from_str(&self.ask("POST", "/", &headers, &body.to_string()).await).unwrap()
    }

    /// The body of a successful answer.
    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.expect("no moto server at this address");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        body.to_owned()
    }
}

/// Moto selects the service by the credential scope of a request.
fn headers(service: &str, content_type: &str) -> String {
    let scope = format!("moto/20260101/us-east-1/{service}/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    format!("authorization: {authorization}\r\ncontent-type: {content_type}\r\n")
}
