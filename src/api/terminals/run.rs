//! A session's own task: starts its command or console, moves its bytes, and watches whether its caller still may.

use std::sync::Arc;
use std::time::Duration;

use lxd_client::{Error as CloudError, ExitStatus, InstanceHandle, Process, Stdin, Stdout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::protocol::{Asked, Stream};
use super::session::{End, Inlets, Kind, Session};
use super::wanted::Wanted;
use crate::access::Caller;
use crate::access::audit::{Outcome, Pending};
use crate::api::cloud::client;
use crate::api::problem::{Code, Problem};
use crate::api::recheck::Recheck;
use crate::api::state::Api;
use crate::config::Verb;

/// How long a command gets to end once one of its streams has broken.
const AFTER_BREAK: Duration = Duration::from_secs(10);

/// How long a signal or a size may take to the cloud.
const ORDER: Duration = Duration::from_secs(5);

/// How long one waits for a console whose session has to go.
const TAKING: Duration = Duration::from_secs(15);

/// How long one waits for the start of what is to end.
const STARTING: Duration = Duration::from_secs(10);

/// How long the input of a command waits that may not be there: its terminal would show what is typed, and it would look as if
/// it had run.
const UNSURE: Duration = Duration::from_secs(3);

/// How the console begins that the server could not attach to: its helper writes there why, and the operation ends as that of
/// any console.
const NOT_ATTACHED: &[u8] = b"Error: Failed running forkconsole:";

/// How an Incus refuses the console that another client has.
const HAS_CLIENT: &str = "console is already connected";

/// How many bytes are read at once.
const CHUNK: usize = 32 << 10;

/// What a session is made of.
pub(super) struct Begin {
    pub(super) api: Api,
    pub(super) wanted: Wanted,
    pub(super) inlets: Inlets,
    pub(super) pending: Pending,
    pub(super) recheck: Recheck,
    /// Whose console this one takes.
    pub(super) before: Option<Arc<Session>>,
}

/// Runs a session to its end, and keeps that for who comes back.
pub(super) async fn run(session: Arc<Session>, begin: Begin) {
    let Begin { api, wanted, inlets, mut pending, mut recheck, before } = begin;
    if let Some(before) = before {
        let _ = timeout(TAKING, before.gone.cancelled()).await; // the cloud says what is wrong then
    }
    let mut running = Running::default();
    let end = tokio::select! {
        end = work(&session, &api, &wanted, inlets, &mut running, &mut pending) => end,
        end = watch(&session, &api, &mut recheck) => end,
    };
    session.end(end.clone());
    // Before it is closed: a node that stops may have no time for that, where the cloud does not answer.
    pending.end(outcome(&end)).await;
    running.close().await;
    session.gone.cancel();
    let stopping = api.node.stopping();
    let _ = stopping.run_until_cancelled(session.over()).await;
    api.terminals.forget(&session);
}

/// What a session is on the cloud.
#[derive(Default)]
struct Running {
    /// It is being started. That is not given up halfway: the console that comes next would find this one in its place.
    starting: Option<JoinHandle<Result<Process, CloudError>>>,
    process: Option<Process>,
}

impl Running {
    /// Starts a process, and waits for it.
    async fn start(
        &mut self,
        starting: impl Future<Output = Result<Process, CloudError>> + Send + 'static,
    ) -> Result<&mut Process, Problem> {
        let started = self.starting.insert(tokio::spawn(starting)).await;
        self.starting = None;
        let started = started.map_err(|ended| Problem::new(Code::Failed, ended.to_string()))?;
        Ok(self.process.insert(started?))
    }

    async fn close(self) {
        let Running { starting, mut process } = self;
        if let Some(starting) = starting
            && let Ok(Ok(Ok(started))) = timeout(STARTING, starting).await
        {
            process = Some(started);
        }
        if let Some(process) = process {
            process.close().await;
        }
    }
}

/// How the audit tells an end.
fn outcome(end: &End) -> Outcome {
    match end {
        End::Exited(Some(code)) => Outcome::Exited(*code),
        End::Exited(None) => Outcome::Done,
        End::Failed(problem) => Outcome::Failed(problem.detail().to_owned()),
        End::Left => Outcome::Cancelled,
        End::Taken(_) => Outcome::Failed("somebody else took the console".to_owned()),
        End::Stopping => Outcome::Failed("the node stopped".to_owned()),
    }
}

/// Waits until the session has to end, whatever its command does.
async fn watch(session: &Session, api: &Api, recheck: &mut Recheck) -> End {
    let stopping = api.node.stopping();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return End::Stopping,
            end = session.over() => return end,
            () = recheck.due() => {}
        }
        recheck.by(session.connection());
        match recheck.caller().await {
            Ok(Some(caller)) if !may(session, &caller) => return End::Failed(no_longer(session)),
            Ok(_) => {}
            Err(problem) => return End::Failed(problem),
        }
    }
}

/// Whether it is still who began it, and still may.
fn may(session: &Session, caller: &Caller) -> bool {
    let key = &session.key;
    session.is_of(caller) && caller.rights.allows(Verb::Exec, &key.cloud, &key.project)
}

fn no_longer(session: &Session) -> Problem {
    let (caller, key) = (&*session.caller, &session.key);
    let told = format!("{caller} may no longer exec in the project {} of {}", key.project, key.cloud);
    Problem::new(Code::Forbidden, told)
}

/// Runs the command or the console to its end. Of several commands the first that the instance has.
async fn work(
    session: &Session,
    api: &Api,
    wanted: &Wanted,
    mut inlets: Inlets,
    running: &mut Running,
    pending: &mut Pending,
) -> End {
    let key = &session.key;
    let instance = match client(api, &key.cloud, &key.project) {
        Ok(client) => client.instance(&key.name),
        Err(problem) => return End::Failed(problem),
    };
    let mut commands = wanted.commands(api.terminals.shell_of(key)).into_iter().peekable();
    while let Some((number, command)) = commands.next() {
        let process = match running.start(spawn(&instance, session.kind, wanted, command)).await {
            Ok(process) => process,
            Err(problem) => {
                let is_taken = session.kind == Kind::Console && problem.detail().contains(HAS_CLIENT);
                let problem = if is_taken { not_attached(&key.name) } else { problem };
                return End::Failed(problem.of_cloud(&key.cloud));
            }
        };
        pending.operation(process.operation().id());
        let is_last = commands.peek().is_none();
        let patience = if is_last { Duration::ZERO } else { UNSURE };
        let end = join(session, process, &mut inlets, patience).await;
        let is_missing = matches!(end, End::Exited(Some(126 | 127))) && session.has_shown_nothing();
        if is_missing && !is_last {
            continue;
        }
        if let (Some(number), false) = (number, is_missing) {
            api.terminals.note_shell(key, number);
        }
        return match end {
            End::Failed(problem) => End::Failed(problem.of_cloud(&key.cloud)),
            End::Exited(_) if session.kind == Kind::Console && session.has_only_shown(NOT_ATTACHED) => {
                End::Failed(not_attached(&key.name).of_cloud(&key.cloud))
            }
            end => end,
        };
    }
    End::Failed(Problem::invalid("there is no command"))
}

fn spawn(
    instance: &InstanceHandle,
    kind: Kind,
    wanted: &Wanted,
    command: Vec<String>,
) -> impl Future<Output = Result<Process, CloudError>> + Send + 'static {
    let (instance, width, height) = (instance.clone(), wanted.width, wanted.height);
    let exec = wanted.apply(instance.exec(command));
    async move {
        match kind {
            Kind::Exec => exec.spawn().await,
            Kind::Console => instance.console(width, height).await,
        }
    }
}

/// A console that the server did not get.
fn not_attached(name: &str) -> Problem {
    let told = format!(
        "the server could not attach to the console of {name}: another client has it, or it has none"
    );
    Problem::new(Code::Conflict, told)
        .remedy("leave it where it is open, such as in `lxc console` or at another node")
}

/// Joins a process with the session until it ends. Its input waits until it has shown something, or for so long.
async fn join(session: &Session, process: &mut Process, inlets: &mut Inlets, patience: Duration) -> End {
    let Inlets { input, orders } = inlets;
    let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    let (mut stdout, mut stderr) = (Output::new(stdout), Output::new(stderr));
    let mut feeding = std::pin::pin!(feed(stdin, input));
    let (mut is_fed, patient) = (false, Instant::now() + patience);
    loop {
        let (room, both_ended) = (session.has_room(), stdout.has_ended() && stderr.has_ended());
        let is_there = Instant::now() >= patient || !session.has_shown_nothing();
        tokio::select! {
            read = stdout.read(), if room && !stdout.has_ended() => match read {
                Ok(bytes) => session.show(Stream::Out, bytes),
                Err(lost) => return after_break(session.kind, process, &lost).await,
            },
            read = stderr.read(), if room && !stderr.has_ended() => match read {
                Ok(bytes) => session.show(Stream::Err, bytes),
                Err(lost) => return after_break(session.kind, process, &lost).await,
            },
            () = session.room(), if !room => {}
            () = &mut feeding, if !is_fed && is_there => is_fed = true,
            () = sleep_until(patient), if !is_there => {}
            Some(asked) = orders.recv() => {
                obey(process, asked).await;
            }
            status = process.wait(), if both_ended => return ended(session.kind, status),
        }
    }
}

/// A stream of the process, until it ends.
struct Output {
    stream: Option<Stdout>,
    buffer: Box<[u8]>,
}

impl Output {
    fn new(stream: Option<Stdout>) -> Output {
        Output { buffer: vec![0; if stream.is_some() { CHUNK } else { 0 }].into(), stream }
    }

    fn has_ended(&self) -> bool {
        self.stream.is_none()
    }

    /// Reads some bytes; none at its end. Cancel safe.
    async fn read(&mut self) -> std::io::Result<&[u8]> {
        let Some(stream) = &mut self.stream else { return Ok(&[]) };
        let length = stream.read(&mut self.buffer).await?;
        if length == 0 {
            self.stream = None;
        }
        Ok(&self.buffer[..length])
    }
}

/// Feeds the process until the input ends, or it reads no more.
async fn feed(stdin: Option<Stdin>, input: &mut mpsc::Receiver<axum::body::Bytes>) {
    let Some(mut stdin) = stdin else { return };
    let mut reads = true;
    // What comes for a process that reads no more is for nobody.
    while let Some(bytes) = input.recv().await {
        reads = reads && stdin.write_all(&bytes).await.is_ok();
    }
}

async fn obey(process: &mut Process, asked: Asked) {
    // It may have ended just now.
    let _ = match asked {
        Asked::Resize { width, height } => timeout(ORDER, process.resize(width, height)).await,
        Asked::Signal(number) => timeout(ORDER, process.signal(number)).await,
        Asked::Eof(_) => return,
    };
}

fn ended(kind: Kind, status: Result<ExitStatus, CloudError>) -> End {
    match (kind, status) {
        (_, Ok(status)) => End::Exited(Some(status.code())),
        // A console has no code.
        (Kind::Console, Err(CloudError::Operation { .. })) => End::Exited(None),
        (_, Err(error)) => End::Failed(error.into()),
    }
}

/// How a process ended, one of whose streams has broken. That is an error unless the cloud says that it failed.
async fn after_break(kind: Kind, process: &mut Process, lost: &std::io::Error) -> End {
    match timeout(AFTER_BREAK, process.wait()).await.map(|status| ended(kind, status)) {
        Ok(end @ End::Exited(code)) if code != Some(0) => end,
        // Either it ended well, and what it wrote is not all here, or the way to the cloud is lost.
        _ => End::Failed(Problem::new(Code::Unreachable, format!("the way to the cloud was lost: {lost}"))),
    }
}
