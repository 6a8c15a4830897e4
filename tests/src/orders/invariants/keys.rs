//! Invariants of guessable codes and of revoked keys.

use shared::codes::ChallengePolicy;

use super::{Broken, Seen, unless};
use crate::orders::Deed;
use crate::orders::step::Step;

impl Seen<'_> {
    /// From the lockout's cap on, a sent code must be too long to guess. The number of failures counts as it was at the write.
    pub(super) fn codes(&self, before: u32, steps: &[Step]) -> Option<Broken> {
        // After a fault a message may be lost, and the others cannot be assigned to their actors.
        if self.scene.struck.is_some() {
            return None;
        }
        let cap = self.world.auth.read(ChallengePolicy::read).lockout().long_from();
        let inbox = self.world.auth.stack.inbox();
        let mut messages = inbox.messages(None).into_iter().rev();
        let (mut begun, mut last) = (vec![before; self.answers.len()], before);
        for step in steps {
            match step.waiting.label().as_str() {
                "UpdateItem I#" if step.outcome == "ok" => begun[step.waiting.actor] = last,
                label if label.starts_with("SendEmail") && step.outcome == "ok" => {
                    let (failures, message) = (begun[step.waiting.actor], messages.next()?);
                    let code = message.subject.unwrap_or_default();
                    let code = code.split(' ').next().unwrap_or_default();
                    let is_guessable = code.bytes().all(|byte| byte.is_ascii_digit());
                    if failures >= cap && is_guessable {
                        let why = || format!("{} was sent {code} after {failures} of {cap} failures", step.name);
                        return unless(false, "guessable codes end", why);
                    }
                }
                _ => {}
            }
            last = step.failures;
        }
        None
    }

    /// Every signing key must be published. A revoked key must be neither signing nor published.
    pub(super) fn keys(&self) -> Option<Broken> {
        // A half-finished change is repeated later and checked then.
        if self.scene.struck.is_some() {
            return None;
        }
        let keyring = self.world.auth.signing_keys().signing;
        let signing: Vec<_> = keyring.all().iter().map(|key| key.id.clone()).collect();
        let published = self.world.auth.published();
        let withdrawn = self.done().find_map(|(actor, _)| match &actor.deed {
            Deed::Withdraw(kid) => Some(kid),
            _ => None,
        });
        let is_out = withdrawn.is_none_or(|kid| !signing.contains(kid) && !published.contains(kid));
        unless(is_out && signing.iter().all(|kid| published.contains(kid)), "withdrawn keys stay out", || {
            format!("{withdrawn:?} was revoked; the keyring has {signing:?}, published are {published:?}")
        })
    }
}
