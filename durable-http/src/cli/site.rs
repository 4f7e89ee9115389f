//! What the tool needs of the program around it.

use std::path::{Path, PathBuf};

use durable_runtime::Error;
use serde::Serialize;

use super::StartArgs;
use super::failure::Failure;
use crate::keys::Cipher;

/// A program that serves functions, not started yet.
pub(crate) trait App {
    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// Whatever keeps it from serving.
    fn serve(self, start: StartArgs, script_root: Option<&Path>) -> Result<(), Error>;

    /// What can be said without serving.
    ///
    /// # Errors
    /// Settings that cannot be read, functions that cannot be served.
    fn site(self, script_root: Option<&Path>) -> Result<Site, Error>;
}

/// A program's functions, and where its hub is.
#[derive(Debug)]
pub(crate) struct Site {
    /// Sorted as they are to be shown.
    pub(crate) functions: Vec<FunctionLine>,
    /// The hub's database file.
    pub(crate) hub: PathBuf,
    /// Opens the hub's keys.
    pub(crate) cipher: Cipher,
    /// Bytes of JSON that a value in the hub may have.
    pub(crate) payload_limit: usize,
    /// The version of new instances for which none is named.
    pub(crate) default_version: Option<String>,
}

/// A function as `functions list` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionLine {
    /// `httpTrigger`, `orchestrationTrigger`, `activityTrigger`, `entityTrigger`, `timerTrigger`.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// Of an orchestrator that declares one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'static str>,
    /// Upper case; empty: all, or no HTTP function.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) methods: Vec<String>,
    /// With its prefix, of an HTTP function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<String>,
    /// Of an HTTP function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_level: Option<&'static str>,
    /// Of a timer function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<String>,
    /// By the setting `AzureWebJobs.<name>.Disabled`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disabled: bool,
}

impl FunctionLine {
    /// One line for each version; itself, if there are none.
    pub(crate) fn of_each(self, versions: &[Option<&'static str>]) -> Vec<Self> {
        if versions.is_empty() {
            return vec![self];
        }
        let lines = versions.iter().map(|&version| Self {
            version,
            ..self.clone()
        });
        lines.collect()
    }
}

impl Site {
    /// # Errors
    /// There is no hub where it should be.
    pub(super) fn hub_exists(&self) -> Result<(), Failure> {
        match self.hub.exists() {
            true => Ok(()),
            false => Err(Failure::refused(format!(
                "there is no hub here: `{}` does not exist\nhelp: name the application's folder with `--script-root`; the first start makes the hub",
                self.hub.display()
            ))),
        }
    }

    /// Names of the functions that keys open.
    pub(super) fn guarded(&self) -> Vec<String> {
        self.named("httpTrigger")
    }

    /// Names of all other functions: they may have keys, which open nothing.
    pub(super) fn others(&self) -> Vec<String> {
        let functions = self.functions.iter();
        functions
            .filter(|function| function.kind != "httpTrigger")
            .map(|function| function.name.clone())
            .collect()
    }

    /// What `instances start` may start, and what it may not, because it is disabled.
    pub(super) fn orchestrators(&self) -> (Vec<String>, Vec<String>) {
        self.enabled("orchestrationTrigger")
    }

    /// What `entities signal` may signal, and what it may not, because it is disabled.
    pub(super) fn entities(&self) -> (Vec<String>, Vec<String>) {
        self.enabled("entityTrigger")
    }

    fn enabled(&self, kind: &str) -> (Vec<String>, Vec<String>) {
        let named = |disabled: bool| {
            self.among(|function| function.kind == kind && function.disabled == disabled)
        };
        (named(false), named(true))
    }

    fn named(&self, kind: &str) -> Vec<String> {
        self.among(|function| function.kind == kind)
    }

    fn among(&self, belongs: impl Fn(&FunctionLine) -> bool) -> Vec<String> {
        let functions = self.functions.iter();
        let mut names: Vec<_> = functions
            .filter(|function| belongs(function))
            .map(|function| function.name.clone())
            .collect();
        // Versions of one orchestrator stand together.
        names.dedup();
        names
    }
}
