//! Which events the bus gets: what `EVENTS` says, and what the stack's own rules need.

use super::event::What;
use crate::config::{Check, Reader};

/// The events that the bus gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The events for the deployer's rules.
    pub events: Events,
    /// Whether users get notices of new sign-ins.
    pub notices: bool,
    /// Whether new users get a welcome.
    pub welcome: bool,
    /// Whether operators hear of each sign-in.
    pub operators: bool,
}

/// `EVENTS`: the events for the deployer's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// None.
    Off,
    /// Events that an operator or a person should notice: `user.created`, `user.erased` and `session.ended`.
    Security,
    /// All events. Every sign-in is one, and EventBridge charges for each.
    All,
}

/// Whose rules get an event. It is the event's `source`, so that a rule of the deployer gets what `EVENTS` says and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All rules of the bus.
    Everybody,
    /// The stack's own rules only.
    Stack,
}

impl Audience {
    /// The `source` of its events.
    pub fn source(self) -> &'static str {
        match self {
            Audience::Everybody => "latchkey",
            Audience::Stack => "latchkey.stack",
        }
    }
}

const IS_TOPIC: Check = (
    |text| text.starts_with("arn:") && text.contains(":sns:") && text.split(':').count() == 6,
    "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:operators",
);

impl Wanted {
    /// Reads the settings.
    pub fn read(read: &mut Reader<'_>) -> Wanted {
        let events = match read.choice("EVENTS", "security", &["security", "off", "all"]).as_str() {
            "off" => Events::Off,
            "all" => Events::All,
            _ => Events::Security,
        };
        Wanted {
            events,
            notices: read.is_on("NOTICES"),
            welcome: read.choice("WELCOME", "off", &["off", "on"]) == "on",
            operators: read.optional("OPERATORS_TOPIC_ARN", IS_TOPIC).is_some(),
        }
    }

    /// Whose rules get this event. `None` keeps it off the bus.
    pub fn audience(&self, what: &What) -> Option<Audience> {
        let is_security = match what {
            What::UserCreated { .. } | What::UserErased | What::SessionEnded { .. } => true,
            What::SessionOpened { .. } | What::UserUpdated { .. } => false,
        };
        if self.events == Events::All || self.events == Events::Security && is_security {
            return Some(Audience::Everybody);
        }
        let is_needed = match what {
            What::SessionOpened { familiarity, .. } => {
                self.operators || self.notices && familiarity.is_worth_a_notice()
            }
            What::UserCreated { .. } => self.welcome,
            What::UserErased | What::SessionEnded { .. } | What::UserUpdated { .. } => false,
        };
        is_needed.then_some(Audience::Stack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Familiarity;
    use crate::sessions::Device;

    fn opened(familiarity: Familiarity) -> What {
        let session = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
        let device = Device { words: String::new(), prefix: String::new() };
        What::SessionOpened { session, way: String::new(), device, familiarity }
    }

    /// `EVENTS` alone decides what a rule of the deployer gets.
    #[test]
    fn what_the_stack_needs_is_put_and_the_deployers_rules_get_what_they_asked_for() {
        let created = What::UserCreated { way: String::new(), source: None };
        let off = Wanted { events: Events::Off, notices: false, welcome: false, operators: false };
        let heard = |wanted: Wanted| {
            [Familiarity::Strange, Familiarity::Unclear, Familiarity::Known, Familiarity::SignUp]
                .map(|familiarity| wanted.audience(&opened(familiarity)).is_some())
        };
        assert_eq!(heard(off), [false; 4]);
        assert_eq!(heard(Wanted { notices: true, ..off }), [true, true, false, false]);
        assert_eq!(heard(Wanted { operators: true, ..off }), [true; 4]);
        assert_eq!(heard(Wanted { welcome: true, ..off }), [false; 4]);
        assert_eq!(off.audience(&created), None);
        assert_eq!(Wanted { welcome: true, ..off }.audience(&created), Some(Audience::Stack));
        let security = Wanted { events: Events::Security, notices: true, welcome: true, operators: true };
        assert_eq!(security.audience(&created), Some(Audience::Everybody));
        assert_eq!(security.audience(&opened(Familiarity::Known)), Some(Audience::Stack));
        assert_eq!(
            Wanted { events: Events::All, ..off }.audience(&opened(Familiarity::Known)),
            Some(Audience::Everybody)
        );
    }
}
