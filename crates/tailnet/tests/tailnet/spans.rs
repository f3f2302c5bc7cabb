//! The spans that a subscriber of the program's own sees.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::common::{ECHO, builder, done, sandbox, soon};

/// Keeps each span of the crate as one line.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = span.metadata();
        if metadata.target() == "tailnet" {
            let mut line = Line(format!("{} {}", metadata.level(), metadata.name()));
            span.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

#[tokio::test]
async fn a_join_and_a_dial_are_spans_with_a_name_and_no_key() {
    let sandbox = sandbox().await;
    // Another test may be the first to use these spans just now, and so have them switched off after the subscriber came.
    let first = soon(builder(&sandbox).up()).await.unwrap();
    soon(first.connect(("tools", ECHO))).await.unwrap();
    soon(first.close()).await.unwrap();
    let spans = Spans::default();
    let guard = tracing_subscriber::registry().with(spans.clone()).set_default();
    let node = soon(builder(&sandbox).up()).await.unwrap();
    soon(node.up()).await.unwrap();
    soon(node.connect(("tools", ECHO))).await.unwrap();
    drop(guard);
    let up = r#"INFO up hostname="node""#;
    assert_eq!(*spans.0.lock().unwrap(), [up, up, "DEBUG connect peer=tools:7"]);
    done(sandbox, node).await;
}
