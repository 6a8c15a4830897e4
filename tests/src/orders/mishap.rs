//! One call that goes wrong, of a request by itself or of one among others.

use local_aws::faults::{AwsError, When};
use local_aws::gate::Release;

use super::draw::Draw;
use super::steering::Director;
use super::step::Waiting;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The call is answered with that, once; whoever made it may try again.
    FailsOnce(AwsError, When),
    /// The same for every further try.
    Fails(AwsError, When),
    /// The function's process ends, before the call was carried out or after it: it makes no other.
    Dies(When),
}

/// Everything that may go wrong with a call.
pub const MISHAPS: [What; 16] = [
    What::FailsOnce(AwsError::ThrottlingException, When::Before),
    What::FailsOnce(AwsError::TransactionConflictException, When::Before),
    What::FailsOnce(AwsError::TransactionInProgressException, When::Before),
    What::FailsOnce(AwsError::InternalServerError, When::Before),
    What::FailsOnce(AwsError::InternalServerError, When::After),
    What::FailsOnce(AwsError::Timeout, When::Before),
    What::FailsOnce(AwsError::Timeout, When::After),
    What::Fails(AwsError::ThrottlingException, When::Before),
    What::Fails(AwsError::TransactionConflictException, When::Before),
    What::Fails(AwsError::TransactionInProgressException, When::Before),
    What::Fails(AwsError::InternalServerError, When::Before),
    What::Fails(AwsError::AccessDeniedException, When::Before),
    What::Fails(AwsError::Timeout, When::Before),
    What::Fails(AwsError::Timeout, When::After),
    What::Dies(When::Before),
    What::Dies(When::After),
];

impl What {
    /// Whether AWS has it for such a call: only writes meet transactions, and only a transaction meets itself.
    pub fn may_meet(self, label: &str) -> bool {
        match self.error() {
            Some(AwsError::TransactionConflictException) => {
                ["UpdateItem", "TransactWriteItems"].iter().any(|write| label.starts_with(write))
            }
            Some(AwsError::TransactionInProgressException) => label.starts_with("TransactWriteItems"),
            _ => true,
        }
    }

    fn error(self) -> Option<AwsError> {
        match self {
            What::FailsOnce(error, _) | What::Fails(error, _) => Some(error),
            What::Dies(_) => None,
        }
    }
}

/// Lets calls go, but for one that goes wrong.
pub struct Fate {
    plan: Plan,
    /// What went wrong, with which call of whom.
    pub met: Option<(What, usize, String)>,
    /// The calls that were made, each as often as it was.
    pub labels: Vec<String>,
}

enum Plan {
    /// In the order in which they came; the call of that number goes wrong in that way.
    Set(Option<(usize, What)>),
    /// In an order that is drawn, as are the call and the way.
    Drawn(Draw),
}

/// One call in so many goes wrong, until one did.
const SHARE: usize = 6;

impl Fate {
    /// In order, the call of that number going wrong in that way.
    pub fn set(mishap: Option<(usize, What)>) -> Fate {
        Fate { plan: Plan::Set(mishap), met: None, labels: Vec::new() }
    }

    /// Drawn by that seed.
    pub fn drawn(seed: u64) -> Fate {
        Fate { plan: Plan::Drawn(Draw::of(seed)), met: None, labels: Vec::new() }
    }

    fn mishap_at(&mut self, number: usize, label: &str) -> Option<What> {
        match &mut self.plan {
            Plan::Set(mishap) => mishap.filter(|(at, _)| *at == number).map(|(_, what)| what),
            Plan::Drawn(draw) => {
                if draw.below(SHARE) != 0 {
                    return None;
                }
                // What takes as long as a timeout reaches those too who wait at the gate meanwhile.
                let is_quick = |what: &What| what.error() != Some(AwsError::Timeout) && what.may_meet(label);
                let may_be: Vec<What> = MISHAPS.into_iter().filter(is_quick).collect();
                Some(may_be[draw.below(may_be.len())])
            }
        }
    }
}

impl Director for Fate {
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize> {
        match &mut self.plan {
            Plan::Set(_) => Some(0),
            Plan::Drawn(draw) => Some(draw.below(waiting.len())),
        }
    }

    fn fate(&mut self, chosen: &Waiting) -> Release {
        let (number, label) = (self.labels.len(), chosen.label());
        self.labels.push(label.clone());
        if let Some((what, struck, met)) = &self.met {
            return match what {
                // Nothing that it would have done is done.
                What::Dies(_) if *struck == chosen.actor => {
                    Release::Failed(AwsError::AccessDeniedException, When::Before)
                }
                What::Fails(error, when) if *struck == chosen.actor && *met == label => Release::Failed(*error, *when),
                _ => Release::Answered,
            };
        }
        let Some(what) = self.mishap_at(number, &label) else { return Release::Answered };
        self.met = Some((what, chosen.actor, label));
        match what {
            What::FailsOnce(error, when) | What::Fails(error, when) => Release::Failed(error, when),
            What::Dies(when) => Release::Failed(AwsError::AccessDeniedException, when),
        }
    }

    fn struck(&self) -> Option<usize> {
        self.met.as_ref().map(|(_, actor, _)| *actor)
    }

    fn has_killed(&self) -> bool {
        self.met.as_ref().is_some_and(|(what, ..)| matches!(what, What::Dies(_)))
    }
}
