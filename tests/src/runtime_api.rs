//! Lambda's side of a function: the runtime API that hands events to its real binary, and the binary as a process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderName, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use local::clock::StackClock;
use local::template::{Template, find_root};
use local::{Options, Stack};
use serde_json::Value;
use shared::clock::Clock;
use shared::entropy::Entropy;
use shared::ids::random_id;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::deployment::RSA_KEYS;
use crate::{Answer, Deployment};

/// Longer than an event takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A function's response, or the error that it reports.
type Outcome = Result<Value, Value>;

/// A runtime API on a free port of this machine, for one process.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<(String, Value)>,
    desk: Arc<Desk>,
}

struct Desk {
    events: AsyncMutex<mpsc::UnboundedReceiver<(String, Value)>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    asked: AtomicUsize,
}

impl RuntimeApi {
    /// Serves until the test ends.
    pub async fn start() -> RuntimeApi {
        let (events, queue) = mpsc::unbounded_channel();
        let desk = Desk { events: AsyncMutex::new(queue), waiting: Mutex::default(), asked: AtomicUsize::new(0) };
        let desk = Arc::new(desk);
        let runtime = Router::new()
            .route("/invocation/next", get(next))
            .route("/invocation/{id}/{outcome}", post(outcome))
            .route("/init/error", post(init_error));
        let router = Router::new().nest("/2018-06-01/runtime", runtime).with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        RuntimeApi { address, events, desk }
    }

    /// How often it was asked for an event.
    pub fn asked(&self) -> usize {
        self.desk.asked.load(Ordering::SeqCst)
    }

    /// Hands out an event and waits for what comes back.
    pub async fn invoke(&self, event: Value) -> Outcome {
        let id = random_id(&Entropy).unwrap();
        let (tell, told) = oneshot::channel();
        self.desk.waiting.lock().unwrap().insert(id.clone(), tell);
        self.events.send((id, event)).unwrap();
        timeout(PATIENCE, told).await.expect("an event has no answer after 10 seconds").unwrap()
    }

    /// A binary with an environment and nothing else but what Lambda adds.
    fn command(&self, binary: &str, environment: Vec<(String, String)>) -> Command {
        let mut command = Command::new(binary);
        command.env_clear().envs(environment).env("AWS_LAMBDA_RUNTIME_API", self.address.to_string());
        command.env("AWS_LAMBDA_FUNCTION_NAME", "latchkey").env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// Waits for an event, as long as it takes.
async fn next(State(desk): State<Arc<Desk>>) -> Response {
    desk.asked.fetch_add(1, Ordering::SeqCst);
    let Some((id, event)) = desk.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = Clock::system().now().after(PATIENCE).unix() * 1_000;
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:latchkey".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0".to_owned()),
    ];
    (headers.map(|(name, value)| (HeaderName::from_static(name), value)), Json(event)).into_response()
}

/// The runtime does not say that what it sends is JSON.
async fn outcome(State(desk): State<Arc<Desk>>, Path((id, kind)): Path<(String, String)>, body: Bytes) -> StatusCode {
    let body = serde_json::from_slice(&body).unwrap();
    let waiting = desk.waiting.lock().unwrap().remove(&id);
    match (waiting, kind.as_str()) {
        (Some(waiting), "response") => drop(waiting.send(Ok(body))),
        (Some(waiting), "error") => drop(waiting.send(Err(body))),
        _ => return StatusCode::BAD_REQUEST,
    }
    StatusCode::ACCEPTED
}

/// A function that cannot start answers nothing that waits.
async fn init_error(State(desk): State<Arc<Desk>>, error: Bytes) -> StatusCode {
    let error: Value = serde_json::from_slice(&error).unwrap();
    let waiting: Vec<_> = desk.waiting.lock().unwrap().drain().collect();
    waiting.into_iter().for_each(|(_, waiting)| drop(waiting.send(Err(error.clone()))));
    StatusCode::ACCEPTED
}

/// A deployment for binaries: its clock is theirs, the system's.
pub async fn deployment() -> Deployment {
    let signing_keys = RSA_KEYS.map(str::to_owned).to_vec();
    let options = Options { clock: StackClock::running(), signing_keys, ..Options::default() };
    Deployment { stack: Stack::start(options).await.unwrap() }
}

/// The real binary of a function, running with its function's environment of a deployment.
pub struct Process<'a> {
    deployment: &'a Deployment,
    function: String,
    api: RuntimeApi,
    /// Dropped to end it.
    running: oneshot::Sender<()>,
    output: JoinHandle<Output>,
}

impl Process<'_> {
    /// Starts the binary at this path.
    pub async fn start<'a>(deployment: &'a Deployment, binary: &str) -> Process<'a> {
        let (function, api) = (function_of(binary), RuntimeApi::start().await);
        let mut child = api.command(binary, deployment.stack.environment(&function)).spawn().unwrap();
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

    /// Posts JSON.
    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Bytes::from(body.to_string())).unwrap()).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Bytes::new()).unwrap()).await
    }

    pub async fn with_token(&mut self, method: &str, path: &str, access: &str) -> Answer {
        self.send(crate::client::with_token(method, path, access)).await
    }

    /// Hands it the event that the gateway makes of `request`, which must be this function's.
    async fn send(&mut self, request: Request<Bytes>) -> Answer {
        let source = "192.0.2.1".parse().unwrap();
        let (function, event) = self.deployment.stack.api().unwrap().event(&request, source).unwrap();
        assert_eq!(function, self.function, "the gateway takes {} elsewhere", request.uri());
        let id = event["requestContext"]["requestId"].as_str().unwrap().to_owned();
        let answer = Answer::read(&self.invoke(event).await.unwrap());
        assert_eq!(answer.headers["x-request-id"], id);
        answer
    }

    /// Hands it any event.
    pub async fn invoke(&mut self, event: Value) -> Outcome {
        tokio::select! {
            outcome = self.api.invoke(event) => outcome,
            ended = &mut self.output => panic!("the binary has ended: {}", printed(&ended.unwrap())),
        }
    }

    /// Ends it. Gives its log: JSON, line by line, and nothing else is printed.
    pub async fn end(self) -> Vec<Value> {
        drop(self.running);
        let output = self.output.await.unwrap();
        printed(&output).lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// Asserts that a binary whose settings do not fit stops at start: in one line that names all of them and quotes none,
/// and before its first event.
pub async fn names_every_wrong_setting(binary: &str) {
    let deployment = deployment().await;
    let wrong = [("OTP_LENGTH", "typed-here"), ("SENDER_EMAIL", "by-mistake"), ("AWS_SECRET_ACCESS_KEY", "unspoken")];
    let mut environment = deployment.stack.environment(&function_of(binary));
    environment.retain(|(name, _)| name != "USER_TABLE");
    // The later of two values counts.
    environment.extend(wrong.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let api = RuntimeApi::start().await;
    let ended = timeout(PATIENCE, api.command(binary, environment).output()).await;
    let output = ended.expect("the binary goes on with wrong settings").unwrap();
    let text = printed(&output);
    assert_eq!((output.status.code(), text.lines().count(), api.asked()), (Some(1), 1, 0), "{text}");
    assert!(text.starts_with("Error: the environment is not usable: "), "{text}");
    for name in ["OTP_LENGTH: expected ", "SENDER_EMAIL: expected ", "USER_TABLE is not set: expected "] {
        assert!(text.contains(name), "{name} is not in: {text}");
    }
    assert!(wrong.iter().all(|(_, value)| !text.contains(value)), "a value is in: {text}");
}

/// The resource whose binary this is.
fn function_of(binary: &str) -> String {
    let name = FilePath::new(binary).file_stem().unwrap().to_str().unwrap();
    let template = Template::read(&find_root().unwrap(), "default").unwrap();
    let function = template.functions.into_iter().find(|(_, function)| function.binary == name);
    function.expect("the template has no function with this binary").0
}

fn printed(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}
