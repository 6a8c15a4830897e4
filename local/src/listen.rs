//! The listeners and servers of a stack. The servers stop together with the stack.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use local_aws::Failure;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The time that pending requests get to finish when the stack stops.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Opens `address` for `what`. If the address is in use, the error suggests `flag`.
pub(crate) async fn open(what: &str, flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Failure::new(format!(
            "{address} is taken, so {what} cannot listen there. Stop the other program, or choose another address with {flag} 127.0.0.1:PORT."
        )),
        _ => Failure::new(format!("{what} cannot listen at {address}: {error}")),
    })
}

/// Opens the address, if there is one.
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

/// The servers of a stack. [`Doors::close`] stops them gracefully, and a drop stops them at once.
pub(crate) struct Doors {
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl Doors {
    pub(crate) fn new() -> Doors {
        Doors { stop: watch::Sender::new(false), servers: Vec::new() }
    }

    /// Becomes true when the servers stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

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

    /// Runs `work` again and again, with a pause after each time, until the servers stop.
    pub(crate) fn repeat<W: Future + Send + 'static>(
        &mut self,
        pause: Duration,
        mut work: impl FnMut() -> W + Send + 'static,
    ) {
        let mut stopping = self.stopping();
        self.servers.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = stopping.wait_for(|stopping| *stopping) => return,
                    () = tokio::time::sleep(pause) => {}
                }
                work().await;
            }
        }));
    }

    /// Stops accepting requests and waits for pending answers.
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

/// Stops the servers of a stack that was dropped without [`Doors::close`].
impl Drop for Doors {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.servers.iter().for_each(JoinHandle::abort);
    }
}
