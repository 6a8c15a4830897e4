//! One request, of which one call goes wrong.

use local::aws::faults::{AwsError, When};
use local::aws::gate::Release;

use super::steering::Director;
use super::step::Waiting;

/// What goes wrong, with the call of that number.
#[derive(Clone, Copy, Debug)]
pub struct Mishap {
    pub at: usize,
    pub what: What,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The call is answered with that, once; whoever made it may try again.
    FailsOnce(AwsError, When),
    /// The same for every further try.
    Fails(AwsError, When),
    /// The function's process ends, before the call was carried out or after it.
    Dies(When),
}

/// Everything that may go wrong with a call.
pub const MISHAPS: [What; 14] = [
    What::FailsOnce(AwsError::ThrottlingException, When::Before),
    What::FailsOnce(AwsError::TransactionConflictException, When::Before),
    What::FailsOnce(AwsError::TransactionInProgressException, When::Before),
    What::FailsOnce(AwsError::InternalServerError, When::After),
    What::FailsOnce(AwsError::Timeout, When::Before),
    What::FailsOnce(AwsError::Timeout, When::After),
    What::Fails(AwsError::ThrottlingException, When::Before),
    What::Fails(AwsError::TransactionConflictException, When::Before),
    What::Fails(AwsError::TransactionInProgressException, When::Before),
    What::Fails(AwsError::InternalServerError, When::Before),
    What::Fails(AwsError::AccessDeniedException, When::Before),
    What::Fails(AwsError::Timeout, When::After),
    What::Dies(When::Before),
    What::Dies(When::After),
];

impl What {
    /// Whether AWS has it for such a call: only writes meet transactions, and only a transaction meets itself.
    pub fn may_meet(self, label: &str) -> bool {
        let (What::FailsOnce(error, _) | What::Fails(error, _)) = self else { return true };
        match error {
            AwsError::TransactionConflictException => {
                ["UpdateItem", "TransactWriteItems"].iter().any(|write| label.starts_with(write))
            }
            AwsError::TransactionInProgressException => label.starts_with("TransactWriteItems"),
            _ => true,
        }
    }
}

/// Lets calls go in the order in which they came, but for the one that goes wrong.
pub struct Fate {
    mishap: Option<Mishap>,
    /// The call that went wrong.
    met: Option<String>,
    is_over: bool,
    /// The calls that were made, each as often as it was.
    pub labels: Vec<String>,
}

impl Fate {
    /// With that mishap, or none.
    pub fn new(mishap: Option<Mishap>) -> Fate {
        Fate { mishap, met: None, is_over: false, labels: Vec::new() }
    }
}

impl Director for Fate {
    fn choose(&mut self, _: &[Waiting]) -> Option<usize> {
        let dies_now =
            |mishap: Mishap| mishap.at == self.labels.len() && matches!(mishap.what, What::Dies(When::Before));
        (!self.mishap.is_some_and(dies_now)).then_some(0)
    }

    fn fate(&mut self, chosen: &Waiting) -> Release {
        let (number, label) = (self.labels.len(), chosen.label());
        self.labels.push(label.clone());
        let Some(Mishap { at, what }) = self.mishap else { return Release::Answered };
        let is_met = number == at;
        let is_again = self.met.as_ref() == Some(&label);
        if is_met {
            self.met = Some(label);
        }
        match what {
            What::FailsOnce(error, when) if is_met => Release::Failed(error, when),
            What::Fails(error, when) if is_met || is_again => Release::Failed(error, when),
            What::Dies(when) if is_met => {
                self.is_over = true;
                Release::Failed(AwsError::Timeout, when)
            }
            _ => Release::Answered,
        }
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn lets_time_pass(&self) -> bool {
        true
    }
}
