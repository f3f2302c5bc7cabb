use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

use super::Sockets;
use super::stdio::{FAREWELL, Leave, NOTED, Stdin, Stdout};
use crate::{Error, Operation, OperationState, WebSocket};

/// No more than this is kept of what a command writes.
const MAX_OUTPUT: usize = 64 << 20;

/// How long the end of a command is still waited for once one of its streams has broken.
const AFTER_BREAK: Duration = Duration::from_secs(10);

/// A command that runs, from [`Exec::spawn`](super::Exec::spawn). Dropping it kills the command.
#[derive(Debug)]
pub struct Process {
    /// What it reads. While this is open, a command that reads to the end goes on.
    pub stdin: Option<Stdin>,
    /// What it writes to its standard output, or to its terminal.
    pub stdout: Option<Stdout>,
    /// What it writes to its standard error; none with a terminal.
    pub stderr: Option<Stdout>,
    operation: Operation,
    control: mpsc::Sender<Value>,
}

/// What the streams of a [`Process`] belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command without a terminal.
    Command,
    /// A command on a terminal.
    Terminal,
    /// The console of an instance. The server (LXD 5.0) writes to a console's stream from two sides, and
    /// dies of that, when its control socket is closed before the stream has taken leave.
    Console,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitStatus(i32);

/// What a command wrote, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: Bytes,
    /// What it wrote to its standard error.
    pub stderr: Bytes,
}

impl ExitStatus {
    /// The number: 127 when there is no such command, 128 and the signal's number when one killed it.
    #[must_use]
    pub fn code(self) -> i32 {
        self.0
    }

    /// Whether it is 0.
    #[must_use]
    pub fn success(self) -> bool {
        self.0 == 0
    }
}

impl Process {
    pub(crate) fn new(operation: Operation, mut sockets: Sockets, kind: Kind) -> Process {
        let (leave_asked, asked) = oneshot::channel();
        let (taken, leave_taken) = oneshot::channel();
        let (stdin, stdout) = if kind == Kind::Command {
            (sockets.remove("0").map(Stdin::new), sockets.remove("1").map(Stdout::new))
        } else {
            sockets.remove("0").map(|socket| Stdin::terminal(socket, Leave { asked, taken })).unzip()
        };
        let stderr = sockets.remove("2").map(Stdout::new);
        let (control, commands) = mpsc::channel(8);
        if let Some(socket) = sockets.remove("control") {
            tokio::spawn(async move {
                let Some(mut socket) = steer(socket, commands).await else { return };
                let _ = leave_asked.send(());
                if kind == Kind::Console {
                    let _ = tokio::time::timeout(FAREWELL, leave_taken).await;
                    tokio::time::sleep(NOTED).await;
                }
                let _ = socket.stream.close(None).await;
            });
        }
        Process { stdin, stdout, stderr, operation, control }
    }

    /// Gives it all that it reads, beside whatever else is done with it.
    pub(super) fn feed(&mut self, input: Bytes) {
        let Some(mut stdin) = self.stdin.take() else { return };
        tokio::spawn(async move {
            // A command may end before it has read everything.
            let _ = stdin.write_all(&input).await;
        });
    }

    /// The operation that it is on the server.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Sends it a signal, by its number on Linux. Cancel safe.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn signal(&self, signal: i32) -> Result<(), Error> {
        self.steer(json!({"command": "signal", "signal": signal})).await
    }

    /// Gives its terminal another size. Cancel safe.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn resize(&self, width: u16, height: u16) -> Result<(), Error> {
        // Numbers in text: the server reads no others.
        let args = json!({"width": width.to_string(), "height": height.to_string()});
        self.steer(json!({"command": "window-resize", "args": args})).await
    }

    async fn steer(&self, command: Value) -> Result<(), Error> {
        self.control.send(command).await.map_err(|_| Error::Local {
            what: "the command has ended".to_owned(),
            source: std::io::ErrorKind::BrokenPipe.into(),
        })
    }

    /// Waits for its end. It gets an end of file on its input, and what it still writes is read and
    /// dropped, as far as `stdin`, `stdout` and `stderr` were not taken out. Cancel safe.
    ///
    /// # Errors
    /// When the server does not tell how it ended.
    pub async fn wait(&mut self) -> Result<ExitStatus, Error> {
        self.stdin = None;
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        let drained = async {
            tokio::join!(drain(stdout), drain(stderr));
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = self.operation.wait() => ended,
            () = drained => return Err(Error::OperationLost { id: String::new() }),
        };
        status_of(&self::ended(ended)?)
    }

    /// Waits for its end, with no more input, and gives what it wrote: up to 64 MiB for each stream.
    ///
    /// # Errors
    /// When a stream breaks before its end, or holds more.
    pub async fn output(mut self) -> Result<Output, Error> {
        self.stdin = None;
        let Process { operation, stdout, stderr, .. } = &mut self;
        // The operation is followed meanwhile.
        let (stdout, stderr) = tokio::join!(collect(stdout), collect(stderr));
        let broken = |source| Error::Local { what: "what the command wrote was lost".to_owned(), source };
        let ended = if stdout.is_ok() && stderr.is_ok() {
            operation.wait().await
        } else {
            operation.wait_for(AFTER_BREAK).await
        };
        if let Err(Error::Timeout { .. }) = ended {
            // What broke the stream keeps the server's answer away too, and says more.
            return Err(broken(stdout.err().or(stderr.err()).unwrap_or(std::io::ErrorKind::TimedOut.into())));
        }
        let ended = self::ended(ended)?;
        let status = status_of(&ended)?;
        if !ended.is_success() {
            // It did not even begin: its streams were closed without an end.
            let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
            return Ok(Output { status, stdout, stderr });
        }
        Ok(Output { status, stdout: stdout.map_err(broken)?, stderr: stderr.map_err(broken)? })
    }
}

/// How a command's operation ended, also where the server calls a command that it did not find a failure.
pub(super) fn ended(outcome: Result<OperationState, Error>) -> Result<OperationState, Error> {
    match outcome {
        Err(Error::Operation { state: Some(state), .. }) if state.metadata.contains_key("return") => {
            Ok(*state)
        }
        other => other,
    }
}

pub(super) fn status_of(ended: &OperationState) -> Result<ExitStatus, Error> {
    let code = ended.metadata.get("return").and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    code.map(ExitStatus).ok_or_else(|| Error::Operation {
        id: ended.id.clone(),
        message: "the server does not tell how the command ended".to_owned(),
        state: Some(Box::new(ended.clone())),
    })
}

async fn drain(stream: &mut Option<Stdout>) {
    if let Some(stream) = stream {
        while let Some(Ok(_)) = stream.next().await {}
    }
}

/// Reads a stream to its end and leaves it open: without a control socket, the command dies of its closing.
async fn collect(stream: &mut Option<Stdout>) -> std::io::Result<Bytes> {
    let Some(stream) = stream else { return Ok(Bytes::new()) };
    let mut all = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if all.len() + chunk.len() > MAX_OUTPUT {
            return Err(std::io::Error::other("more than 64 MiB: read it as a stream"));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

/// Carries commands to the control socket, and reads it for the server's pings. Gives it back when there are
/// no more: closing it kills the command.
async fn steer(mut socket: WebSocket, mut commands: mpsc::Receiver<Value>) -> Option<WebSocket> {
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(command) = command else { return Some(socket) };
                socket.stream.send(Message::text(command.to_string())).await.ok()?;
            }
            message = socket.stream.next() => {
                message?.ok()?;
            }
        }
    }
}
