//! What is shown: lines for people, or one JSON object a line. Progress and errors for people go to standard error.

use std::io::Write;
use std::time::Duration;

use kolaboree_node::cli::shown;
use lxd_client::{Auth, Instance, Server};
use serde::Serialize;
use tailnet::{Address, BackendState, Path, State, Status};

use crate::failure::Failure;
use crate::target::Known;

/// Where and how to write.
pub(crate) struct Output {
    json: bool,
}

/// A line of JSON; the fields come in this order.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    Joined { ip: String, hostname: &'a str, control: &'a str, seconds: f64 },
    Reply(ReplyEvent<'a>),
    Lost { seq: u64, message: String },
    Instances { instances: Vec<InstanceEvent<'a>> },
    Summary { sent: u64, received: usize, min_ms: Option<f64>, median_ms: Option<f64>, max_ms: Option<f64> },
    Error { kind: &'a str, message: &'a str, hint: &'a str },
}

#[derive(Serialize)]
struct ReplyEvent<'a> {
    seq: u64,
    ms: f64,
    path: Option<&'a str>,
    server: Option<&'a str>,
    server_version: Option<&'a str>,
    auth: &'a str,
    standin: bool,
}

#[derive(Serialize)]
struct InstanceEvent<'a> {
    name: &'a str,
    status: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// One reply.
pub(crate) struct Reply<'a> {
    pub(crate) seq: u64,
    pub(crate) took: Duration,
    pub(crate) path: Option<Path>,
    pub(crate) server: &'a Server,
    /// What is known otherwise of a server that does not say what it is.
    pub(crate) known: Option<&'a Known>,
    pub(crate) target: &'a Address,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Writes a line of the result. That nobody reads it any more is no error.
    fn line(&self, text: &str, event: &Event<'_>) {
        let mut out = std::io::stdout().lock();
        let _ = match serde_json::to_string(event) {
            Ok(json) if self.json => writeln!(out, "{json}"),
            _ => writeln!(out, "{}", shown(text)),
        };
    }

    pub(crate) fn progress(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}", shown(text));
    }

    /// What the node waits for.
    pub(crate) fn waiting(&self, state: &State, waited: Duration) {
        let doing = match state.backend {
            BackendState::NeedsMachineAuth => "waiting for an administrator's approval",
            BackendState::Starting => "let in, fetching the map of the tailnet",
            _ => "waiting for the control server to let this node in",
        };
        let health = state.health.join(" ");
        self.progress(&format!("  {:.0} s: {doing}. {health}", waited.as_secs_f64()));
    }

    pub(crate) fn joined(&self, status: &Status, control: &str, took: Duration) {
        let ip = status.ips.first().map(ToString::to_string).unwrap_or_default();
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        let hostname = &status.this.host_name;
        self.line(
            &format!("joined {control} as {hostname} with {ip} in {seconds:.2} s"),
            &Event::Joined { ip: ip.clone(), hostname, control, seconds },
        );
    }

    pub(crate) fn reply(&self, reply: &Reply<'_>) {
        let Reply { seq, took, path, server, known, target } = reply;
        let (name, version) = match (&server.environment, known) {
            (Some(e), _) => (Some(e.server.as_str()), Some(e.server_version.as_str())),
            (None, Some(known)) => (Some(known.name.as_str()), Some(known.version.as_str())),
            (None, None) => (None, None),
        };
        let standin = known.is_some_and(|known| known.standin);
        let auth = if server.auth == Auth::Trusted { "trusted" } else { "untrusted" };
        let (path, shown_path) = match path {
            Some(Path::Direct(addr)) => (Some("direct"), format!("direct ({addr})")),
            Some(Path::Relayed { region }) => (Some("relayed"), format!("relayed ({region})")),
            _ => (None, "unknown".to_owned()),
        };
        let what = match (name, version) {
            (Some(name), Some(_)) if standin => format!("STAND-IN for {name}"),
            (Some(name), Some(version)) => format!("{name} {version}"),
            _ => "version hidden until trusted".to_owned(),
        };
        let (seq, ms) = (*seq, milliseconds(*took));
        self.line(
            &format!("reply from {target}: seq={seq} time={ms} ms path={shown_path} {what} auth={auth}"),
            &Event::Reply(ReplyEvent { seq, ms, path, server: name, server_version: version, auth, standin }),
        );
    }

    pub(crate) fn lost(&self, seq: u64, error: &lxd_client::Error) {
        let message = error.to_string();
        self.line(&format!("no reply: seq={seq} {message}"), &Event::Lost { seq, message });
    }

    pub(crate) fn instances(&self, instances: &[Instance]) {
        let list: Vec<_> = instances
            .iter()
            .map(|i| InstanceEvent { name: &i.name, status: &i.status, kind: &i.kind })
            .collect();
        let mut text = format!("instances: {}", list.len());
        for i in &list {
            text.push_str(&format!("\n  {:<24} {:<10} {}", i.name, i.status, i.kind));
        }
        self.line(&text, &Event::Instances { instances: list });
    }

    pub(crate) fn summary(&self, server: &Address, sent: u64, times: &[Duration]) {
        let mut times = times.to_vec();
        times.sort();
        let middle = |index: usize| times.get(index).copied();
        let median = middle(times.len() / 2)
            .zip(middle(times.len().saturating_sub(1) / 2))
            .map(|(a, b)| milliseconds((a + b) / 2));
        let (min, max) = (times.first().copied().map(milliseconds), times.last().copied().map(milliseconds));
        let received = times.len();
        let or_none = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
        self.line(
            &format!(
                "--- {server}: {sent} sent, {received} received; min/median/max {}/{}/{} ms",
                or_none(min),
                or_none(median),
                or_none(max)
            ),
            &Event::Summary { sent, received, min_ms: min, median_ms: median, max_ms: max },
        );
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        let Failure { kind, message, hint, .. } = failure;
        if self.json {
            self.line("", &Event::Error { kind, message, hint });
        } else {
            self.progress(&format!("error: {message}\n  hint: {hint}"));
        }
    }
}

/// To a hundredth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}
