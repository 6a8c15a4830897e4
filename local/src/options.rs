//! What a stack may be told when it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::Request;
use local_aws::StackClock;
use local_aws::template::Template;

use crate::logs::OnLine;

/// How a stack starts. The default is what a test wants: everything in memory, on free ports, quiet.
#[derive(Clone)]
pub struct Options {
    /// The folder of `template.yaml`; without one, the nearest above the current folder.
    pub root: Option<PathBuf>,
    /// The profile in `samconfig.toml`.
    pub profile: String,
    /// Runs this template instead of the one in `root`.
    pub template: Option<Template>,
    /// Variables that stand over the template's, for every function.
    pub env: Vec<(String, String)>,
    /// Where tables and keyrings are kept; in memory without.
    pub data: Option<PathBuf>,
    /// Where the API listens; without an address it can only be called in process.
    pub api: Option<SocketAddr>,
    /// Where the AWS services listen: functions reach them there.
    pub aws: SocketAddr,
    /// Whether functions reach the AWS services without a socket. Then nothing is under way but what these hold, and a
    /// test that stops tokio's clock knows when nothing more will happen.
    pub in_process: bool,
    /// Where the inbox listens; without an address it can only be read in process.
    pub inbox: Option<SocketAddr>,
    /// Where the sign-in page listens, if it does.
    pub page: Option<SocketAddr>,
    /// Starts no functions and no API: they run elsewhere and use the services.
    pub services_only: bool,
    /// The clock that everything follows.
    pub clock: StackClock,
    /// Private keys in PEM, of the algorithm that is set. A stack without keyrings signs with the first; without one it
    /// makes its own, which takes a while.
    pub signing_keys: Vec<String>,
    /// Is told each line of the log.
    pub on_line: OnLine,
    /// Is told each call to AWS as it comes in.
    pub on_call: OnCall,
}

/// Is told each call to AWS, with all that it carries: codes, addresses and keys.
pub type OnCall = Arc<dyn Fn(&Request<Bytes>) + Send + Sync>;

/// Any free port of this machine.
pub(crate) const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Default for Options {
    fn default() -> Options {
        Options {
            root: None,
            profile: "default".to_owned(),
            template: None,
            env: Vec::new(),
            data: None,
            api: None,
            aws: FREE,
            in_process: false,
            inbox: None,
            page: None,
            services_only: false,
            clock: StackClock::running(),
            signing_keys: Vec::new(),
            on_line: Arc::new(|_| {}),
            on_call: Arc::new(|_| {}),
        }
    }
}
