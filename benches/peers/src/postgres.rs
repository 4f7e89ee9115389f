//! A Postgres server for one run: its own folder, its own port, gone afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A server that runs. `initdb` and `pg_ctl` are looked for in `PATH`, or in `PG_BIN`.
pub(crate) struct Postgres {
    data: PathBuf,
    port: u16,
    /// The server refuses to be root's: then it is this user's.
    user: Option<&'static str>,
}

impl Postgres {
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let root = Command::new("id").arg("-u").output()?.stdout == b"0\n";
        let server = Self {
            data: folder.join("postgres"),
            port,
            user: root.then_some("postgres"),
        };
        std::fs::create_dir(&server.data)?;
        if let Some(user) = server.user {
            let owned = Command::new("chown")
                .arg(user)
                .arg(folder)
                .arg(&server.data)
                .status()?;
            ensure!(
                owned.success(),
                "the server's folder could not be given to `{user}`"
            );
        }
        server.tool(
            "initdb",
            &["--auth=trust", "--username=postgres", "--encoding=UTF8"],
        )?;
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on -c synchronous_commit=on \
             -c shared_buffers=512MB -c max_connections=100"
        );
        server.tool(
            "pg_ctl",
            &[
                "start",
                "--wait",
                "--silent",
                "--log=/dev/null",
                "--options",
                &options,
            ],
        )?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/peers", self.port)
    }

    fn tool(&self, name: &str, args: &[&str]) -> anyhow::Result<()> {
        let path = std::env::var_os("PG_BIN")
            .map_or_else(|| name.into(), |bin| Path::new(&bin).join(name));
        let mut command = match self.user {
            None => Command::new(&path),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", user, "--regid", user, "--clear-groups"])
                    .arg(&path);
                command
            }
        };
        let output = command
            .args(args)
            .arg("--pgdata")
            .arg(&self.data)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .with_context(|| {
                format!("`{name}` could not be run: is Postgres installed, or `PG_BIN` set?")
            })?;
        ensure!(output.success(), "`{name}` failed: {output}");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.tool("pg_ctl", &["stop", "--mode=immediate", "--silent"]) {
            eprintln!("the Postgres server of this run may still be there: {error}");
        }
    }
}
