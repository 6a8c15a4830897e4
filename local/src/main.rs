//! `cargo run -p local`: runs Latchkey on this machine.

mod console;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use local::{Options, Routes, Settings, Stack, reconcile, report};
use local_aws::Failure;
use local_aws::template::{Template, find_root};

/// Runs Latchkey on this machine without an AWS account: the API, the AWS services behind it, and an inbox.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The address of the API.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000", value_parser = loopback)]
    api: SocketAddr,
    /// The address of the AWS services.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566", value_parser = loopback)]
    aws: SocketAddr,
    /// The address of the inbox.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8025", value_parser = loopback)]
    inbox: SocketAddr,
    /// The address of the sign-in page.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = loopback)]
    page: SocketAddr,
    /// Keeps tables and keys in this folder instead of in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Starts only the AWS services, the inbox and the page. Run the functions with `cargo lambda watch`.
    #[arg(long)]
    services_only: bool,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the steps of one request from its log lines, e.g. `aws logs tail GROUP --since 1h | local explain ID`.
    Explain {
        /// The `X-Request-Id` of the answer.
        id: String,
        /// A file with the log. Without it the log is read from standard input.
        file: Option<PathBuf>,
    },
    /// Prints the settings of a profile in words, with warnings. Starts nothing.
    Config {
        /// Prints the environment variables as JSON instead.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Exports the tables of users and of what happened, in the layout of DynamoDB's exports to S3. Prints the folders.
    Export {
        /// The folder with the tables of a stack that is not running.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The folder for the exports.
        to: PathBuf,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Compares exports of UserTable and RecordTable. Prints an event for `record` for each part of the missing counts, and one for
    /// `erase` for each user who left.
    Reconcile {
        /// The folders of both exports, each with its manifest-summary.json.
        #[arg(num_args = 2, value_name = "EXPORT")]
        exports: Vec<PathBuf>,
        /// Invokes the functions of a stack that is not running, on the tables in this folder.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Prints the report of a running stack: sign-ups by day, method and source, active users, codes, and the cost of a sign-in.
    Report {
        /// The address of the stack's inbox.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8025", value_parser = loopback)]
        inbox: SocketAddr,
        /// Prints JSON instead.
        #[arg(long)]
        json: bool,
    },
    /// Prints the route tables for openapi.yaml and template.yaml. Starts nothing.
    Routes,
}

/// The settings to use.
#[derive(Args)]
struct Chosen {
    /// Sets an environment variable of the functions. Repeat it for more than one.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// The profile in samconfig.toml.
    #[arg(long, value_name = "NAME", default_value = "default")]
    profile: String,
}

/// In bytes. Unoptimised, the future of a whole request is deeper than the usual two megabytes.
const STACK: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime.block_on(obey(arguments)),
        Err(error) => {
            eprintln!("the runtime does not start: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn obey(arguments: Arguments) -> ExitCode {
    let ended = match arguments.command {
        Some(Command::Config { json, chosen }) => print_settings(json, chosen),
        Some(Command::Explain { id, file }) => explain(&id, file.as_deref()),
        Some(Command::Export { data, to, chosen }) => export(data, &to, chosen).await,
        Some(Command::Reconcile { exports, data, chosen }) => rebuild(&exports, data, chosen).await,
        Some(Command::Report { inbox, json }) => print_report(inbox, json).await,
        Some(Command::Routes) => print_routes(),
        None => run(arguments).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn print_settings(json: bool, chosen: Chosen) -> Result<(), Failure> {
    let settings = Settings::read(&Options { profile: chosen.profile, env: chosen.env, ..Options::default() })?;
    print(&if json { settings.json() } else { settings.words() })
}

fn print_routes() -> Result<(), Failure> {
    let routes = Routes::read(&Template::read(&find_root()?, "default")?)?;
    print(&format!(
        "In shared/src/http/routes.rs:\n\n{}\nIn Cargo.toml, [workspace.metadata.lambda.watch.router]:\n\n{}",
        routes.table(),
        routes.watch_router()
    ))
}

fn explain(id: &str, file: Option<&Path>) -> Result<(), Failure> {
    let log = match file {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))
        }
        None => std::io::read_to_string(std::io::stdin()).map_err(Failure::new),
    };
    print(&local::explain(&log?, id)?)
}

async fn print_report(inbox: SocketAddr, is_json: bool) -> Result<(), Failure> {
    let report = report::ask(inbox).await?;
    let json = || serde_json::to_string_pretty(&report).map(|text| text + "\n").map_err(Failure::new);
    print(&if is_json { json()? } else { report::text(&report) })
}

/// A stack without servers, on the tables in a folder.
async fn on_tables(data: PathBuf, chosen: Chosen) -> Result<Stack, Failure> {
    let Chosen { env, profile } = chosen;
    Stack::start(Options { env, profile, data: Some(data), in_process: true, ..Options::default() }).await
}

async fn export(data: PathBuf, to: &Path, chosen: Chosen) -> Result<(), Failure> {
    let stack = on_tables(data, chosen).await?;
    for name in ["USER_TABLE", "RECORD_TABLE"] {
        let table = stack.environment("Record").into_iter().find(|(variable, _)| variable == name);
        let (_, table) = table.ok_or_else(|| Failure::new(format!("no function has {name}")))?;
        let folder = stack.services().export(&table, to).map_err(Failure::new)?;
        print(&format!("{}\n", folder.display()))?;
    }
    stack.stop().await;
    Ok(())
}

async fn rebuild(exports: &[PathBuf], data: Option<PathBuf>, chosen: Chosen) -> Result<(), Failure> {
    let [one, other] = exports else { return Err(Failure::new("expected the folders of two exports")) };
    let plan = reconcile([one, other])?;
    let events =
        || plan.counts.iter().map(|event| ("Record", event)).chain(plan.erasures.iter().map(|event| ("Erase", event)));
    let Some(data) = data else {
        return events().try_for_each(|(function, event)| print(&format!("{function} {event}\n")));
    };
    let stack = on_tables(data, chosen).await?;
    for (function, event) in events() {
        let answer = stack.invoke(function, event).await?;
        print(&format!("{function} {answer}\n"))?;
    }
    stack.stop().await;
    Ok(())
}

/// `print!` would panic when the reader of a pipe, such as a pager, closes it early.
fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::new)
}

/// Lambda waits up to a minute for a batch. Here a person is looking.
const DELIVER_EVERY: Duration = Duration::from_secs(1);

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let is_kept = arguments.data.is_some();
    let stack = Stack::start(Options {
        profile: arguments.chosen.profile,
        env: arguments.chosen.env,
        data: arguments.data,
        api: Some(arguments.api),
        aws: arguments.aws,
        inbox: Some(arguments.inbox),
        page: Some(arguments.page),
        services_only: arguments.services_only,
        deliver_every: Some(DELIVER_EVERY),
        on_line: Arc::new(|line| eprintln!("{}", console::readable(line))),
        ..Options::default()
    })
    .await?;
    println!("{}", console::welcome(stack.addresses(), is_kept));
    asked_to_end().await?;
    stack.stop().await;
    Ok(())
}

/// Waits for Ctrl-C, or for the SIGTERM of a supervisor.
async fn asked_to_end() -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).map_err(Failure::new)?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::new),
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(Failure::new)
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.replacen("localhost:", "127.0.0.1:", 1);
    let address: SocketAddr = address.parse().map_err(|_| "expected an address such as 127.0.0.1:3000".to_owned())?;
    let reason =
        "only loopback addresses are allowed, because anybody with access to a stack can read its mail and keys";
    if address.ip().is_loopback() { Ok(address) } else { Err(reason.to_owned()) }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_for_this_machine_only() {
        assert_eq!(loopback("localhost:0").unwrap(), loopback("127.0.0.1:0").unwrap());
        assert!(loopback("[::1]:3000").is_ok());
        assert!(loopback("0.0.0.0:3000").unwrap_err().starts_with("only loopback"));
        assert!(loopback("3000").is_err());
    }

    #[test]
    fn without_a_command_the_stack_starts() {
        assert!(Arguments::try_parse_from(["local", "--profile", "testing"]).unwrap().command.is_none());
        let told = Arguments::try_parse_from(["local", "config", "--profile", "testing", "--json"]).unwrap();
        assert!(matches!(told.command, Some(Command::Config { json: true, chosen }) if chosen.profile == "testing"));
        assert!(Arguments::try_parse_from(["local", "--profile", "testing", "config"]).is_err());
    }

    #[test]
    fn a_variable_may_be_empty_or_hold_an_equals_sign() {
        assert_eq!(variable("A=b=c").unwrap(), ("A".to_owned(), "b=c".to_owned()));
        assert_eq!(variable("A=").unwrap(), ("A".to_owned(), String::new()));
        assert!(variable("=b").is_err() && variable("A").is_err());
    }
}
