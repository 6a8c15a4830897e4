//! Lambda's side of a function: a runtime API that sends events to the real binary, and the binary as a process.

mod process;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use shared::words::{Clock, Entropy, random_id};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use self::process::{Process, deployment, function_of, names_every_wrong_setting};

/// Longer than an event takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A function's response, or the error it reports.
pub type Outcome = Result<Value, Value>;

/// A runtime API on a free local port, for one process. Dropping it stops it.
pub struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<(String, Value)>,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

struct Desk {
    events: AsyncMutex<mpsc::UnboundedReceiver<(String, Value)>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    asked: watch::Sender<usize>,
}

impl RuntimeApi {
    pub async fn start() -> RuntimeApi {
        let (events, queue) = mpsc::unbounded_channel();
        let desk = Desk { events: AsyncMutex::new(queue), waiting: Mutex::default(), asked: watch::Sender::new(0) };
        let desk = Arc::new(desk);
        let runtime = Router::new()
            .route("/invocation/next", get(next))
            .route("/invocation/{id}/{outcome}", post(outcome))
            .route("/init/error", post(init_error));
        let router = Router::new().nest("/2018-06-01/runtime", runtime).with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        RuntimeApi { address, events, desk, server }
    }

    /// How often the function has asked for an event.
    pub fn asked(&self) -> usize {
        *self.desk.asked.borrow()
    }

    /// Waits until the function has asked for this number of events. All earlier events are then answered and the function is
    /// idle.
    pub async fn asked_for(&self, events: usize) {
        let mut asked = self.desk.asked.subscribe();
        let asking = timeout(PATIENCE, asked.wait_for(|asked| *asked >= events));
        asking.await.expect("the function does not ask for an event within 10 seconds").unwrap();
    }

    /// Sends an event and waits for its outcome.
    pub async fn invoke(&self, event: Value) -> Outcome {
        let id = random_id(&Entropy).unwrap();
        let (sender, answered) = oneshot::channel();
        self.desk.waiting.lock().unwrap().insert(id.clone(), sender);
        self.events.send((id, event)).unwrap();
        timeout(PATIENCE, answered).await.expect("an event has no answer after 10 seconds").unwrap()
    }

    /// The command to start a binary with an environment and Lambda's own variables, and nothing else.
    pub fn command(&self, binary: &str, environment: Vec<(String, String)>) -> Command {
        let mut command = Command::new(binary);
        command.env_clear().envs(environment).env("AWS_LAMBDA_RUNTIME_API", self.address.to_string());
        command.env("AWS_LAMBDA_FUNCTION_NAME", "latchkey").env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Waits for an event without a time limit.
async fn next(State(desk): State<Arc<Desk>>) -> Response {
    desk.asked.send_modify(|asked| *asked += 1);
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

/// The body is read as bytes, because the runtime sends no JSON content type.
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

/// A function that fails to start fails all waiting events.
async fn init_error(State(desk): State<Arc<Desk>>, error: Bytes) -> StatusCode {
    let error: Value = serde_json::from_slice(&error).unwrap();
    let waiting: Vec<_> = desk.waiting.lock().unwrap().drain().collect();
    waiting.into_iter().for_each(|(_, waiting)| drop(waiting.send(Err(error.clone()))));
    StatusCode::ACCEPTED
}
