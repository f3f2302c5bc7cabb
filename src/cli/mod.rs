//! The command line: a file for each command.

mod args;
mod config;
mod doctor;
#[allow(dead_code)]
mod edit;
mod exit;
mod lxd;
mod node;
mod output;
mod proxy;
mod run;
mod tables;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Loaded, LogFormat};
use args::{Args, Command};
pub use output::shown;
use output::{Format, Out};

/// Runs the command that the process's arguments name, and gives the code to exit with.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(dispatch(&args));
    // Dropping the runtime would wait for a pending read of the standard input.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let mut failure = exit::Failure::of(&error);
            if args.verbose {
                failure.message = exit::with_causes(&error);
            }
            output::report(&failure);
            failure.code.into()
        }
    }
}

/// The commands as clap knows them, for the man page and the completions.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

async fn dispatch(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(command) = &args.command else { return run::run(args).await };
    match command {
        Command::Run => return run::run(args).await,
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Args::command(), "kolaboree-node", &mut io::stdout());
            return Ok(ExitCode::SUCCESS);
        }
        Command::Man { to } => {
            match to {
                Some(folder) => clap_mangen::generate_to(Args::command(), folder)?,
                None => clap_mangen::Man::new(Args::command()).render(&mut io::stdout())?,
            }
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    start_log(args.verbose, LogFormat::Text, "warn");
    let out = Out::new(format(args)?);
    match command {
        Command::Config(command) => return config::run(command, args, &out),
        Command::Doctor(options) => return doctor::run(options, args, &out).await,
        _ => {}
    }
    let Loaded { config, .. } = Config::load(&args.flags)?;
    match command {
        Command::Lxd(command) => lxd::run(command, config, &out).await,
        Command::Proxy(options) => proxy::run(options, config).await,
        command => node::run(command, config, &out).await,
    }
}

/// The flag's format, or the environment's.
fn format(args: &Args) -> anyhow::Result<Format> {
    const NAME: &str = "KOLABOREE_OUTPUT";
    let given = std::env::var(NAME).ok().filter(|text| !text.is_empty());
    match (args.output, given) {
        (Some(format), _) => Ok(format),
        (None, Some(text)) => clap::ValueEnum::from_str(&text, true)
            .map_err(|_| exit::usage(format!("{NAME}: {text:?} is none of table, json and yaml"))),
        (None, None) => Ok(Format::Table),
    }
}

/// Starts the log at standard error. `RUST_LOG` overrides the levels.
fn start_log(verbose: bool, format: LogFormat, level: &str) {
    let default = if verbose {
        "info,kolaboree_node=debug,tailscale=debug".to_owned()
    } else {
        // The node logs in its own words what Tailscale warns of, and `status` shows it.
        format!("{level},tailscale=error")
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A program that embeds this may have a subscriber already, which stays.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text => log.with_ansi(colours(&io::stderr())).try_init(),
    };
}

/// Colours are for terminals, and not for users who set NO_COLOR (no-color.org).
fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
