//! A proxy between a function and AWS that counts bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub struct Wire {
    address: SocketAddr,
    carried: Arc<AtomicU64>,
}

impl Wire {
    /// Starts the proxy in front of the endpoint at `behind`.
    pub async fn start(behind: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, carried) = (listener.local_addr().unwrap(), Arc::<AtomicU64>::default());
        let counter = carried.clone();
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (near_read, near_write) = near.into_split();
                let (far_read, far_write) = TcpStream::connect(behind).await.unwrap().into_split();
                tokio::spawn(carry(near_read, far_write, counter.clone()));
                tokio::spawn(carry(far_read, near_write, counter.clone()));
            }
        });
        Wire { address, carried }
    }

    /// The settings for a function to use the proxy.
    pub fn settings(&self) -> Vec<(String, String)> {
        vec![("AWS_ENDPOINT_URL".to_owned(), format!("http://{}", self.address))]
    }

    /// All bytes since the start, in both directions.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::SeqCst)
    }
}

/// Counts before forwarding, so that an answer's bytes are counted when it arrives.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, carried: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        carried.fetch_add(count as u64, Ordering::SeqCst);
        if to.write_all(buffer.get(..count).unwrap_or_default()).await.is_err() {
            break;
        }
    }
}
