//! The command line: a file for each command.

mod args;
mod command;
mod completion;
mod config;
mod doctor;
mod edit;
mod examples;
mod exit;
mod help;
mod lxd;
mod node;
mod output;
mod proxy;
mod run;
mod tables;
mod top;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::FromArgMatches;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Loaded, LogFormat};
use args::{Args, Command};
pub use command::command;
pub use output::shown;
use output::{Format, Out};

/// Runs the command that the process's arguments name, and gives the code to exit with.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = completion::answer(std::env::args_os()) {
        return code;
    }
    let parsed = command::parse().and_then(|matches| {
        let (lists, format) = command::listing(&matches);
        let mut args = Args::from_arg_matches(&matches)?;
        args.output = args.output.or(format);
        Ok((args, lists))
    });
    let (args, lists) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print(); // help that nobody reads is no error
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(dispatch(&args, lists));
    // Dropping the runtime would wait for a pending read of the standard input.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) if output::is_unread(&error) => ExitCode::SUCCESS,
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

async fn dispatch(args: &Args, lists: bool) -> anyhow::Result<ExitCode> {
    let Some(command) = &args.command else { return run::run(args).await };
    match command {
        Command::Run => return run::run(args).await,
        Command::Completions { shell } => {
            completion::print(*shell)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Man { to } => {
            match to {
                Some(folder) => clap_mangen::generate_to(command::command(), folder)?,
                None => {
                    let mut page = Vec::new();
                    clap_mangen::Man::new(command::command()).render(&mut page)?;
                    output::write(&String::from_utf8_lossy(&page))?;
                }
            }
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    start_log(args.verbose, LogFormat::Text, "warn");
    let out = Out::new(format(args, lists)?);
    match command {
        Command::Config(command) => return config::run(command, args, &out),
        Command::Doctor(options) => return doctor::run(options, args, &out).await,
        _ => {}
    }
    let Loaded { config, .. } = Config::load(&args.flags)?;
    match command {
        Command::Lxd(command) => lxd::run(command, config, &out).await,
        Command::Top(options) => top::run(options, config, &args.flags, &out).await,
        Command::Proxy(options) => proxy::run(options, config).await,
        command => node::run(command, config, &out).await,
    }
}

/// The flag's format, or the environment's. Only lists are printed as csv.
fn format(args: &Args, lists: bool) -> anyhow::Result<Format> {
    const NAME: &str = "KOLABOREE_OUTPUT";
    let given = std::env::var(NAME).ok().filter(|text| !text.is_empty());
    match (args.output, given) {
        (Some(Format::Csv), _) if !lists => Err(exit::usage("only lists are printed as csv")),
        (Some(format), _) => Ok(format),
        (None, Some(text)) => match clap::ValueEnum::from_str(&text, true) {
            Ok(Format::Csv) if !lists => Ok(Format::Table),
            Ok(format) => Ok(format),
            Err(_) => Err(exit::usage(format!("{NAME}: {text:?} is none of table, csv, json and yaml"))),
        },
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
