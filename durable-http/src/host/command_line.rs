//! What the command line asks of a [`Host`].

use std::path::Path;

use durable_runtime::{Error, Result};

use super::serve::{Checked, How, check, serve};
use super::{Host, encryption, listing};
use crate::cli::{App, FunctionLine, LogFormat, Site, StartArgs};
use crate::telemetry;

impl App for Host {
    fn serve(self, start: StartArgs, script_root: Option<&Path>) -> Result<(), Error> {
        let auth = match (start.enable_auth, start.no_auth) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        let logs = match start.log_format {
            Some(LogFormat::Json) => telemetry::Format::Json,
            _ => telemetry::Format::Text,
        };
        serve(
            self,
            How {
                #[cfg(feature = "tls")]
                tls: start.tls_cert.zip(start.tls_key),
                address: start.address,
                port: start.port,
                auth,
                logs,
                speaks: true,
            },
            script_root,
        )
    }

    fn site(self, script_root: Option<&Path>) -> Result<Site, Error> {
        let root = self.root(script_root);
        let Checked {
            told,
            registry,
            table,
            ..
        } = check(&self, &root)?;
        let functions = listing::all(&registry, &table, &told.hub.timers)
            .into_iter()
            .flat_map(|listed| {
                let (methods, route, auth_level) = match listed.http {
                    Some(http) => {
                        let level = http.function.auth.name();
                        (http.methods, Some(http.route), Some(level))
                    }
                    None => (Vec::new(), None, None),
                };
                let line = FunctionLine {
                    kind: listed.trigger,
                    name: listed.name,
                    version: None,
                    methods,
                    route,
                    auth_level,
                    schedule: listed.timer.map(|timer| timer.schedule.text()),
                    disabled: listed.disabled,
                };
                line.of_each(&listed.versions)
            });
        let cipher = encryption::cipher(&told.environment, &told.hub_path)?;
        Ok(Site {
            functions: functions.collect(),
            payload_limit: told.hub.max_payload_bytes,
            default_version: told.hub.default_version,
            hub: told.hub_path,
            cipher,
        })
    }
}
