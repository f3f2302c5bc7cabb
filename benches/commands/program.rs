//! The program that is measured: as a command, and by the control socket of its node.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The program with the configuration NAME.yaml of a folder, and a key for it to join by.
pub(crate) fn command(program: &Path, folder: &Path, name: &str, key: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(["--config", &format!("{name}.yaml")])
        .env("TAILSCALE_AUTH_KEY", key)
        .env("TS_NO_LOGS_NO_SUPPORT", "true")
        .env("TS_DISABLE_PORTMAPPER", "true");
    command
}

/// What a node answers whose state is in that folder; nothing before it serves its socket.
pub(crate) fn ask(state: &Path, path: &str) -> Value {
    let ask = || {
        let mut node = UnixStream::connect(state.join("control.sock"))?;
        write!(node, "GET {path} HTTP/1.0\r\nHost: kolaboree-node\r\n\r\n")?;
        let mut answer = String::new();
        node.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    let answer = ask().unwrap_or_default();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}
