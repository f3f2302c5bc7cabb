//! `run`: the service.

use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::args::Args;
use super::start_log;
use crate::config::{Config, Loaded};
use crate::node::Node;
use crate::notify;

pub(super) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Loaded { config, warnings, .. } = Config::load(&args.flags)?;
    start_log(args.verbose, config.log_format, "info");
    for warning in warnings {
        warn!("{warning}");
    }
    let mut signals = Signals::new()?;
    let flags = args.flags.clone();
    let builder = Node::builder(config).reload_with(move || Ok(Config::load(&flags)?.config));
    let node = tokio::select! {
        node = builder.start() => node?,
        () = signals.stop() => return Ok(ExitCode::SUCCESS),
    };
    notify::status("joining the tailnet");
    let outcome = serve(&node, &mut signals).await;
    notify::stopping();
    info!("Closing");
    tokio::select! {
        () = node.stop() => {}
        // A second signal does not wait for the connections.
        () = signals.stop() => warn!("closing at once"),
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Runs until a signal asks to stop, or the node cannot join.
async fn serve(node: &Node, signals: &mut Signals) -> anyhow::Result<()> {
    let mut joined = std::pin::pin!(node.joined());
    let mut is_joined = false;
    loop {
        tokio::select! {
            outcome = &mut joined, if !is_joined => {
                outcome?;
                is_joined = true;
                notify::ready();
            }
            signal = signals.next() => {
                if signal == Action::Stop {
                    return Ok(());
                }
                notify::reloading();
                tokio::select! {
                    outcome = node.reload() => if let Err(error) = outcome {
                        warn!("the configuration was not read again: {error}");
                    },
                    () = signals.stop() => return Ok(()),
                }
                if is_joined {
                    notify::ready();
                }
            }
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Signals> {
        let listen =
            |kind, name: &'static str| signal(kind).with_context(|| format!("cannot listen for {name}"));
        Ok(Signals {
            terminate: listen(SignalKind::terminate(), "SIGTERM")?,
            interrupt: listen(SignalKind::interrupt(), "SIGINT")?,
            hang_up: listen(SignalKind::hangup(), "SIGHUP")?,
        })
    }

    async fn next(&mut self) -> Action {
        tokio::select! {
            _ = self.terminate.recv() => Action::Stop,
            _ = self.interrupt.recv() => Action::Stop,
            _ = self.hang_up.recv() => Action::Reload,
        }
    }

    async fn stop(&mut self) {
        while self.next().await != Action::Stop {}
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Stop,
    Reload,
}
