//! The doors of a stack: addresses, and servers that end when the stack does.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use local_aws::Failure;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long requests under way may take when the stack stops.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Opens `address` for `what`, which `flag` would put elsewhere.
pub(crate) async fn open(what: &str, flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Failure::new(format!(
            "{address} is taken, so {what} cannot listen there. Stop the other program, or choose another address: {flag} 127.0.0.1:PORT"
        )),
        _ => Failure::new(format!("{what} cannot listen at {address}: {error}")),
    })
}

/// The same where there is an address.
pub(crate) async fn open_at(
    what: &str,
    flag: &str,
    address: Option<SocketAddr>,
) -> Result<Option<TcpListener>, Failure> {
    match address {
        Some(address) => open(what, flag, address).await.map(Some),
        None => Ok(None),
    }
}

/// The servers of a stack. They end with it, gracefully by [`Doors::close`].
pub(crate) struct Doors {
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl Doors {
    pub(crate) fn new() -> Doors {
        Doors { stop: watch::Sender::new(false), servers: Vec::new() }
    }

    /// Turns true when the doors close.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Serves `router` at `listener`.
    pub(crate) fn serve(&mut self, listener: TcpListener, router: Router) {
        let mut stopping = self.stopping();
        self.servers.push(tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let served = axum::serve(listener, service).with_graceful_shutdown(async move {
                let _ = stopping.wait_for(|stopping| *stopping).await;
            });
            let _ = served.await;
        }));
    }

    /// Takes no more requests, and waits for the answers under way.
    pub(crate) async fn close(mut self) {
        self.stop.send_replace(true);
        for server in std::mem::take(&mut self.servers) {
            let abort = server.abort_handle();
            if tokio::time::timeout(LAST_ANSWERS, server).await.is_err() {
                abort.abort();
            }
        }
    }
}

/// A stack that is only dropped leaves nothing running either.
impl Drop for Doors {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.servers.iter().for_each(JoinHandle::abort);
    }
}
