//! A command that runs: its signals, its end and what it wrote.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use super::Sockets;
use super::stdio::{AFTER_CLOSE, CLOSE_TIMEOUT, CloseHandshake, Stdin, Stdout};
use crate::{Error, Operation, OperationState, WebSocket};

/// The most that is collected of a command's output.
const MAX_OUTPUT: usize = 64 << 20;

/// How long to wait for the end of a command once one of its streams has broken.
const AFTER_BREAK: Duration = Duration::from_secs(10);

/// A command that runs, from [`Exec::spawn`](super::Exec::spawn). Dropping it kills the command.
#[derive(Debug)]
pub struct Process {
    /// Its standard input, or its terminal's keyboard. While this is open, a command that reads to the end goes on.
    pub stdin: Option<Stdin>,
    /// Its standard output, or what its terminal shows.
    pub stdout: Option<Stdout>,
    /// Its standard error; `None` with a terminal.
    pub stderr: Option<Stdout>,
    operation: Operation,
    kind: Kind,
    control: mpsc::Sender<Value>,
    /// Closes its websockets, once the sender of `control` is dropped.
    closing: Option<JoinHandle<()>>,
}

/// What a [`Process`] is on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command without a terminal.
    Command,
    /// A command on a terminal. Its control socket is closed before its stream, as `write_terminal` says why.
    Terminal,
    /// The console of an instance. Its control socket is closed after its stream: otherwise the server (LXD 5.0)
    /// writes to the stream from two goroutines, and crashes.
    Console,
}

/// The exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitStatus(i32);

/// The output of a command, and its exit status.
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
        let (request_close, requested) = oneshot::channel();
        let (done, closed) = oneshot::channel();
        let (stdin, stdout) = if kind == Kind::Command {
            (sockets.remove("0").map(Stdin::new), sockets.remove("1").map(Stdout::new))
        } else {
            sockets
                .remove("0")
                .map(|socket| Stdin::terminal(socket, kind, CloseHandshake { requested, done }))
                .unzip()
        };
        let stderr = sockets.remove("2").map(Stdout::new);
        let (control, commands) = mpsc::channel(8);
        let closing = sockets.remove("control").map(|socket| {
            tokio::spawn(async move {
                let Some(mut socket) = relay_commands(socket, commands).await else { return };
                // Two steps of the stream's task have a time limit each.
                let closed = tokio::time::timeout(2 * CLOSE_TIMEOUT, closed);
                match kind {
                    Kind::Command => {}
                    Kind::Terminal => {
                        let _ = socket.stream.close(None).await;
                        let _ = request_close.send(());
                        let _ = closed.await;
                        return;
                    }
                    Kind::Console => {
                        let _ = request_close.send(());
                        let _ = closed.await;
                        tokio::time::sleep(AFTER_CLOSE).await;
                    }
                }
                let _ = socket.stream.close(None).await;
            })
        });
        Process { stdin, stdout, stderr, operation, kind, control, closing }
    }

    /// Writes all of its input in the background.
    pub(super) fn feed(&mut self, input: Bytes) {
        let Some(mut stdin) = self.stdin.take() else { return };
        tokio::spawn(async move {
            // A command may end before it has read everything.
            let _ = stdin.write_all(&input).await;
        });
    }

    /// Its operation on the server.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Sends it a signal, by its number on Linux. Cancel safe.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn signal(&self, signal: i32) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.send(json!({"command": "signal", "signal": signal}))
    }

    /// Gives its terminal another size. Cancel safe.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn resize(&self, width: u16, height: u16) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        // Numbers in text: the server reads no others.
        let args = json!({"width": width.to_string(), "height": height.to_string()});
        self.send(json!({"command": "window-resize", "args": args}))
    }

    /// The future borrows nothing: a process is not `Sync`, and a reference to it could not go to another thread.
    fn send(&self, command: Value) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let control = self.control.clone();
        async move {
            control.send(command).await.map_err(|_| Error::Local {
                message: "the command has ended".to_owned(),
                source: std::io::ErrorKind::BrokenPipe.into(),
            })
        }
    }

    /// Ends it, as dropping it does, and waits until its websockets are closed, and a console is free again. A program that
    /// exits right after it has dropped a console may make the server (LXD 5.0) crash; this keeps it from that. Streams that
    /// were taken out must be dropped before. Waits a few seconds at the most.
    pub async fn close(self) {
        let Process { stdin, stdout, stderr, mut operation, kind, control, closing } = self;
        drop((stdin, stdout, stderr, control));
        if let Some(closing) = closing {
            let _ = tokio::time::timeout(3 * CLOSE_TIMEOUT, closing).await;
        }
        if kind == Kind::Console {
            let _ = operation.wait_for(CLOSE_TIMEOUT).await; // which may have failed
        }
    }

    /// Waits for its end. Closes `stdin`, and reads and drops what it still writes to `stdout` and `stderr`, as far as
    /// these were not taken out. Cancel safe.
    ///
    /// # Errors
    /// When the server does not give its exit status.
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

    /// Closes its input, waits for its end, and gives its output, up to 64 MiB for each stream.
    ///
    /// # Errors
    /// When a stream breaks before its end, or holds more.
    pub async fn output(mut self) -> Result<Output, Error> {
        self.stdin = None;
        let Process { operation, stdout, stderr, .. } = &mut self;
        // The operation is followed meanwhile.
        let (stdout, stderr) = tokio::join!(collect(stdout), collect(stderr));
        let broken = |source| Error::Local { message: "what the command wrote was lost".to_owned(), source };
        let ended = if stdout.is_ok() && stderr.is_ok() {
            operation.wait().await
        } else {
            operation.wait_for(AFTER_BREAK).await
        };
        if let Err(Error::Timeout { .. }) = ended {
            // Whatever broke the stream keeps the server's answer away as well, and is the better error.
            return Err(broken(stdout.err().or(stderr.err()).unwrap_or(std::io::ErrorKind::TimedOut.into())));
        }
        let ended = self::ended(ended)?;
        let status = status_of(&ended)?;
        if !ended.is_success() {
            // It was never started: its streams were closed without an end of file.
            let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
            return Ok(Output { status, stdout, stderr });
        }
        Ok(Output { status, stdout: stdout.map_err(broken)?, stderr: stderr.map_err(broken)? })
    }
}

/// The last state of a command's operation. Some servers fail the operation of a command that does not exist, which is an
/// exit status here.
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

/// Reads a stream to its end, and leaves it open: without a control socket, closing it kills the command.
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

/// Sends commands by the control socket, and answers the server's pings on it. Gives the socket back once the
/// [`Process`] is dropped: closing it kills the command.
async fn relay_commands(mut socket: WebSocket, mut commands: mpsc::Receiver<Value>) -> Option<WebSocket> {
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
