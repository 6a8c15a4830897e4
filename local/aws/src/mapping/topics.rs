//! SES's event destinations, SNS between SES and a function, and the events of AWS End User Messaging.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::clock::StackClock;
use crate::failure::Failure;
use crate::ids::new_id;
use crate::lock::locked;
use crate::mapping::Courier;
use crate::services::Services;
use crate::ses::{MailEvent, Sending};
use crate::template::{EventDestination, Subscription};

/// Event destinations at work.
pub struct Topics {
    destinations: Vec<EventDestination>,
    subscriptions: Vec<Subscription>,
    services: Services,
    clock: StackClock,
    /// How many mails and how many texts have had their events.
    told: Mutex<(u64, u64)>,
}

impl Topics {
    /// Begins at the first mail.
    ///
    /// # Errors
    /// A destination's topic has no policy that lets SES publish.
    pub fn start(
        (destinations, subscriptions): (Vec<EventDestination>, Vec<Subscription>),
        services: Services,
        clock: StackClock,
    ) -> Result<Topics, Failure> {
        if let Some(EventDestination { topic, .. }) = destinations.iter().find(|destination| !destination.is_permitted)
        {
            return Err(Failure::new(format!(
                "template.yaml: no policy of the topic {topic} allows ses.amazonaws.com to publish"
            )));
        }
        Ok(Topics { destinations, subscriptions, services, clock, told: Mutex::default() })
    }

    /// Publishes what became of each mail and text since the last time. The courier takes it to the subscribers and rules.
    pub fn deliver(&self, courier: &Courier) {
        let (sendings, textings) = {
            let mut told = locked(&self.told);
            let (sendings, mails) = self.services.sendings_after(told.0);
            let (textings, texts) = self.services.textings_after(told.1);
            *told = (mails, texts);
            (sendings, textings)
        };
        for texting in textings {
            for kind in texting.events() {
                self.services.tell(texting.event(kind, self.clock.now()));
            }
        }
        for sending in sendings {
            let to = sending.to.first().map_or("", String::as_str);
            for what in MailEvent::of(to) {
                self.publish(&sending, *what, courier);
            }
        }
    }

    fn publish(&self, sending: &Sending, what: MailEvent, courier: &Courier) {
        let is_for = |destination: &&EventDestination| {
            sending.configuration_set.as_ref() == Some(&destination.configuration_set)
                && destination.events.iter().any(|event| event == what.in_template())
        };
        for EventDestination { topic, .. } in self.destinations.iter().filter(is_for) {
            let event = notification(topic, &sending.event(what, self.clock.now()), &self.clock.now().to_string());
            for Subscription { function, .. } in self.subscriptions.iter().filter(|own| own.topic == *topic) {
                courier.take(function, event.clone());
            }
        }
    }
}

/// The event of SNS for a function, with SES's event as its message.
pub fn notification(topic: &str, message: &Value, time: &str) -> Value {
    let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    json!({ "Records": [{ "EventSource": "aws:sns", "EventVersion": "1.0",
        "EventSubscriptionArn": format!("{topic}:{}", new_id()),
        "Sns": { "Type": "Notification", "MessageId": new_id(), "TopicArn": topic,
            "Subject": "Amazon SES Email Event Notification", "Message": text, "Timestamp": time,
            "SignatureVersion": "1", "Signature": "EXAMPLE", "SigningCertUrl": "EXAMPLE", "UnsubscribeUrl": "EXAMPLE",
            "MessageAttributes": {} } }] })
}
