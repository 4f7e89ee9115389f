//! What the command line asks of a [`Host`].

use std::path::Path;

use durable_runtime::{Error, Result};

use super::Host;
use super::serve::{Checked, How, check, serve};
use crate::cli::{App, FunctionLine, LogFormat, Site, StartArgs};
use crate::keys::Cipher;
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
        let line = |kind, name: &str| FunctionLine {
            kind,
            name: name.to_owned(),
            methods: Vec::new(),
            route: None,
            auth_level: None,
        };
        let http = table.iter().map(|route| FunctionLine {
            methods: route.methods().to_vec(),
            route: Some(route.template().text().to_owned()),
            auth_level: Some(route.target.function.auth.name()),
            ..line("httpTrigger", route.function())
        });
        let mut functions: Vec<_> = http.collect();
        functions.extend(
            registry
                .orchestrator_names()
                .into_iter()
                .map(|name| line("orchestrationTrigger", name)),
        );
        functions.extend(
            registry
                .activity_names()
                .into_iter()
                .map(|name| line("activityTrigger", name)),
        );
        functions.extend(
            registry
                .entity_names()
                .into_iter()
                .map(|name| line("entityTrigger", name)),
        );
        let key_file = told.hub_path.with_extension("key");
        let cipher = Cipher::new(told.environment.get("AzureWebEncryptionKey"), key_file)?;
        Ok(Site {
            functions,
            hub: told.hub_path,
            cipher,
        })
    }
}
