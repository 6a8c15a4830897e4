//! A Lambda function: its settings, its parts, and its answer to an event.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_http::LambdaEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::settings::{Common, Settings};
use crate::aws;
use crate::config::Reader;
use crate::observe::log::{Ended, Log};
use crate::words::{Clock, Result};

/// A Lambda function.
pub trait Function: Sized + Send + Sync + 'static {
    /// The function's name, the same as its folder's, its resource's and its tests'.
    const NAME: &'static str;

    /// Whether people wait for it during a sign-in. Only then each of its requests is counted, because CloudWatch charges for each
    /// metric of each function.
    const IS_AWAITED: bool = false;

    /// The function's own settings, besides those of all functions.
    type Settings: Debug + Send;
    /// The kind of event that invokes it.
    type Event: Event;

    /// Reads the function's own settings.
    fn settings(read: &mut Reader<'_>) -> Self::Settings;

    /// Builds the function from its settings.
    ///
    /// # Errors
    /// A fault that prevents the function from starting.
    fn compose(
        settings: Self::Settings,
        aws: &aws::Settings,
        clock: Clock,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// The kind of an event, in one word for the log. `None` for API requests, because the function's name already says it.
    fn kind(_: &Self::Event) -> Option<&'static str> {
        None
    }

    /// Handles one event.
    ///
    /// # Errors
    /// The error for the caller.
    fn handle(&self, event: Self::Event) -> impl Future<Output = Result<<Self::Event as Event>::Answer>> + Send;
}

/// A kind of event: a [`crate::http::Request`] to the API, or any JSON.
pub trait Event: Sized + Send {
    /// The event as Lambda passes it.
    type Payload: DeserializeOwned + Send;
    /// The result of a handler.
    type Answer;

    /// Lets the function answer, and writes the event's log line.
    ///
    /// # Errors
    /// The failure in words, for JSON events. An API request always gets a response.
    fn answer<F: Function<Event = Self>>(
        served: Arc<Served<F>>,
        event: LambdaEvent<Self::Payload>,
    ) -> impl Future<Output = std::result::Result<impl Serialize + Send, String>> + Send;
}

/// Reads all settings of `F` without building it. Pass it to [`crate::config::read`].
pub fn settings<F: Function>(read: &mut Reader<'_>) -> Settings<F::Settings> {
    Settings { common: Common::read(read), own: F::settings(read) }
}

/// A function that is ready for events.
pub struct Served<F> {
    pub(super) function: F,
    pub(super) common: Common,
    log: Log,
    is_cold: AtomicBool,
}

impl<F: Function> Served<F> {
    /// Builds the function. Its log lines go to `log`.
    ///
    /// # Errors
    /// As [`Function::compose`].
    pub async fn start(settings: Settings<F::Settings>, clock: Clock, log: Log) -> Result<Served<F>> {
        let Settings { common, own } = settings;
        let function = F::compose(own, &common.aws, clock).await?;
        Ok(Served { function, common, log, is_cold: AtomicBool::new(true) })
    }

    /// Answers one event and writes its log line.
    ///
    /// # Errors
    /// As [`Event::answer`].
    pub async fn invoke(
        self: Arc<Self>,
        event: LambdaEvent<<F::Event as Event>::Payload>,
    ) -> std::result::Result<impl Serialize + Send, String> {
        <F::Event as Event>::answer(self, event).await
    }

    /// Whether this is the first event.
    pub(super) fn is_cold(&self) -> bool {
        self.is_cold.swap(false, Ordering::Relaxed)
    }

    pub(super) fn log(&self, ended: &Ended<'_>) {
        ended.write(&self.common.metrics, &self.log);
    }
}
