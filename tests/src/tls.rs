//! AWS behind TLS: a local endpoint that forwards to the local services, counts its handshakes, and breaks connections.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use shared::words::{Entropy, random_id};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const AWS: &str = include_str!("../../shared/certs/aws-roots.pem");

/// As in AWS, each service has its own address and connections.
const SERVICES: [&str; 5] = ["DYNAMODB", "SECRETS_MANAGER", "PINPOINT_SMS_VOICE_V2", "SESV2", "SNS"];

/// The endpoint, with a root certificate made for it. Dropping it stops it.
pub struct TlsEndpoint {
    settings: Vec<(String, String)>,
    connections: Arc<Connections>,
    bundle: PathBuf,
    servers: Vec<JoinHandle<()>>,
}

/// The connections of all services, numbered as they were opened.
#[derive(Default)]
struct Connections {
    opened: AtomicUsize,
    /// Connections with a lower number break.
    unbroken_from: AtomicUsize,
}

impl TlsEndpoint {
    /// Starts the endpoint in front of the services at `behind`.
    pub async fn start(behind: SocketAddr) -> TlsEndpoint {
        let (root, config) = identity();
        let bundle = std::env::temp_dir().join(format!("latchkey-{}.pem", random_id(&Entropy).unwrap()));
        // Added to AWS's own roots, so that a start parses as many certificates as in production, plus one.
        std::fs::write(&bundle, [root.as_str(), AWS].concat()).unwrap();
        let (config, connections) = (Arc::new(config), Arc::<Connections>::default());
        let mut settings = vec![("AWS_CA_BUNDLE".to_owned(), bundle.to_str().unwrap().to_owned())];
        let mut servers = Vec::new();
        for service in SERVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
            settings.push((format!("AWS_ENDPOINT_URL_{service}"), url));
            servers.push(tokio::spawn(serve(listener, config.clone(), behind, connections.clone())));
        }
        TlsEndpoint { settings, connections, bundle, servers }
    }

    /// How many connections were opened.
    pub fn handshakes(&self) -> usize {
        self.connections.opened.load(Ordering::SeqCst)
    }

    /// Breaks all open connections. As after a sleep, the client notices only after it has written its next request.
    pub fn break_connections(&self) {
        self.connections.unbroken_from.store(self.handshakes(), Ordering::SeqCst);
    }

    /// The variables for a function's environment: first the root certificates, then the services' addresses.
    pub fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }
}

impl Drop for TlsEndpoint {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
        let _ = std::fs::remove_file(&self.bundle);
    }
}

async fn serve(listener: TcpListener, config: Arc<ServerConfig>, behind: SocketAddr, connections: Arc<Connections>) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let (acceptor, connections) = (acceptor.clone(), connections.clone());
        tokio::spawn(async move {
            connection.set_nodelay(true).unwrap();
            // A client that distrusts the certificate closes the connection.
            let Ok(connection) = acceptor.accept(connection).await else { return };
            let number = connections.opened.fetch_add(1, Ordering::SeqCst);
            let is_broken = || number < connections.unbroken_from.load(Ordering::SeqCst);
            let services = TcpStream::connect(behind).await.unwrap();
            services.set_nodelay(true).unwrap();
            let _ = forward(connection, services, is_broken).await;
        });
    }
}

/// Forwards until one side closes its connection, or a request arrives on a broken one.
async fn forward(
    client: TlsStream<TcpStream>,
    services: TcpStream,
    is_broken: impl Fn() -> bool,
) -> std::io::Result<()> {
    let (mut requests, mut answers) = split(client);
    let (mut from_services, mut to_services) = services.into_split();
    let requests = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = requests.read(&mut buffer).await?;
            if read == 0 || is_broken() {
                return Ok(());
            }
            to_services.write_all(&buffer[..read]).await?;
        }
    };
    tokio::select! {
        ended = requests => ended,
        ended = copy(&mut from_services, &mut answers) => ended.map(|_| ()),
    }
}

/// A root, and a server certificate signed by an intermediate authority, as in AWS. Session resumption is off, so every handshake
/// is a full one.
fn identity() -> (String, ServerConfig) {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    };
    let (root_params, root_key) = authority("A root for tests");
    let root = root_params.self_signed(&root_key).unwrap();
    let root_issuer = Issuer::new(root_params, root_key);
    let (between_params, between_key) = authority("An authority for tests");
    let between = between_params.signed_by(&between_key, &root_issuer).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &Issuer::new(between_params, between_key)).unwrap();

    let chain: Vec<CertificateDer<'static>> = vec![server.der().clone(), between.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).unwrap();
    config.send_tls13_tickets = 0;
    (root.pem(), config)
}
