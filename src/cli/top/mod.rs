//! `top`: what the instances of all clouds use, live.

mod keys;
mod screen;
mod source;
mod table;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior};

use self::keys::{Ask, Keys};
use self::screen::Screen;
use self::source::Source;
use self::table::{By, Instances};
use super::output::{Out, Table, report};
use crate::clock::now;
use crate::config::{Config, Flags};
use crate::inventory::InstanceKey;

/// What `top` is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Top {
    /// Of which clouds. Default: all.
    #[arg(value_name = "CLOUD")]
    clouds: Vec<String>,
    /// By what it is sorted at first.
    #[arg(long, value_enum, default_value_t = By::Cpu)]
    sort: By,
    /// Show those instances only whose CLOUD:NAME has this in it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Print the table once, as where the output is no terminal.
    #[arg(long)]
    once: bool,
}

/// How often the screen is drawn at most while things change.
const FRAME: Duration = Duration::from_millis(250);

/// How long a table that is printed once waits for what the instances use.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(options: &Top, config: Config, flags: &Flags, out: &Out) -> anyhow::Result<ExitCode> {
    let mut clouds = Vec::new();
    for name in &options.clouds {
        clouds.push(super::lxd::named(&config, name)?.name.clone());
    }
    let mut instances = Instances::new(options.sort, &options.filter);
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if options.once || !terminal {
        once(&config, &clouds, &mut instances, out).await?;
    } else {
        watch(&config, &clouds, &mut instances, flags).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the table once, when it is known what the instances use.
async fn once(
    config: &Config,
    clouds: &[String],
    instances: &mut Instances,
    out: &Out,
) -> anyhow::Result<()> {
    let begun = now();
    let mut source = Source::connect(config, clouds).await?;
    let filled = async {
        while !instances.is_filled(begun) {
            instances.apply(source.next().await);
        }
    };
    let _ = tokio::time::timeout(PATIENCE, filled).await; // what is known then is shown
    source.close().await;
    for line in instances.troubles() {
        report(&line);
    }
    let mut table = Table::new(&table::HEADS);
    let lines = instances.lines();
    for line in &lines {
        table.row(line.cells());
    }
    let rows: Vec<_> = lines.iter().map(|line| &line.row).collect();
    Ok(out.list(&rows, &table, "no instances")?)
}

/// Draws the table until somebody quits. A shell in an instance has the terminal meanwhile.
async fn watch(
    config: &Config,
    clouds: &[String],
    instances: &mut Instances,
    flags: &Flags,
) -> anyhow::Result<()> {
    loop {
        let mut source = Source::connect(config, clouds).await?;
        let ask = draw(&mut source, instances).await;
        // Without a node that runs, the shell needs a node of its own, with the same state folder.
        source.close().await;
        match ask? {
            Some(key) => {
                shell(flags, &key).await;
                keys::discard_typed()?;
            }
            None => return Ok(()),
        }
    }
}

/// Draws the table until somebody quits, or asks for a shell in an instance.
async fn draw(source: &mut Source, instances: &mut Instances) -> anyhow::Result<Option<InstanceKey>> {
    let mut screen = Screen::begin()?;
    let mut keys = Keys::new();
    let mut frames = tokio::time::interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut changed, mut drawn) = (true, Instant::now());
    let mut terminated = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = terminated.recv() => return Ok(None), // the terminal is set back
            ask = keys.next(instances) => match ask? {
                Ask::Draw => screen.draw(instances, &keys)?,
                Ask::Quit => return Ok(None),
                Ask::Shell(key) => return Ok(Some(key)),
            },
            news = source.next() => {
                instances.apply(news);
                changed = true;
            }
            _ = frames.tick() => {
                // Once a second also without a change: some lines tell how long something has been.
                if changed || drawn.elapsed() > Duration::from_secs(1) {
                    screen.draw(instances, &keys)?;
                    (changed, drawn) = (false, Instant::now());
                }
            }
        }
    }
}

/// Opens a shell in an instance: the terminal is its own until it ends.
async fn shell(flags: &Flags, key: &InstanceKey) {
    let place = format!("{}:{}", key.cloud, key.name);
    let outcome = async {
        let mut program = tokio::process::Command::new(std::env::current_exe()?);
        program.args(flags.arguments()).args(["lxd", "--project", &key.project, "shell", &place]);
        program.status().await
    };
    match outcome.await {
        Ok(status) if status.success() => return,
        Ok(status) => eprintln!("the shell in {place} ended with {status}; press Enter"),
        Err(error) => eprintln!("cannot open a shell in {place}: {error}; press Enter"),
    }
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
}
