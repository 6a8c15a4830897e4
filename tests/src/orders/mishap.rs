//! Faults: one call to AWS fails, in a single request or in one of several parallel requests.

use local_aws::faults::{AwsError, When};
use local_aws::gate::Release;

use super::draw::Draw;
use super::steering::Director;
use super::step::Waiting;

/// The kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The call fails once with this error, and its caller may retry.
    FailsOnce(AwsError, When),
    /// The call and all its retries fail with this error.
    Fails(AwsError, When),
    /// The function's process crashes before or after this call, and makes no further calls.
    Dies(When),
}

/// All faults of a call.
pub const MISHAPS: [What; 20] = [
    What::FailsOnce(AwsError::ThrottlingException, When::Before),
    What::FailsOnce(AwsError::TransactionConflictException, When::Before),
    What::FailsOnce(AwsError::TransactionInProgressException, When::Before),
    What::FailsOnce(AwsError::InternalServerError, When::Before),
    What::FailsOnce(AwsError::InternalServerError, When::After),
    What::FailsOnce(AwsError::Timeout, When::Before),
    What::FailsOnce(AwsError::Timeout, When::After),
    What::FailsOnce(AwsError::ConnectionReset, When::Before),
    What::FailsOnce(AwsError::ConnectionReset, When::After),
    What::Fails(AwsError::ThrottlingException, When::Before),
    What::Fails(AwsError::TransactionConflictException, When::Before),
    What::Fails(AwsError::TransactionInProgressException, When::Before),
    What::Fails(AwsError::InternalServerError, When::Before),
    What::Fails(AwsError::AccessDeniedException, When::Before),
    What::Fails(AwsError::Timeout, When::Before),
    What::Fails(AwsError::Timeout, When::After),
    What::Fails(AwsError::ConnectionReset, When::Before),
    What::Fails(AwsError::ConnectionReset, When::After),
    What::Dies(When::Before),
    What::Dies(When::After),
];

impl What {
    /// Returns true if AWS has this error for such a call. Only writes conflict with transactions, and only a transaction can be
    /// in progress.
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

/// Releases all calls, except for one fault.
pub struct Fate {
    plan: Plan,
    /// The fault that happened, the actor, and the label of the call.
    pub met: Option<(What, usize, String)>,
    /// The labels of all calls made, with repetitions.
    pub labels: Vec<String>,
}

enum Plan {
    /// Calls run in order of arrival. The call with this number meets this fault.
    Set(Option<(usize, What)>),
    /// The order, the call and the fault are random.
    Drawn(Draw),
}

/// The chance per call is one in this number, until one call has failed.
const SHARE: usize = 6;

impl Fate {
    /// Calls run in order of arrival. The call with this number meets this fault.
    pub fn set(mishap: Option<(usize, What)>) -> Fate {
        Fate { plan: Plan::Set(mishap), met: None, labels: Vec::new() }
    }

    /// A random order and fault from this seed.
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
                // A timeout takes so long that it would also reach the other calls at the gate.
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
                // The crashed process makes no further calls.
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
