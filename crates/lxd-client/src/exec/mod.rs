//! Commands in an instance: `/1.0/instances/{name}/exec` (LXD.md section 2, "Exec").

mod process;
mod stdio;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::instances::InstanceHandle;
use crate::{Client, Error, Operation, WebSocket};

pub use process::{ExitStatus, Output, Process};
pub use stdio::{Stdin, Stdout};

/// A command to run in an instance, from [`InstanceHandle::exec`]; like `tokio::process::Command`.
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
/// let output = client.instance("c1").exec(["uname", "-a"]).output().await?;
/// assert!(output.status.success());
/// println!("{}", String::from_utf8_lossy(&output.stdout));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a command is not run until `spawn`, `output`, `status` or `record`"]
pub struct Exec {
    client: Client,
    instance: String,
    body: Body,
}

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Body {
    command: Vec<String>,
    environment: BTreeMap<String, String>,
    interactive: bool,
    wait_for_websocket: bool,
    record_output: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    user: u32,
    group: u32,
    width: u16,
    height: u16,
}

/// What a command wrote that the server kept, from [`Exec::record`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: Bytes,
    /// What it wrote to its standard error.
    pub stderr: Bytes,
}

impl InstanceHandle {
    /// A command to run in the instance; no shell reads it.
    pub fn exec<S: Into<String>>(&self, command: impl IntoIterator<Item = S>) -> Exec {
        let command = command.into_iter().map(Into::into).collect();
        Exec {
            client: self.client.clone(),
            instance: self.name.clone(),
            body: Body { command, ..Body::default() },
        }
    }
}

impl Exec {
    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Exec {
        self.body.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Where it runs; default: the user's home.
    pub fn current_dir(mut self, path: &str) -> Exec {
        self.body.cwd = Some(path.to_owned());
        self
    }

    /// As whom it runs; default: root.
    pub fn user(mut self, uid: u32, gid: u32) -> Exec {
        (self.body.user, self.body.group) = (uid, gid);
        self
    }

    /// On a terminal of this size: what it reads and writes is one stream then, `stdin` and `stdout`.
    pub fn terminal(mut self, width: u16, height: u16) -> Exec {
        self.body.interactive = true;
        (self.body.width, self.body.height) = (width, height);
        self
    }

    /// `POST /1.0/instances/{name}/exec`: runs it, with its streams connected.
    ///
    /// The streams' connections are made while the request is under way. Dropping the future or the
    /// [`Process`] kills the command.
    ///
    /// # Errors
    /// See [`Error`]. That there is no such command is told by the exit status, 127.
    pub async fn spawn(mut self) -> Result<Process, Error> {
        self.body.wait_for_websocket = true;
        let terminal = self.body.interactive;
        let fds: &[&str] = if terminal { &["0", "control"] } else { &["0", "1", "2", "control"] };
        let (operation, sockets) = attach(&self.client, self.request(), fds).await?;
        Ok(Process::new(operation, sockets, terminal))
    }

    /// Runs it with no input, and gives all that it wrote, up to 64 MiB for each stream.
    ///
    /// # Errors
    /// Those of [`spawn`](Exec::spawn), and when a stream breaks before its end.
    pub async fn output(self) -> Result<Output, Error> {
        self.spawn().await?.output().await
    }

    /// Runs it with no input, and gives how it ended.
    ///
    /// # Errors
    /// Those of [`spawn`](Exec::spawn).
    pub async fn status(self) -> Result<ExitStatus, Error> {
        self.spawn().await?.wait().await
    }

    /// Runs it without any stream, and has the server keep what it writes, which is fetched and deleted there
    /// afterwards: no websocket is needed. Dropping the future does not kill it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn record(mut self) -> Result<Recorded, Error> {
        self.body.record_output = true;
        let mut operation = self.request().operation().await?;
        let ended = process::ended(operation.wait().await)?;
        let output = ended.metadata.get("output");
        let url = |fd: &str| output.and_then(|o| o.get(fd)).and_then(Value::as_str);
        let (stdout, stderr) =
            tokio::try_join!(recorded(&self.client, url("1")), recorded(&self.client, url("2")))?;
        Ok(Recorded { status: process::status_of(&ended)?, stdout, stderr })
    }

    fn request(&self) -> crate::Request {
        self.client.post(["instances", &self.instance, "exec"]).json(&self.body)
    }
}

/// Fetches a log by the URL that the server gave, and deletes it.
async fn recorded(client: &Client, url: Option<&str>) -> Result<Bytes, Error> {
    // What the command was not there to write has no log.
    let Some(url) = url else { return Ok(Bytes::new()) };
    let log = client.get(url).bytes().await?;
    client.delete(url).done().await?;
    Ok(log)
}

/// Begins an operation that talks by websockets, and connects them.
pub(crate) async fn attach(
    client: &Client,
    request: crate::Request,
    fds: &[&str],
) -> Result<(Operation, Vec<WebSocket>), Error> {
    // The server gives five seconds for all of them: many at once would take each other's.
    let _turn = client.turn().await;
    let connections = futures_util::future::join_all(fds.iter().map(|_| client.ready()));
    let (operation, connections) = tokio::join!(request.operation(), connections);
    let operation = match operation {
        Ok(operation) => operation,
        Err(error) => {
            connections.into_iter().flatten().for_each(|ready| client.http1().put_back(ready));
            return Err(error);
        }
    };
    let secrets = operation.begun_as().metadata.get("fds");
    let mut connecting = Vec::new();
    for (fd, ready) in fds.iter().zip(connections) {
        let secret = secrets.and_then(|s| s.get(fd)).and_then(Value::as_str);
        let secret = secret.ok_or_else(|| client.protocol(format!("no websocket for {fd}")))?;
        let request = client.get(["operations", operation.id(), "websocket"]).unscoped();
        connecting.push(request.query("secret", secret).websocket_on(Some(ready?)));
    }
    let sockets = futures_util::future::try_join_all(connecting).await?;
    Ok((operation, sockets))
}
