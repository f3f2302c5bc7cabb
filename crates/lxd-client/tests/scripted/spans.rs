//! The spans of `tracing`: what they name, and that they hold no secret.

use std::fmt::{Debug, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::server::{sync, unix};

/// Records each span of the crate as text.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Recorder {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if span.metadata().target().starts_with("lxd_client") {
            let mut text = Text(span.metadata().name().to_owned());
            span.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

/// The test below runs in a process of its own. Beside others, a thread without a subscriber can be the first to use a span,
/// and switch it off for good after the subscriber came.
#[test]
fn requests_and_commands_have_spans_without_their_secrets() {
    let program = std::env::current_exe().unwrap();
    let ran = Command::new(program).args(["--exact", "--ignored", "spans::alone"]).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && told.contains(" 1 passed"),
        "{told}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn alone() {
    let (_folder, client) = unix(|_| sync(Value::Null)).await;
    let spans = Recorder::default();
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));

    let server = client.server().await;
    assert!(server.is_err(), "null is no server");
    let asked =
        client.get("/1.0/images/i1?secret=hush").query("secret", "hush").header("x-lxd-secret", "hush");
    asked.json(&json!({"password": "hush"})).fetch::<Value>().await.unwrap();
    client.get(["operations", "1", "websocket"]).query("secret", "hush").websocket().await.unwrap_err();
    let command = client.instance("c1").exec(["mysql", "-phush"]).env("TOKEN", "hush").stdin("hush");
    command.output().await.unwrap_err();

    let spans = spans.0.lock().unwrap();
    assert!(spans.iter().all(|span| !span.contains("hush")), "{spans:?}");
    for ending in [
        "method=GET path=\"/1.0/images/i1\"",
        "method=GET path=\"/1.0/operations/1/websocket\"",
        "method=POST path=\"/1.0/instances/c1/exec\"",
    ] {
        let named = |span: &String| span.starts_with("request server=\"/") && span.ends_with(ending);
        assert!(spans.iter().any(named), "{ending}: {spans:?}");
    }
    assert!(spans.contains(&"exec instance=\"c1\"".to_owned()), "{spans:?}");
}
