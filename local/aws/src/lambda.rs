//! Lambda in process.
//!
//! As in AWS, a function receives an event as JSON and answers with JSON, and a panic ends only one invocation.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::failure::Failure;

/// A running invocation of a function.
pub type Invocation = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

/// A started function. It receives the event as text, as in AWS.
pub type Handler = Arc<dyn Fn(String) -> Invocation + Send + Sync>;

/// Functions by resource name.
pub struct Functions {
    handlers: BTreeMap<String, Handler>,
    log: Dispatch,
}

impl Functions {
    /// Functions by resource name, with `log` as their log.
    pub fn new(handlers: BTreeMap<String, Handler>, log: Dispatch) -> Functions {
        Functions { handlers, log }
    }

    /// Calls the function `name` with `event`. Behind the API, both the event and the answer have payload format 2.0.
    ///
    /// # Errors
    /// The function is unknown or fails.
    pub async fn invoke(&self, name: &str, event: &Value) -> Result<Value, Failure> {
        let handler = self.handlers.get(name).ok_or_else(|| Failure::new(format!("there is no function {name}")))?;
        let handler = handler.clone();
        let event = event.to_string();
        let invocation = async move { handler(event).await };
        // A separate task, so that the invocation continues if the caller disconnects, and a panic ends only this invocation.
        let ended = tokio::spawn(invocation.with_subscriber(self.log.clone())).await;
        let answer = ended.unwrap_or_else(|panic| Err(Failure::new(panic)));
        if let Err(failure) = &answer {
            let log = || tracing::error!(function = name, cause = %failure, "the function did not answer");
            tracing::dispatcher::with_default(&self.log, log);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    /// The log lines.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_panic_ends_one_invocation_and_is_logged() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = Dispatch::new(tracing_subscriber::fmt().with_writer(move || writer.clone()).finish());
        let panicking: Handler = Arc::new(|_| Box::pin(async { panic!("on purpose") }));
        let functions = Functions::new(BTreeMap::from([("Worker".to_owned(), panicking)]), log);
        for times in 1..=2 {
            assert!(functions.invoke("Worker", &json!({})).await.is_err());
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert_eq!(text.lines().filter(|line| line.contains("on purpose")).count(), times, "{text}");
        }
        assert!(functions.invoke("Other", &json!({})).await.is_err());
    }
}
