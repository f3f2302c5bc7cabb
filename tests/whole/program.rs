//! Runs programs and looks at what they print.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// No program takes that long unless it hangs.
pub(crate) const HANG: Duration = Duration::from_secs(90);

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// An example, which cargo builds for `cargo test`.
pub(crate) fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is missing: cargo build --example {name}", path.display());
    path
}

pub(crate) fn lxd_ping() -> PathBuf {
    example("lxd_ping")
}

/// A command with nothing in its environment but what every program needs.
pub(crate) fn command(program: impl Into<PathBuf>, home: &std::path::Path) -> Command {
    let mut command = Command::new(program.into());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("TS_NO_LOGS_NO_SUPPORT", "true")
        .current_dir(home) // no .env there
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Waits for the program's end; kills it and fails the test when that does not come.
pub(crate) fn run(command: &mut Command) -> Printed {
    finish(command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}")))
}

/// As [`run`], for a program that runs already.
pub(crate) fn finish(child: std::process::Child) -> Printed {
    finish_within(child, HANG)
}

/// The same with a deadline of its own, for what does several things.
pub(crate) fn finish_within(child: std::process::Child, deadline: Duration) -> Printed {
    let pid = child.id().to_string();
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        if ended.recv_timeout(deadline) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-9", &pid]).status();
        }
    });
    let start = Instant::now();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    drop(done);
    killer.join().unwrap();
    let printed = Printed {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    };
    assert!(start.elapsed() < deadline, "it hung\n{}\n{}", printed.stdout, printed.stderr);
    printed
}

impl Printed {
    /// The events of `--json`.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The names of the events, in order.
    pub(crate) fn event_names(&self) -> Vec<String> {
        self.events().iter().map(|e| e["event"].as_str().unwrap().to_owned()).collect()
    }
}
