//! The root certificates that endpoints are checked against. For AWS, only the five that AWS uses.
//!
//! Any of the system's more than one hundred roots could vouch for any endpoint, and reading them would add a millisecond to
//! every start. Only services outside AWS are checked against the system's roots, and only if the settings use such a service.
//! `AWS_CA_BUNDLE` names a file with other roots for both, for a proxy that has its own. AWS's own tools use the same variable.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::words::{Error, Result};

const AWS: &[u8] = include_bytes!("../../certs/aws-roots.pem");

/// The roots of AWS, or those in the file at the path `bundle`.
///
/// # Errors
/// [`Error::Internal`] when it is not a readable file of PEM certificates.
pub(super) fn roots(bundle: Option<&str>) -> Result<TlsContext> {
    let pem = match bundle {
        None => AWS.to_vec(),
        Some(path) => read(path).map_err(|problem| Error::internal(format!("AWS_CA_BUNDLE: {path}: {problem}")))?,
    };
    let store = TrustStore::empty().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(store).build().map_err(Error::internal)
}

/// The files in which systems keep their roots: Amazon Linux 2023, and Debian.
const SYSTEM: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

/// The roots of the system, or those in the file at the path `bundle`.
///
/// # Errors
/// [`Error::Internal`] when the file is missing, or is not a readable file of PEM certificates.
pub(super) fn public_roots(bundle: Option<&str>) -> Result<TlsContext> {
    let system = || SYSTEM.into_iter().find(|path| std::fs::exists(path).unwrap_or(false));
    let path = bundle.or_else(system).ok_or_else(|| {
        Error::internal(format!(
            "the system has no file of root certificates: {}. Set AWS_CA_BUNDLE",
            SYSTEM.join(", ")
        ))
    })?;
    roots(Some(path))
}

/// Reads and checks the file, because the HTTP stack panics on a file without certificates.
fn read(path: &str) -> std::result::Result<Vec<u8>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    match parsed(&pem)? {
        roots if roots.is_empty() => Err("the file contains no PEM certificate".to_owned()),
        _ => Ok(pem),
    }
}

fn parsed(pem: &[u8]) -> std::result::Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    ];

    #[test]
    fn the_roots_are_those_of_aws_and_no_other() {
        let roots = parsed(AWS).unwrap().roots;
        let has = |der: &[u8], name: &str| der.windows(name.len()).any(|window| window == name.as_bytes());
        let found: Vec<_> =
            roots.iter().filter_map(|root| NAMES.into_iter().find(|name| has(&root.subject, name))).collect();
        assert_eq!((found, roots.len()), (NAMES.to_vec(), NAMES.len()));
    }

    /// The first root expires in 2037. A release without it is due two years earlier.
    #[test]
    fn the_roots_last() {
        let text = String::from_utf8(AWS.to_vec()).unwrap();
        let ends: Vec<u32> = text
            .lines()
            .filter_map(|line| line.strip_prefix("notAfter=")?.strip_suffix(" GMT")?.rsplit(' ').next()?.parse().ok())
            .collect();
        let year = crate::words::Clock::system().now().unix() / 31_556_952 + 1970;
        assert_eq!(ends, [2038, 2040, 2040, 2040, 2037]);
        assert!(ends.iter().all(|end| u64::from(*end) > year + 2), "{year}");
        // Checks that the certificates contain the same years as the comments above them.
        let ders: Vec<_> = CertificateDer::pem_slice_iter(AWS).map(|der| der.unwrap()).collect();
        for (der, end) in ders.iter().zip(ends) {
            let time = format!("{}", end % 100);
            let is_end = |at: &[u8]| at.starts_with(&[0x17, 13]) && at.get(2..4) == Some(time.as_bytes());
            assert!(der.windows(15).filter(|at| at.starts_with(&[0x17, 13])).nth(1).is_some_and(is_end), "{end}");
        }
    }

    #[test]
    fn a_bundle_without_certificates_is_refused_by_name() {
        let folder = std::env::temp_dir().join(format!("latchkey-trust-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for path in [file("empty", b""), file("broken", broken), folder.join("absent").to_str().unwrap().to_owned()] {
            let cause = roots(Some(&path)).unwrap_err().cause().unwrap();
            assert!(cause.starts_with(&format!("AWS_CA_BUNDLE: {path}: ")), "{cause}");
        }
        assert!(roots(Some(&file("good", AWS))).is_ok() && roots(None).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
