//! The functions as on Lambda: each with its own environment, from the event's text to the answer's bytes.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use shared::config;
use shared::http::Request;
use shared::runtime::{Function, Served, settings};
use tests::Deployment;

pub type Answer = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;
type Handler = Box<dyn Fn(String) -> Answer + Send + Sync>;

/// The functions behind the API, by their resources.
pub struct Functions(BTreeMap<&'static str, Handler>);

impl Functions {
    /// Starts the functions in the current runtime, so that their connections stay there. `own` adds settings.
    pub async fn start(auth: &Deployment, own: &[(String, String)]) -> Functions {
        Functions(BTreeMap::from([
            function::<request_otp::RequestOtp>("RequestOtp", auth, own).await,
            function::<verify_otp::VerifyOtp>("VerifyOtp", auth, own).await,
            function::<refresh::Refresh>("Refresh", auth, own).await,
            function::<logout::Logout>("Logout", auth, own).await,
            function::<sessions::Sessions>("Sessions", auth, own).await,
            function::<profile::Profile>("Profile", auth, own).await,
            function::<account::Account>("Account", auth, own).await,
            function::<jwks::Jwks>("Jwks", auth, own).await,
            function::<fallback::Fallback>("Fallback", auth, own).await,
        ]))
    }

    pub fn answer(&self, resource: &str, event: String) -> Answer {
        self.0[resource](event)
    }
}

async fn function<F: Function<Event = Request>>(
    resource: &'static str,
    auth: &Deployment,
    own: &[(String, String)],
) -> (&'static str, Handler) {
    let environment: BTreeMap<_, _> = auth.stack.environment(resource).into_iter().chain(own.iter().cloned()).collect();
    let settings = config::read(|name| environment.get(name).cloned(), settings::<F>).unwrap();
    let starting = Served::<F>::start(settings, auth.stack.clock().handle(), crate::log());
    // On the heap, because the futures of all functions together exceed one stack.
    let served = Arc::new(Box::pin(starting).await.unwrap());
    let handler = move |event: String| -> Answer {
        let served = served.clone();
        Box::pin(async move {
            let request: LambdaRequest = serde_json::from_str(&event).unwrap();
            serde_json::to_vec(&served.invoke(LambdaEvent::new(request, Context::default())).await.unwrap()).unwrap()
        })
    };
    (resource, Box::new(handler))
}
