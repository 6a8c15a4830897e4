//! A function of the deployment: what it reads, what it is made of, and what it does with an event.

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

/// One Lambda function.
pub trait Function: Sized + Send + Sync + 'static {
    /// The same word as its folder, its resource and its tests.
    const NAME: &'static str;

    /// The settings that it uses, beside those of all functions.
    type Settings: Debug + Send;
    /// What invokes it.
    type Event: Event;

    /// Reads its settings.
    fn settings(read: &mut Reader<'_>) -> Self::Settings;

    /// Composes the parts.
    ///
    /// # Errors
    /// What keeps the function from ever answering.
    fn compose(
        settings: Self::Settings,
        aws: &aws::Settings,
        clock: Clock,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// What an event asks for, in a word for the log; `None` where its route says it.
    fn kind(_: &Self::Event) -> Option<&'static str> {
        None
    }

    /// Does what an event asks for.
    ///
    /// # Errors
    /// What the caller is told instead.
    fn handle(&self, event: Self::Event) -> impl Future<Output = Result<<Self::Event as Event>::Answer>> + Send;
}

/// What invokes functions: a [`crate::http::Request`] to the API, or any JSON.
pub trait Event: Sized + Send {
    /// The event as Lambda hands it over.
    type Payload: DeserializeOwned + Send;
    /// What a handler answers.
    type Answer;

    /// Has the function answer, and writes the one log line of the event.
    ///
    /// # Errors
    /// Why it failed, in words, where the caller is somebody of the deployment. A request always has an answer.
    fn answer<F: Function<Event = Self>>(
        served: Arc<Served<F>>,
        event: LambdaEvent<Self::Payload>,
    ) -> impl Future<Output = std::result::Result<impl Serialize + Send, String>> + Send;
}

/// Reads all settings of `F`, and composes nothing: for [`crate::config::read`].
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
    /// Composes the function, whose requests are told to `log`.
    ///
    /// # Errors
    /// As [`Function::compose`].
    pub async fn start(settings: Settings<F::Settings>, clock: Clock, log: Log) -> Result<Served<F>> {
        let Settings { common, own } = settings;
        let function = F::compose(own, &common.aws, clock).await?;
        Ok(Served { function, common, log, is_cold: AtomicBool::new(true) })
    }

    /// Answers one event, whatever it is, and writes its log line.
    ///
    /// # Errors
    /// As [`Event::answer`].
    pub async fn invoke(
        self: Arc<Self>,
        event: LambdaEvent<<F::Event as Event>::Payload>,
    ) -> std::result::Result<impl Serialize + Send, String> {
        <F::Event as Event>::answer(self, event).await
    }

    /// Whether no event was answered before.
    pub(super) fn is_cold(&self) -> bool {
        self.is_cold.swap(false, Ordering::Relaxed)
    }

    pub(super) fn log(&self, ended: &Ended<'_>) {
        ended.tell(&self.common.metrics, &self.log);
    }
}
