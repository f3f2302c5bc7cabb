//! `lxd console`: joins this terminal with an instance's console, or shows what it has shown.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{Process, Stdin};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use super::streams::{drain, was_lost};
use super::terminal::{Raw, Signals, size};
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{report, write_part};
use crate::config::CloudConfig;

#[derive(Debug, clap::Args)]
pub(crate) struct Console {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    /// Show what the console has shown lately, and do not attach.
    #[arg(long)]
    pub(crate) show_log: bool,
    /// The kind of console.
    #[arg(short = 't', long = "type", value_enum, default_value = "console")]
    pub(crate) kind: Kind,
}

/// The kind of a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The text console.
    Console,
    /// The screen of a virtual machine, which this command cannot show: it says how stock `lxc` shows it.
    Vga,
}

/// The option of verbs that start an instance.
#[derive(Debug, clap::Args)]
pub(crate) struct Attached {
    /// Join this terminal with its console then. Ctrl-a q leaves it.
    #[arg(long, value_enum, value_name = "TYPE", num_args = 0..=1, require_equals = true, default_missing_value = "console")]
    console: Option<Kind>,
}

impl Attached {
    /// Whether the option fits so many instances.
    pub(in crate::cli::lxd) fn check(&self, instances: usize) -> anyhow::Result<()> {
        match self.console {
            Some(_) if instances != 1 => Err(usage("--console only works with a single instance")),
            Some(Kind::Vga) => Err(usage(
                "this command shows no screens: leave --console=vga out; `lxd console --type vga` says what shows it",
            )),
            _ => Ok(()),
        }
    }

    /// Joins the console of the instance, where that is wanted. The exit code is that of what went before otherwise.
    pub(in crate::cli::lxd) async fn follow(
        &self,
        fleet: &Fleet,
        instance: &str,
        before: ExitCode,
    ) -> anyhow::Result<ExitCode> {
        let Some(kind) = self.console else { return Ok(before) };
        console(fleet, &Console { instance: instance.to_owned(), show_log: false, kind }).await
    }
}

pub(super) async fn console(fleet: &Fleet, options: &Console) -> anyhow::Result<ExitCode> {
    let (cloud, name) = fleet.target(&options.instance)?;
    if options.kind == Kind::Vga {
        return Err(usage(instead_of_vga(cloud, name)));
    }
    let instance = fleet.client(cloud).await?.instance(name);
    let about = || options.instance.clone();
    if options.show_log {
        write_part(&instance.console_log().await.with_context(about)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut signals = Signals::new()?;
    let (width, height) = size();
    let process = tokio::select! {
        attached = instance.console(width, height) => attached.with_context(about)?,
        number = signals.next() => return Ok(ended_by(number)),
    };
    report(&"To detach from the console, press: <ctrl>+a q");
    let raw = if std::io::stdin().is_terminal() { Some(Raw::begin()?) } else { None };
    let ended = attach(process, &mut signals).await;
    drop(raw);
    if std::io::stdout().is_terminal() {
        println!(); // the console leaves the cursor anywhere
    }
    ended.with_context(about)
}

/// What to do to see a virtual machine's screen.
fn instead_of_vga(cloud: &CloudConfig, name: &str) -> String {
    let folder = cloud.proxy_unix.as_deref().and_then(|socket| socket.parent());
    let how = match folder {
        Some(folder) => format!("run `LXD_DIR={} lxc console --type=vga {name}`", folder.display()),
        None => format!(
            "give the cloud {} a local socket (`proxy: {{unix: FOLDER/unix.socket}}`), and run `LXD_DIR=FOLDER lxc console --type=vga {name}`",
            cloud.name
        ),
    };
    format!("a screen needs a viewer, which stock lxc starts, through the running node: {how}")
}

/// Joins the streams until the console ends or is left, and detaches in order.
async fn attach(mut process: Process, signals: &mut Signals) -> anyhow::Result<ExitCode> {
    let mut resized = signal(SignalKind::window_change())?;
    let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
    let mut typing = tokio::spawn(type_in(stdin));
    let ended = {
        let mut output = std::pin::pin!(drain(stdout, tokio::io::stdout()));
        let mut input_is_open = true;
        loop {
            tokio::select! {
                ended = &mut output => match ended {
                    Ok(()) => break Ok(ExitCode::SUCCESS),
                    Err(lost) => break Err(was_lost("the console", &lost)),
                },
                left = &mut typing, if input_is_open => match left {
                    Ok(Input::Detached) => break Ok(ExitCode::SUCCESS),
                    _ => input_is_open = false, // it is only watched then
                },
                _ = resized.recv() => {
                    let (width, height) = size();
                    let _ = process.resize(width, height).await; // it may have ended just now
                }
                number = signals.next() => break Ok(ended_by(number)),
            }
        }
    };
    typing.abort();
    process.close().await;
    ended
}

/// The exit code of what a signal ended, as shells have it.
fn ended_by(signal: i32) -> ExitCode {
    u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// How the input of a console ended.
enum Input {
    Detached,
    Closed,
}

async fn type_in(stdin: Option<Stdin>) -> Input {
    let Some(mut stdin) = stdin else { return Input::Closed };
    let (mut keyboard, mut keys, mut escape) = (tokio::io::stdin(), [0; 4096], Escape::default());
    while let Ok(n @ 1..) = keyboard.read(&mut keys).await {
        let (typed, detach) = escape.filter(&keys[..n]);
        if stdin.write_all(&typed).await.is_err() {
            break;
        }
        if detach {
            return Input::Detached;
        }
    }
    Input::Closed
}

/// Finds Ctrl-a q among what is typed. Ctrl-a twice is one Ctrl-a for the console; before any other key it is dropped,
/// as `lxc console` has it.
#[derive(Default)]
struct Escape {
    begun: bool,
}

impl Escape {
    const CTRL_A: u8 = 1;

    /// What goes to the console, and whether it is left.
    fn filter(&mut self, keys: &[u8]) -> (Vec<u8>, bool) {
        let mut typed = Vec::with_capacity(keys.len());
        for &key in keys {
            match (self.begun, key) {
                (false, Self::CTRL_A) => self.begun = true,
                (true, b'q') => return (typed, true),
                _ => {
                    self.begun = false;
                    typed.push(key);
                }
            }
        }
        (typed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_a_q_leaves_a_console_and_ctrl_a_twice_is_one() {
        for (pieces, typed, left) in [
            (&["ls\r"][..], "ls\r", false),
            (&["a\x01q"], "a", true),
            (&["\x01", "q", "x"], "", true),
            (&["\x01\x01q"], "\x01q", false),
            (&["\x01bq"], "bq", false),
            (&["q\x01"], "q", false),
        ] {
            let (mut escape, mut all) = (Escape::default(), Vec::new());
            let detached = pieces.iter().any(|piece| {
                let (typed, detach) = escape.filter(piece.as_bytes());
                all.extend(typed);
                detach
            });
            assert_eq!((String::from_utf8(all).unwrap().as_str(), detached), (typed, left), "{pieces:?}");
        }
    }
}
