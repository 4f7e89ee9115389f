//! The binary as its own tool: `start`, `functions`, `keys`, `instances`.
//!
//! A command that touches the hub first looks whether a host holds it (`reach`): then it speaks HTTP to that host (`remote`),
//! else it opens the hub itself (`local`) and changes nothing but what it was asked to; no function runs. What the tool needs of
//! the program around it is [`App`].

mod entities;
mod export;
mod failure;
mod functions;
mod hub;
mod import;
mod instances;
mod keys;
mod local;
mod reach;
mod remote;
mod remote_keys;
mod request;
mod row;
mod site;
mod start;
mod table;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use site::{App, FunctionLine, Site};
pub(crate) use start::{LogFormat, StartArgs};

use failure::Failure;

const USAGE: u8 = 2;
const REFUSED: u8 = 1;

const EXAMPLES: &str = "\
Examples:
  app                                      serve the functions on http://127.0.0.1:7071
  app start --port 8080 --enable-auth      on another port, with keys even in development
  app functions list                       what there is to call
  app keys list                            the keys that open it
  app instances start hello_cities         start an orchestration
  app instances list --status running      see how they fare
  app instances list --url https://x.com   the same of a host elsewhere; asks for its master key

Exit status: 0 done, 1 refused (the message says why), 2 wrong usage.";

const COMPLETIONS: &str = "\
Examples:
  app completions bash > ~/.local/share/bash-completion/completions/app
  app completions zsh > ~/.zfunc/_app";

/// Serves durable functions, and looks after them.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    start: StartArgs,
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Global {
    /// Folder of host.json and of the hub [default: setting AzureWebJobsScriptRoot, else the package, else this folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    script_root: Option<PathBuf>,
    /// Speak to the host at this URL, instead of the one that holds the hub; its master key is asked for, or in DURABLE_FUNCTIONS_MASTER_KEY
    #[arg(long, global = true, value_name = "URL")]
    url: Option<url::Url>,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the functions until ctrl-C (what is done without a command)
    Start(StartArgs),
    /// The functions of this program
    #[command(subcommand)]
    Functions(functions::Functions),
    /// The keys that open functions and webhooks
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// The orchestrations of the hub
    #[command(subcommand)]
    Instances(instances::Instances),
    /// Print a script that completes this program's commands in a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// The entities of the hub
    #[command(subcommand)]
    Entities(entities::Entities),
    /// The hub's file: what is in it, a copy, whether it is sound, its end
    #[command(subcommand)]
    Hub(hub::Hub),
}

/// Does what the command line says. Returns the exit status; messages are printed.
pub(crate) fn run(app: impl App, args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to say more.
            let _ = error.print();
            let asked_for = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            return if asked_for { 0 } else { USAGE };
        }
    };
    match dispatch(app, cli) {
        Ok(()) => 0,
        Err(failure) => {
            eprintln!("error: {failure}");
            REFUSED
        }
    }
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let cli = Cli::from_arg_matches(&command.try_get_matches_from_mut(args)?)?;
    let other = !matches!(cli.command, None | Some(Command::Start(_)));
    if other && cli.start != StartArgs::default() {
        let text = "the options of `start` have no meaning for another command";
        return Err(command.error(ErrorKind::ArgumentConflict, text));
    }
    Ok(cli)
}

fn dispatch(app: impl App, cli: Cli) -> Result<(), Failure> {
    let Cli {
        start,
        global,
        command,
    } = cli;
    let script_root = global.script_root.as_deref();
    match command {
        None => Ok(app.serve(start, script_root)?),
        Some(Command::Start(more)) => Ok(app.serve(start.or(more), script_root)?),
        Some(Command::Functions(command)) => {
            functions::run(command, &app.site(script_root)?, &global)
        }
        Some(Command::Keys(command)) => {
            block_on(keys::run(command, &app.site(script_root)?, &global))
        }
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Instances(command)) => {
            block_on(instances::run(command, &app.site(script_root)?, &global))
        }
        Some(Command::Entities(command)) => {
            block_on(entities::run(command, &app.site(script_root)?, &global))
        }
        Some(Command::Hub(command)) => hub::run(command, &app.site(script_root)?, &global),
    }
}

/// For the program under the name by which it was called.
fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(|path| path.file_stem());
    let name = name.map_or_else(|| "app".into(), |name| name.to_string_lossy());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), name, &mut script);
    table::print(&String::from_utf8_lossy(&script))
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

#[cfg(test)]
mod tests;
