//! Invariants of guessable codes and of revoked keys.

use super::{Broken, Seen, unless};
use crate::orders::Action;

impl Seen<'_> {
    /// Fewer than a hundred attempts in a row are charged for codes that can be guessed.
    pub(super) fn codes(&self, before: u32) -> Option<Broken> {
        let is_reset = self.done().any(|(actor, _)| actor.action.right().is_some());
        // After a fault a message may be lost.
        if self.scene.faulty_actor.is_some() || is_reset {
            return None;
        }
        let charged = before + self.world.attempts() * self.guessable();
        unless(charged < 100, "guessable codes end", || {
            format!("{charged} attempts in a row at codes that can be guessed")
        })
    }

    /// Messages of new challenges with codes that can be guessed.
    pub(super) fn guessable(&self) -> u32 {
        let messages = self.world.auth.stack.inbox().messages(None);
        let code =
            |subject: Option<String>, text: String| subject.unwrap_or(text).split(' ').next().unwrap().to_owned();
        let codes = messages.into_iter().map(|message| code(message.subject.clone(), message.text.clone()));
        let digits = codes.filter(|code| code.bytes().all(|byte| byte.is_ascii_digit())).count();
        let resends =
            self.done().filter(|(actor, _)| matches!(actor.action, Action::Ask { again: Some(_), .. })).count();
        digits.saturating_sub(resends) as u32
    }

    /// Every signing key must be published. A revoked key must be neither signing nor published.
    pub(super) fn keys(&self) -> Option<Broken> {
        // A half-finished change is repeated later and checked then.
        if self.scene.faulty_actor.is_some() {
            return None;
        }
        let keyring = self.world.auth.signing_keys().signing;
        let signing: Vec<_> = keyring.all().iter().map(|key| key.id.clone()).collect();
        let published = self.world.auth.published();
        let withdrawn = self.done().find_map(|(actor, _)| match &actor.action {
            Action::Withdraw(kid) => Some(kid),
            _ => None,
        });
        let is_out = withdrawn.is_none_or(|kid| !signing.contains(kid) && !published.contains(kid));
        unless(is_out && signing.iter().all(|kid| published.contains(kid)), "withdrawn keys stay out", || {
            format!("{withdrawn:?} was revoked; the keyring has {signing:?}, published are {published:?}")
        })
    }
}
