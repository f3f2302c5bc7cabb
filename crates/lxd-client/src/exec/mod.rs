//! Commands in an instance: `/1.0/instances/{name}/exec`.

mod process;
mod stdio;

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use serde::Serialize;
use serde_json::Value;
use tracing::{Instrument, Span};

use crate::instances::InstanceHandle;
use crate::redacted;
use crate::transport::Ready;
use crate::{Client, Error, Operation, WebSocket};

pub(crate) use process::Kind;
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
    input: Option<Input>,
}

/// The input of a command, which may be a secret.
#[derive(Clone)]
struct Input(Bytes);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[derive(Clone, Default, Serialize)]
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

redacted::debug!(Body { interactive, wait_for_websocket, record_output, cwd, user, group, width, height } hides { command, environment });

/// The output of a command that the server has recorded, from [`Exec::record`].
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
    /// A command to run in the instance: a program and its arguments, without a shell.
    pub fn exec<S: Into<String>>(&self, command: impl IntoIterator<Item = S>) -> Exec {
        let command = command.into_iter().map(Into::into).collect();
        Exec {
            client: self.client.clone(),
            instance: self.name.clone(),
            body: Body { command, ..Body::default() },
            input: None,
        }
    }
}

impl Exec {
    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Exec {
        self.body.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets its working directory. Default: the user's home.
    pub fn current_dir(mut self, path: &str) -> Exec {
        self.body.cwd = Some(path.to_owned());
        self
    }

    /// Sets the user and group that it runs as. Default: root.
    pub fn user(mut self, uid: u32, gid: u32) -> Exec {
        (self.body.user, self.body.group) = (uid, gid);
        self
    }

    /// Runs it on a terminal of this size, whose keyboard is `stdin` and whose screen is `stdout`. What a command writes
    /// right before it ends may be lost on a busy server (LXD 5.0; stock `lxc exec -t` loses it as well).
    pub fn terminal(mut self, width: u16, height: u16) -> Exec {
        self.body.interactive = true;
        (self.body.width, self.body.height) = (width, height);
        self
    }

    /// Sets its input, bytes or text, after which it reads the end of file. For an input that does not fit into memory,
    /// write to [`Process::stdin`] instead, which is `None` when this is set. A terminal gets the input as if it were
    /// typed, and no end of file.
    ///
    /// ```no_run
    /// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
    /// let sum = client.instance("c1").exec(["sha256sum"]).stdin(b"hello").output().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Exec {
        self.input = Some(Input(input.into().into()));
        self
    }

    /// `POST /1.0/instances/{name}/exec`: runs it, with its streams connected.
    ///
    /// The connections of its streams are made while the request is sent. Dropping the future or the [`Process`] kills
    /// the command.
    ///
    /// # Errors
    /// See [`Error`]. A command that does not exist is no error: its exit status is 127.
    pub async fn spawn(self) -> Result<Process, Error> {
        let fds = if self.body.interactive {
            Fds { first: &["0", "control"], last: &[] }
        } else {
            // The server starts the command when the last of 0, 1 and 2 is connected. A websocket that comes after the
            // end of the command is refused, or keeps the server waiting for ever.
            Fds { first: &["control", "0", "2"], last: &["1"] }
        };
        self.connect(fds).await
    }

    /// Runs it, with the input of [`stdin`](Exec::stdin) or none, and gives its output, up to 64 MiB for each stream.
    /// Dropping the future kills the command.
    ///
    /// # Errors
    /// Those of [`spawn`](Exec::spawn), and when a stream breaks before its end.
    pub async fn output(self) -> Result<Output, Error> {
        self.again_if_not_started(Process::output).await
    }

    /// Runs it, with the input of [`stdin`](Exec::stdin) or none, and gives its exit status. Dropping the future kills the
    /// command.
    ///
    /// # Errors
    /// Those of [`spawn`](Exec::spawn).
    pub async fn status(self) -> Result<ExitStatus, Error> {
        self.again_if_not_started(async |mut process: Process| process.wait().await).await
    }

    /// Runs it to its end, and again when the server says that it was not started.
    async fn again_if_not_started<T>(
        self,
        run: impl AsyncFn(Process) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // The control socket is needed for signals and sizes only. Without it, all streams connect in one round trip,
        // and the server kills the command when the websocket of its output is closed.
        let terminal = self.body.interactive;
        let fds = Fds { first: if terminal { &["0", "control"] } else { &["0", "1", "2"] }, last: &[] };
        for _ in 1..ATTEMPTS {
            match run(self.clone().connect(fds).await?).await {
                Err(error) if never_started(&error) => {}
                other => return other,
            }
        }
        run(self.connect(fds).await?).await
    }

    async fn connect(mut self, fds: Fds) -> Result<Process, Error> {
        self.body.wait_for_websocket = true;
        let (operation, sockets) =
            attach(&self.client, || self.request(), fds).instrument(self.span()).await?;
        let kind = if self.body.interactive { Kind::Terminal } else { Kind::Command };
        let mut process = Process::new(operation, sockets, kind);
        if let Some(Input(input)) = self.input {
            process.feed(input);
        }
        Ok(process)
    }

    /// Runs it without websockets: the server records its output, which is fetched afterwards and deleted there. Dropping
    /// the future does not kill the command.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Config`] when it is given an input.
    pub async fn record(mut self) -> Result<Recorded, Error> {
        if self.input.is_some() {
            let message = "a recorded command has no input: use `output`".to_owned();
            return Err(Error::config(message));
        }
        self.body.record_output = true;
        let mut operation = self.request().operation().instrument(self.span()).await?;
        let ended = process::ended(operation.wait().await)?;
        let output = ended.metadata.get("output");
        let url = |fd: &str| output.and_then(|o| o.get(fd)).and_then(Value::as_str);
        let (stdout, stderr) =
            tokio::try_join!(recorded(&self.client, url("1")), recorded(&self.client, url("2")))?;
        Ok(Recorded { status: process::status_of(&ended)?, stdout, stderr })
    }

    /// The command and its environment are not in it: they may hold secrets.
    fn span(&self) -> Span {
        tracing::debug_span!("exec", instance = self.instance)
    }

    fn request(&self) -> crate::Request {
        self.client.post(["instances", &self.instance, "exec"]).json(&self.body)
    }
}

/// Fetches a log by the URL that the server gave, and deletes it.
async fn recorded(client: &Client, url: Option<&str>) -> Result<Bytes, Error> {
    // A command that does not exist has no log.
    let Some(url) = url else { return Ok(Bytes::new()) };
    let log = client.get(url).bytes().await?;
    client.delete(url).done().await?;
    Ok(log)
}

/// The names of an operation's websockets, in the order in which they are connected.
#[derive(Clone, Copy)]
pub(crate) struct Fds {
    pub(crate) first: &'static [&'static str],
    /// Connected after the first.
    pub(crate) last: &'static [&'static str],
}

/// The websockets of an operation, by name.
pub(crate) type Sockets = HashMap<&'static str, WebSocket>;

/// How often a command is tried whose websockets did not reach the server in time.
const ATTEMPTS: u32 = 4;

/// Starts an operation with websockets, and connects them. Starts another when the server gave up before all of them
/// were connected: nothing has happened by then.
pub(crate) async fn attach(
    client: &Client,
    request: impl Fn() -> crate::Request,
    fds: Fds,
) -> Result<(Operation, Sockets), Error> {
    let connections = || join_all((0..fds.count()).map(|_| client.ready_ahead()));
    // The server waits five seconds for all of them, so that too many operations at once would time out. Those that wait
    // for their turn make their connections meanwhile.
    let _queued = client.queue().await;
    let start = async {
        let turn = client.turn().await;
        (turn, request().operation().await)
    };
    let ((_turn, mut started), mut ready) = tokio::join!(start, connections());
    let mut attempt = 1;
    loop {
        let mut operation = match started {
            Ok(operation) => operation,
            Err(error) => {
                ready.into_iter().flatten().flatten().for_each(|ready| client.put_back(ready));
                return Err(error);
            }
        };
        let error = match connect(client, &operation, fds, ready).await {
            Ok(sockets) => return Ok((operation, sockets)),
            Err(error @ Error::Api { .. }) => error,
            Err(error) => return Err(error),
        };
        // The server refuses a websocket of an operation that has ended.
        match operation.wait_for(client.timeout()).await {
            Err(ended) if never_started(&ended) && attempt < ATTEMPTS => attempt += 1,
            Err(ended @ Error::Operation { .. }) => return Err(ended),
            _ => return Err(error),
        }
        // Before the operation: making connections may take as long as the server waits.
        ready = connections().await;
        started = request().operation().await;
    }
}

async fn connect(
    client: &Client,
    operation: &Operation,
    fds: Fds,
    connections: Vec<Result<Option<Ready>, Error>>,
) -> Result<Sockets, Error> {
    let secrets = operation.begun_as().metadata.get("fds");
    let mut connections = connections.into_iter();
    let mut sockets = Sockets::new();
    for wave in [fds.first, fds.last] {
        let connecting = wave.iter().zip(&mut connections).map(async |(&fd, ready)| {
            let secret = secrets.and_then(|s| s.get(fd)).and_then(Value::as_str);
            let secret = secret.ok_or_else(|| client.protocol(format!("no websocket for {fd}")))?;
            let request = client.get(["operations", operation.id(), "websocket"]).unscoped();
            Ok::<_, Error>((fd, request.query("secret", secret).websocket_on(ready?).await?))
        });
        sockets.extend(try_join_all(connecting).await?);
    }
    Ok(sockets)
}

/// Whether an operation ended because its websockets were not connected in time. It has done nothing then.
fn never_started(error: &Error) -> bool {
    matches!(error, Error::Operation { message, .. } if message.contains("waiting for websockets to connect"))
}

impl Fds {
    fn count(self) -> usize {
        self.first.len() + self.last.len()
    }
}
