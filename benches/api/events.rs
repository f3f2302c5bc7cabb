//! From a change at a server to its event at many clients.

use std::process::Command;
use std::time::{Duration, Instant};

use lxd_client::{Client, Event, EventKind};

use crate::callers::Connection;
use crate::limit::{self, Limit};
use crate::report::{Report, Times, ms};
use crate::row;
use crate::steady::{STREAMS, happen};
use crate::streams::{Changes, EACH, Streams};
use crate::world::{CLOUDS, INSTANCES, World};

/// How often a real server's instance is changed in each way.
const OF_REAL: usize = 20;

/// The pause between two changes: each is the first one after a while.
const PAUSE: Duration = Duration::from_millis(400);

/// After this time a node knows the addresses of what it was asked for once. They are a change of each row.
const LOOKED_AT: Duration = Duration::from_secs(10);

/// How long the median may be, in milliseconds, beside the round trip.
const WANTED: f64 = 50.0;

pub(crate) async fn measure(world: &World, count: usize, report: &mut Report) {
    let callers = &world.callers[..STREAMS / EACH];
    let round_trip = round_trip(world).await;
    report.title(&format!("From a change to the event at each of {STREAMS} streams"));
    let mut table = vec![row!["ms", "p50", "p99", "lost"]];
    table.push(row!["a round trip: 200 bytes by axum alone", ms(round_trip.p50()), ms(round_trip.p99()), ""]);
    let mut told = |what: &str, changes: &Changes, streams: &Streams| {
        let lost = (changes.count() * STREAMS).saturating_sub(streams.arrived());
        let times = streams.take();
        table.push(row![what, ms(times.p50()), ms(times.p99()), lost]);
        let over = times.p50() - round_trip.p50();
        report.goal(
            &format!("{what}: p50 of the event beside the round trip, ms"),
            "50",
            ms(over),
            over < WANTED && lost == 0,
        );
    };

    let mut node = world.near("events", CLOUDS);
    node.filled(CLOUDS, CLOUDS * INSTANCES).await;
    tokio::time::sleep(LOOKED_AT).await;
    let changes = Changes::default();
    let streams = Streams::open(callers, "events", STREAMS, &changes).await;
    for number in 0..count {
        happen(&world.fleets, &changes, number % CLOUDS, INSTANCES - 1 - number / CLOUDS);
        tokio::time::sleep(PAUSE).await;
    }
    told("status of an instance", &changes, &streams);
    streams.close().await;

    if let Some(real) = &world.real {
        let mut node = world.real("events-real", 1);
        node.filled(1, 1).await;
        let client = Client::unix(&real.folder.join("unix.socket"), Duration::from_secs(60)).unwrap();
        for (what, action) in [
            ("status of an instance of a real LXD", "paused"),
            ("description of one of a real LXD", "updated"),
        ] {
            let changes = Changes::default();
            let streams = Streams::open(callers, "events-real", STREAMS, &changes).await;
            let mut heard = client.all_events(&[EventKind::Lifecycle]).await.unwrap();
            tokio::time::sleep(PAUSE).await;
            for number in 0..OF_REAL {
                let freezes = number % 2 == 0;
                let text = format!("number {number}");
                let (says, arguments) = match (action, freezes) {
                    ("updated", _) => (&*text, vec!["query", "-X", "PATCH", "/1.0/instances/c1", "-d"]),
                    (_, true) => ("Frozen", vec!["pause", "c1"]),
                    (_, false) => ("Running", vec!["start", "c1"]),
                };
                let body = format!("{{\"description\": \"{text}\"}}");
                let number = changes.happens(("real0".to_owned(), "c1".to_owned(), says.to_owned()));
                let mut lxc = Command::new("lxc");
                lxc.args(&arguments)
                    .args((action == "updated").then_some(&body))
                    .env("LXD_DIR", &real.folder);
                let running = tokio::task::spawn_blocking(move || lxc.output().unwrap());
                // It has happened when a client at the server's own socket hears of it.
                changes.happened(number, hears(&mut heard).await);
                let output = running.await.unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                tokio::time::sleep(2 * PAUSE).await;
            }
            told(what, &changes, &streams);
            streams.close().await;
        }
    }
    report.table(&table);
}

/// How long a caller waits for the smallest answer.
pub(crate) async fn round_trip(world: &World) -> Times {
    let _limit = Limit::start(world).await;
    let mut connection = Connection::open(&world.way(limit::NAME)).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..200 {
        times.push(connection.good("/", false).await.time);
    }
    Times::of(times)
}

/// When the next change of the instance is told.
async fn hears(events: &mut lxd_client::Events) -> Instant {
    loop {
        if let Event::Lifecycle(event) = events.next().await.unwrap()
            && ["instance-paused", "instance-resumed", "instance-updated", "instance-started"]
                .contains(&&*event.action)
        {
            return Instant::now();
        }
    }
}
