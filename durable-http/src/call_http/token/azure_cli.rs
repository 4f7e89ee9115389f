//! The Azure CLI: whose developer is logged in to it has an identity too.

use std::process::Stdio;
use std::time::Duration;

use chrono::Utc;
use durable_runtime::AccessToken;
use tokio::process::Command;

use super::answer;

const PATIENCE: Duration = Duration::from_secs(30);

/// The command line interface of Azure.
pub(super) struct AzureCli {
    /// The program, and what stands before our own arguments.
    pub(super) command: Vec<String>,
}

impl Default for AzureCli {
    fn default() -> Self {
        Self {
            command: vec![if cfg!(windows) { "az.cmd" } else { "az" }.to_owned()],
        }
    }
}

impl AzureCli {
    /// A token for the scope.
    ///
    /// # Errors
    /// No CLI, nobody logged in, or a scope that is none.
    pub(super) async fn token(
        &self,
        scope: &str,
        tenant: Option<&str>,
    ) -> Result<AccessToken, String> {
        for word in [Some(scope), tenant].into_iter().flatten() {
            if !is_plain(word) {
                return Err(format!("`{word}` is nothing that the Azure CLI is asked"));
            }
        }
        let (program, before) = self.command.split_first().ok_or("there is no Azure CLI")?;
        let mut command = Command::new(program);
        command.args(before);
        command.args([
            "account",
            "get-access-token",
            "--output",
            "json",
            "--scope",
            scope,
        ]);
        if let Some(tenant) = tenant {
            command.args(["--tenant", tenant]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output())
            .await
            .map_err(|_| format!("the Azure CLI said nothing for {} s", PATIENCE.as_secs()))?
            .map_err(|error| format!("the Azure CLI cannot be run ({error})"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: String = said.trim().chars().take(500).collect();
            return Err(format!("the Azure CLI refused ({said})"));
        }
        answer::granted(&output.stdout, Utc::now())
    }
}

/// On Windows it is a script: what it is given must mean nothing to a shell, and must not be an option.
fn is_plain(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '_' | '-');
    !word.is_empty() && !word.starts_with('-') && word.chars().all(fits)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn script(text: &str) -> (tempfile::TempDir, AzureCli) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("az");
        std::fs::write(&file, text).unwrap();
        let command = vec!["sh".to_owned(), file.to_str().unwrap().to_owned()];
        (folder, AzureCli { command })
    }

    #[tokio::test]
    async fn the_cli_is_asked_for_scope_and_tenant() {
        let (_folder, cli) = script(
            r#"[ "$*" = "account get-access-token --output json --scope api://x/.default --tenant t" ] || exit 3
               echo '{"accessToken": "token", "expiresOn": "2030-01-01 00:00:00.000000", "expires_on": 1893456000}'"#,
        );
        let token = cli.token("api://x/.default", Some("t")).await.unwrap();
        assert_eq!(
            (token.token.as_str(), token.expires_on.timestamp()),
            ("token", 1_893_456_000)
        );
        assert!(cli.token("api://x/.default", None).await.is_err());
    }

    #[tokio::test]
    async fn refusals_and_strange_words_are_told() {
        let (_folder, cli) = script("echo 'Please run az login' >&2; exit 1");
        let error = cli.token("x", None).await.unwrap_err();
        assert!(error.contains("az login"), "{error}");
        for word in ["--help", "a b", "a;b", "$(a)", ""] {
            let error = cli.token(word, None).await.unwrap_err();
            assert!(error.contains("nothing that"), "{error}");
        }
        let none = AzureCli {
            command: vec!["/nowhere/az".to_owned()],
        };
        assert!(
            none.token("x", None)
                .await
                .unwrap_err()
                .contains("cannot be run")
        );
    }
}
