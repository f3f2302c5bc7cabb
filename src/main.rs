//! Kolaboree NG's tailnet node: joins a tailnet and keeps watch over the LXD servers in it.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use kolaboree_node::{Config, Environment, Service, VERSION};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Joins a tailnet inside this process and keeps watch over the LXD servers in it.
#[derive(Parser)]
#[command(version = VERSION)]
struct Args {
    /// The configuration.
    #[arg(long, default_value = "kolaboree.yaml", value_name = "FILE")]
    config: PathBuf,
    /// Variables that the environment has not, such as TAILSCALE_AUTH_KEY.
    #[arg(long, default_value = ".env", value_name = "FILE")]
    env_file: PathBuf,
    /// Show what is behind an error, and Tailscale's own log.
    #[arg(short, long)]
    verbose: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    start_log(args.verbose);
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if args.verbose => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let environment = Environment::load(&args.env_file)?;
    let config = Config::load(&args.config)?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::pin!(stop);
    let service = tokio::select! {
        joined = Service::join(&config, &environment) => joined?,
        () = &mut stop => return Ok(()),
    };
    service.watch_until(stop).await;
    service.close().await;
    Ok(())
}

/// `RUST_LOG` decides, where it is set.
fn start_log(verbose: bool) {
    let default = if verbose { "info,tailscale=debug" } else { "info,tailscale=warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
}
