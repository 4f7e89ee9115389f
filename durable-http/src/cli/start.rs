//! `start`: what it takes. Serving itself is the host's.

use std::net::IpAddr;
#[cfg(feature = "tls")]
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the host serves; what is not given comes from the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[group(skip)]
pub(crate) struct StartArgs {
    /// Address to listen on; 0.0.0.0 in a container [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    pub(crate) address: Option<IpAddr>,
    /// Port to listen on; 0 takes any that is free [default: setting PORT, else 7071]
    #[arg(long, short)]
    pub(crate) port: Option<u16>,
    /// Ask for keys, in development too
    #[arg(long, conflicts_with = "no_auth")]
    pub(crate) enable_auth: bool,
    /// Ask for no keys; on loopback addresses only
    #[arg(long)]
    pub(crate) no_auth: bool,
    /// Serve HTTPS with this certificate chain, a PEM file
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl StartArgs {
    /// These, and `other` where these say nothing: options may stand before and after the word `start`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            address: other.address.or(self.address),
            port: other.port.or(self.port),
            enable_auth: self.enable_auth || other.enable_auth,
            no_auth: self.no_auth || other.no_auth,
            #[cfg(feature = "tls")]
            tls_cert: other.tls_cert.or(self.tls_cert),
            #[cfg(feature = "tls")]
            tls_key: other.tls_key.or(self.tls_key),
            log_format: other.log_format.or(self.log_format),
        }
    }
}
