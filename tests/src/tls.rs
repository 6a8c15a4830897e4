//! AWS behind TLS: a local endpoint that forwards to the local services and counts its handshakes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use shared::words::{Entropy, random_id};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const AWS: &str = include_str!("../../shared/certs/aws-roots.pem");

/// As in AWS, each service has its own address and connections.
const SERVICES: [&str; 4] = ["DYNAMODB", "SECRETS_MANAGER", "SESV2", "SNS"];

/// The endpoint, with a root certificate made for it. Dropping it stops it.
pub struct TlsEndpoint {
    settings: Vec<(String, String)>,
    handshakes: Arc<AtomicUsize>,
    bundle: PathBuf,
    servers: Vec<JoinHandle<()>>,
}

impl TlsEndpoint {
    /// Starts the endpoint in front of the services at `behind`.
    pub async fn start(behind: SocketAddr) -> TlsEndpoint {
        let (root, config) = identity();
        let bundle = std::env::temp_dir().join(format!("latchkey-{}.pem", random_id(&Entropy).unwrap()));
        // Added to AWS's own roots, so that a start parses as many certificates as in production, plus one.
        std::fs::write(&bundle, [root.as_str(), AWS].concat()).unwrap();
        let (config, handshakes) = (Arc::new(config), Arc::default());
        let mut settings = vec![("AWS_CA_BUNDLE".to_owned(), bundle.to_str().unwrap().to_owned())];
        let mut servers = Vec::new();
        for service in SERVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
            settings.push((format!("AWS_ENDPOINT_URL_{service}"), url));
            servers.push(tokio::spawn(serve(listener, config.clone(), behind, Arc::clone(&handshakes))));
        }
        TlsEndpoint { settings, handshakes, bundle, servers }
    }

    /// How many connections were opened.
    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::SeqCst)
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

async fn serve(listener: TcpListener, config: Arc<ServerConfig>, behind: SocketAddr, handshakes: Arc<AtomicUsize>) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let (acceptor, handshakes) = (acceptor.clone(), handshakes.clone());
        tokio::spawn(async move {
            connection.set_nodelay(true).unwrap();
            // A client that distrusts the certificate closes the connection.
            let Ok(mut connection) = acceptor.accept(connection).await else { return };
            handshakes.fetch_add(1, Ordering::SeqCst);
            let mut services = TcpStream::connect(behind).await.unwrap();
            services.set_nodelay(true).unwrap();
            let _ = copy_bidirectional(&mut connection, &mut services).await;
        });
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
