//! A function's real binary as a process, with the environment that Lambda gives it.

use std::path::Path;
use std::process::Output;

use axum::body::Bytes;
use axum::http::{Request, header};
use local::{Kind, Options};
use local_aws::StackClock;
use local_aws::template::{Template, find_root};
use serde_json::Value;
use shared::config;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Outcome, PATIENCE, RuntimeApi};
use crate::deployment::RSA_KEYS;
use crate::{Answer, Deployment, contract};

/// A deployment with the system's clock, because the binaries use it.
pub async fn deployment(settings: &[(&str, &str)]) -> Deployment {
    let signing_keys = RSA_KEYS.map(str::to_owned).to_vec();
    let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { clock: StackClock::running(), signing_keys, env, ..Options::default() };
    Deployment::run(options).await.unwrap()
}

/// The real binary of a function, with the environment of the deployment's function.
pub struct Process<'a> {
    deployment: &'a Deployment,
    function: String,
    api: RuntimeApi,
    /// Dropping it stops the process.
    running: oneshot::Sender<()>,
    output: JoinHandle<Output>,
}

impl Process<'_> {
    /// Starts the binary at this path.
    pub async fn start<'a>(deployment: &'a Deployment, binary: &str) -> Process<'a> {
        Process::with(deployment, binary, Vec::new()).await
    }

    /// Starts it with additional variables.
    pub async fn with<'a>(deployment: &'a Deployment, binary: &str, own: Vec<(String, String)>) -> Process<'a> {
        let (function, api) = (function_of(binary), RuntimeApi::start().await);
        // If a variable occurs twice, the later value counts.
        let environment = [deployment.stack.environment(&function), own].concat();
        let mut child = api.command(binary, environment).spawn().unwrap();
        let (running, ended) = oneshot::channel();
        let output = tokio::spawn(async move {
            tokio::select! {
                _ = child.wait() => {}
                _ = ended => child.start_kill().unwrap(),
            }
            child.wait_with_output().await.unwrap()
        });
        Process { deployment, function, api, running, output }
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Bytes::from(body.to_string())).unwrap()).await
    }

    /// Posts JSON with an access token.
    pub async fn post_as(&mut self, access: &str, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {access}"));
        self.send(request.body(Bytes::from(body.to_string())).unwrap()).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Bytes::new()).unwrap()).await
    }

    pub async fn with_token(&mut self, method: &str, path: &str, access: &str) -> Answer {
        self.send(crate::client::with_token(method, path, access)).await
    }

    /// Sends the gateway's event for `request`. Its route must belong to this function.
    async fn send(&mut self, request: Request<Bytes>) -> Answer {
        let source = "192.0.2.1".parse().unwrap();
        self.deployment.witness.network(source);
        let (function, event) = self.deployment.stack.api().unwrap().event(&request, source).unwrap();
        assert_eq!(function, self.function, "the gateway sends {} to another function", request.uri());
        let id = event["requestContext"]["requestId"].as_str().unwrap().to_owned();
        let answer = Answer::read(&self.invoke(event).await.unwrap());
        assert_eq!(answer.headers["x-request-id"], id);
        contract::assert_kept(&request, &answer);
        self.deployment.witness.exchange(&request, &answer);
        answer
    }

    pub async fn invoke(&mut self, event: Value) -> Outcome {
        tokio::select! {
            outcome = self.api.invoke(event) => outcome,
            ended = &mut self.output => panic!("the binary has ended: {}", printed(&ended.unwrap())),
        }
    }

    /// Stops the process and returns its log. Panics if it printed anything except lines of JSON.
    pub async fn end(self) -> Vec<Value> {
        drop(self.running);
        let output = self.output.await.unwrap();
        let log = printed(&output);
        log.lines().for_each(|line| self.deployment.witness.line(line));
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// The tests of every function's binary: it rejects wrong settings at start and contains only the AWS clients it needs.
#[macro_export]
macro_rules! every_binarys_tests {
    ($binary:expr, $clients:expr) => {
        #[tokio::test]
        async fn wrong_settings_stop_the_binary_at_start() {
            $crate::runtime_api::names_every_wrong_setting($binary).await;
        }

        $crate::every_binarys_clients!($binary, $clients);
    };
}

/// The test of the AWS clients in a binary.
#[macro_export]
macro_rules! every_binarys_clients {
    ($binary:expr, $clients:expr) => {
        #[test]
        fn the_binary_contains_only_the_clients_it_needs() {
            let clients: &[&str] = &$clients;
            assert_eq!($crate::binary::clients($binary), clients);
        }
    };
}

/// Asserts that a binary with wrong settings stops before its first event. One line must name all of them, without their values.
pub async fn names_every_wrong_setting(binary: &str) {
    const WRONG: &str = "typed here by mistake \u{1}";
    let kind = Kind::of_binary(name_of(binary)).unwrap();
    // The runtime API sets these two.
    let wrong = |name: &str| !["AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"].contains(&name);
    let expected = config::read(|name| wrong(name).then(|| WRONG.to_owned()), kind.read).unwrap_err();
    let environment = kind.variables().into_iter().filter(|name| wrong(name)).map(|name| (name, WRONG.to_owned()));
    let environment = environment.collect();
    let api = RuntimeApi::start().await;
    let ended = timeout(PATIENCE, api.command(binary, environment).output()).await;
    let output = ended.expect("the binary starts with wrong settings").unwrap();
    let text = printed(&output);
    assert_eq!((output.status.code(), text.lines().count(), api.asked()), (Some(1), 1, 0), "{text}");
    assert_eq!(text.trim_end(), format!("Error: {expected}"));
    for problem in ["STAGE: expected ", "AWS_REGION is not set: expected "] {
        assert!(text.contains(problem), "{problem} is not in: {text}");
    }
    assert!(!text.contains("by mistake"), "a value is in: {text}");
}

/// The resource in the template for this binary.
pub fn function_of(binary: &str) -> String {
    let name = name_of(binary);
    let template = Template::read(&find_root().unwrap(), "default").unwrap();
    let function = template.functions.into_iter().find(|(_, function)| function.binary == name);
    function.expect("the template has no function with this binary").0
}

fn name_of(binary: &str) -> &str {
    Path::new(binary).file_stem().unwrap().to_str().unwrap()
}

fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}
