//! All settings of a deployment, read by the functions' own code.

use local_aws::Failure;
use local_aws::template::waits_for;
use shared::config::{self, Problems};
use shared::runtime::{Common, Function};

use crate::environment::Environments;
use crate::functions::Kind;

/// The settings by function. Every other function reads a subset of these.
#[derive(Debug)]
pub(crate) struct All {
    pub(crate) common: Common,
    pub(crate) request: request_otp::Settings,
    pub(crate) verify: verify_otp::Settings,
    pub(crate) second: second_factor::Settings,
    pub(crate) factors: factors::Settings,
    pub(crate) keys: rotate_keys::Settings,
    pub(crate) record: record::Settings,
}

/// A placeholder for the later answer of a custom resource, so that all other settings can be read. It has the form of a
/// digest or public key of 32 bytes.
const LATER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl All {
    /// Reads the settings of every function and reports the problems of all of them.
    pub(crate) fn read(environments: &Environments) -> Result<All, Failure> {
        let kinds: Vec<Kind> =
            environments.iter().map(|(_, binary, _)| Kind::of_binary(binary)).collect::<Result<_, _>>()?;
        let variables = environments.all();
        let read = |name: &str| {
            let value = variables.get(name)?;
            Some(if waits_for(value).is_some() { LATER.to_owned() } else { value.clone() })
        };
        let all: Result<All, Problems> = config::read(read, |read| {
            for kind in &kinds {
                (kind.read)(read);
            }
            All {
                common: Common::read(read),
                request: request_otp::RequestOtp::settings(read),
                verify: verify_otp::VerifyOtp::settings(read),
                second: second_factor::SecondFactor::settings(read),
                factors: factors::Factors::settings(read),
                keys: rotate_keys::RotateKeys::settings(read),
                record: record::Record::settings(read),
            }
        });
        all.map_err(Failure::new)
    }
}
