//! Pings an LXD or Incus server through a tailnet, from inside this process.
//!
//! ```text
//! cargo run --example lxd_ping
//! ```
//!
//! With no auth key in the environment or `.env` it starts a sandbox tailnet on loopback and pings the LXD of this
//! machine through it, or a stand-in where there is none. With one it joins your own tailnet and pings
//! `--lxd HOST[:PORT]` there. Exit codes: see `lxd_ping/failure.rs` or `--help`.

#[path = "lxd_ping/args.rs"]
mod args;
#[path = "lxd_ping/failure.rs"]
mod failure;
#[path = "lxd_ping/local_lxd.rs"]
mod local_lxd;
#[path = "lxd_ping/output.rs"]
mod output;
#[path = "lxd_ping/ping.rs"]
mod ping;
#[path = "lxd_ping/target.rs"]
mod target;

use std::io::IsTerminal;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use kolaboree_node::{Environment, KeySource};
use tailnet::{Tailnet, TailnetBuilder};
use tracing_subscriber::EnvFilter;

use args::Args;
use failure::{Failure, Interrupted};
use output::Output;
use target::Target;

/// How often a join that takes longer says what it waits for.
const PROGRESS: Duration = Duration::from_secs(2);

/// How long an interrupted run may take to clean up.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    start_log(args.verbose);
    let output = Output::new(args.json);
    let run = std::pin::pin!(run(&args, &output));
    match until_interrupted(run).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = Failure::of(&error);
            output.failure(&failure);
            if args.verbose {
                output.progress(&format!("{error:?}"));
            }
            ExitCode::from(failure.exit_code)
        }
    }
}

/// Ctrl-C ends the joining and the pinging, which then clean up. What else is under way gets a moment for it.
async fn until_interrupted(
    mut run: Pin<&mut impl Future<Output = anyhow::Result<()>>>,
) -> anyhow::Result<()> {
    tokio::select! {
        outcome = &mut run => outcome,
        _ = tokio::signal::ctrl_c() => match tokio::time::timeout(GRACE, run).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Interrupted.into()),
        },
    }
}

async fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let environment = Environment::load(".env".as_ref())?;
    let key = KeySource::from_environment(&environment)?.read()?;
    let token = args.trust_token(&environment)?;

    // Without a key there is only the sandbox; with one there is only the user's own tailnet.
    let target = match key {
        None if args.control_url.is_none() => Target::in_sandbox(args, output).await?,
        key => Target::in_own_tailnet(args, key)?,
    };
    let tailnet = join(args, target.node.clone(), &target.control, output).await?;
    let pinged = ping::ping(args, &target, &tailnet, token.as_ref(), output).await;
    let closed = tailnet.close().await;
    target.stop().await;
    pinged?;
    closed.context("leaving the tailnet")
}

/// Joins, and shows what the node is waiting for.
async fn join(args: &Args, node: TailnetBuilder, control: &str, output: &Output) -> anyhow::Result<Tailnet> {
    let start = Instant::now();
    output.progress(&format!("joining the tailnet ({control})"));
    let tailnet = node
        .accept_routes(args.accept_routes)
        .join_timeout(args.timeout())
        .connect_timeout(args.timeout())
        .start()
        .await?;
    let mut watch = tailnet.watch();
    let show_progress = async {
        // A join takes a moment as a rule; what takes longer is explained, again and again.
        loop {
            tokio::time::sleep(PROGRESS).await;
            if let Ok(state) = watch.newest().await {
                output.waiting(&state, start.elapsed());
            }
        }
    };
    let joined = tokio::select! {
        joined = tailnet.up() => joined,
        () = show_progress => unreachable!("it goes on for ever"),
        _ = tokio::signal::ctrl_c() => {
            let _ = tailnet.close().await;
            return Err(Interrupted.into());
        }
    };
    match joined {
        Ok(status) => {
            output.joined(&status, control, start.elapsed());
            Ok(tailnet)
        }
        Err(error) => {
            let _ = tailnet.close().await;
            Err(error.into())
        }
    }
}

/// `RUST_LOG` decides, where it is set.
fn start_log(verbose: bool) {
    let default = if verbose { "info,tailscale=debug" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
}
