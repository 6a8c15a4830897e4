//! The options of a stack.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use local_aws::StackClock;
use local_aws::template::Template;

use crate::logs::OnLine;

/// How a stack starts. The default suits tests: everything in memory, on free ports, without output.
#[derive(Clone)]
pub struct Options {
    /// The folder of `template.yaml`. By default, the nearest one at or above the current folder.
    pub root: Option<PathBuf>,
    /// The profile in `samconfig.toml`.
    pub profile: String,
    /// Runs this template instead of the one in `root`.
    pub template: Option<Template>,
    /// Variables for every function. They override those in the template.
    pub env: Vec<(String, String)>,
    /// The folder for tables and keyrings. Without one they stay in memory.
    pub data: Option<PathBuf>,
    /// The address of the API. Without one the API can only be called in process.
    pub api: Option<SocketAddr>,
    /// The address of the AWS services, at which functions call them.
    pub aws: SocketAddr,
    /// Whether functions call the AWS services in process, without a socket. A test with a stopped tokio clock then knows
    /// when all work is done, because no data is in transit elsewhere.
    pub in_process: bool,
    /// The address of the inbox. Without one the inbox can only be read in process.
    pub inbox: Option<SocketAddr>,
    /// The address of the sign-in page, if it should be served.
    pub page: Option<SocketAddr>,
    /// Starts no functions and no API. They run elsewhere and call these services.
    pub services_only: bool,
    /// The clock of the whole stack.
    pub clock: StackClock,
    /// Private keys in PEM, for the configured algorithm. A stack without keyrings signs with the first one. If the list is
    /// empty, the stack generates a key, and this takes a while.
    pub signing_keys: Vec<String>,
    /// How often the records of streams are delivered to their functions. Without it only [`crate::Stack::deliver`] does.
    pub deliver_every: Option<Duration>,
    /// Called with each log line.
    pub on_line: OnLine,
    /// Called with each call to AWS, when it arrives.
    pub on_call: OnCall,
}

/// Called with each call to AWS and everything in it, including codes, addresses and keys.
pub type OnCall = Arc<dyn Fn(&Request<Bytes>) + Send + Sync>;

/// Any free port on the loopback address.
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
            deliver_every: None,
            on_line: Arc::new(|_| {}),
            on_call: Arc::new(|_| {}),
        }
    }
}
