//! HTTPS: a certificate and its key, read from PEM files.

use std::path::{Path, PathBuf};

use durable_runtime::{Error, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads both files; HTTP/2 and HTTP/1.1 are added by who listens.
///
/// # Errors
/// Files that cannot be read, hold no PEM of their kind, or do not belong together. The key itself is never shown.
pub(super) fn config((cert, key): &(PathBuf, PathBuf)) -> Result<ServerConfig> {
    let wrong = |file: &Path, what: &str, error: &dyn std::fmt::Display| {
        Error::msg(format!(
            "`{}` holds no {what} that can be used: {error}",
            file.display()
        ))
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(cert, "certificate chain", &error))?;
    if chain.is_empty() {
        return Err(wrong(
            cert,
            "certificate chain",
            &"there is no PEM block `CERTIFICATE`",
        ));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, "private key", &error))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| wrong(key, "private key of the certificate", &error))
}
