//! Faults: one call to AWS fails, in a single request or in one of several parallel requests.

use local_aws::faults::{AwsError, When};
use local_aws::gate::Release;

use super::draw::Draw;
use super::steering::Director;
use super::step::Waiting;

/// The kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails once with this error, and its caller may retry.
    FailsOnce(AwsError, When),
    /// The call and all its retries fail with this error.
    Fails(AwsError, When),
    /// The function's process crashes before or after this call, and makes no further calls.
    Crashes(When),
}

/// All faults of a call.
pub const FAULTS: [Fault; 20] = [
    Fault::FailsOnce(AwsError::ThrottlingException, When::Before),
    Fault::FailsOnce(AwsError::TransactionConflictException, When::Before),
    Fault::FailsOnce(AwsError::TransactionInProgressException, When::Before),
    Fault::FailsOnce(AwsError::InternalServerError, When::Before),
    Fault::FailsOnce(AwsError::InternalServerError, When::After),
    Fault::FailsOnce(AwsError::Timeout, When::Before),
    Fault::FailsOnce(AwsError::Timeout, When::After),
    Fault::FailsOnce(AwsError::ConnectionReset, When::Before),
    Fault::FailsOnce(AwsError::ConnectionReset, When::After),
    Fault::Fails(AwsError::ThrottlingException, When::Before),
    Fault::Fails(AwsError::TransactionConflictException, When::Before),
    Fault::Fails(AwsError::TransactionInProgressException, When::Before),
    Fault::Fails(AwsError::InternalServerError, When::Before),
    Fault::Fails(AwsError::AccessDeniedException, When::Before),
    Fault::Fails(AwsError::Timeout, When::Before),
    Fault::Fails(AwsError::Timeout, When::After),
    Fault::Fails(AwsError::ConnectionReset, When::Before),
    Fault::Fails(AwsError::ConnectionReset, When::After),
    Fault::Crashes(When::Before),
    Fault::Crashes(When::After),
];

impl Fault {
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
            Fault::FailsOnce(error, _) | Fault::Fails(error, _) => Some(error),
            Fault::Crashes(_) => None,
        }
    }
}

/// Releases all calls, except for one fault.
pub struct FaultPlan {
    plan: Plan,
    /// The fault that happened, the actor, and the label of the call.
    pub met: Option<(Fault, usize, String)>,
    /// The labels of all calls made, with repetitions.
    pub labels: Vec<String>,
}

enum Plan {
    /// Calls run in order of arrival. The call with this number meets this fault.
    Set(Option<(usize, Fault)>),
    /// The order, the call and the fault are random.
    Drawn(Draw),
}

/// The chance per call is one in this number, until one call has failed.
const SHARE: usize = 6;

impl FaultPlan {
    /// Calls run in order of arrival. The call with this number meets this fault.
    pub fn set(fault: Option<(usize, Fault)>) -> FaultPlan {
        FaultPlan { plan: Plan::Set(fault), met: None, labels: Vec::new() }
    }

    /// A random order and fault from this seed.
    pub fn drawn(seed: u64) -> FaultPlan {
        FaultPlan { plan: Plan::Drawn(Draw::of(seed)), met: None, labels: Vec::new() }
    }

    fn fault_at(&mut self, number: usize, label: &str) -> Option<Fault> {
        match &mut self.plan {
            Plan::Set(planned) => planned.filter(|(at, _)| *at == number).map(|(_, fault)| fault),
            Plan::Drawn(draw) => {
                if draw.below(SHARE) != 0 {
                    return None;
                }
                // A timeout takes so long that it would also reach the other calls at the gate.
                let is_quick = |fault: &Fault| fault.error() != Some(AwsError::Timeout) && fault.may_meet(label);
                let may_be: Vec<Fault> = FAULTS.into_iter().filter(is_quick).collect();
                Some(may_be[draw.below(may_be.len())])
            }
        }
    }
}

impl Director for FaultPlan {
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize> {
        match &mut self.plan {
            Plan::Set(_) => Some(0),
            Plan::Drawn(draw) => Some(draw.below(waiting.len())),
        }
    }

    fn release(&mut self, chosen: &Waiting) -> Release {
        let (number, label) = (self.labels.len(), chosen.label());
        self.labels.push(label.clone());
        if let Some((fault, faulty_actor, met)) = &self.met {
            return match fault {
                // The crashed process makes no further calls.
                Fault::Crashes(_) if *faulty_actor == chosen.actor => {
                    Release::Failed(AwsError::AccessDeniedException, When::Before)
                }
                Fault::Fails(error, when) if *faulty_actor == chosen.actor && *met == label => {
                    Release::Failed(*error, *when)
                }
                _ => Release::Answered,
            };
        }
        let Some(fault) = self.fault_at(number, &label) else { return Release::Answered };
        self.met = Some((fault, chosen.actor, label));
        match fault {
            Fault::FailsOnce(error, when) | Fault::Fails(error, when) => Release::Failed(error, when),
            Fault::Crashes(when) => Release::Failed(AwsError::AccessDeniedException, when),
        }
    }

    fn faulty_actor(&self) -> Option<usize> {
        self.met.as_ref().map(|(_, actor, _)| *actor)
    }

    fn has_crashed(&self) -> bool {
        self.met.as_ref().is_some_and(|(fault, ..)| matches!(fault, Fault::Crashes(_)))
    }
}
