//! Lists at a steady rate beside open streams of events and changes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tailnet_sandbox::Fleet;
use tokio::time::Instant;

use crate::callers::connections;
use crate::limit::{self, Limit};
use crate::lists::PATH;
use crate::node::Node;
use crate::rate::{Outcome, Pool};
use crate::report::{Report, Times, ms};
use crate::row;
use crate::streams::{Changes, EACH, Streams};
use crate::world::{CLOUDS, INSTANCES, World};

/// Requests and changes a second, and streams.
const REQUESTS: u32 = 500;
const CHANGES: u32 = 50;
pub(crate) const STREAMS: usize = 200;

/// How many connections each caller has for its requests.
const CONNECTIONS: usize = 4;

/// How long the server that answers 200 bytes is measured, before and after.
const OF_LIMIT: Duration = Duration::from_secs(10);

/// How long as many requests are sent as can be.
const MOST: Duration = Duration::from_secs(5);

/// With so many under way.
const AT_ONCE: usize = 32;

/// How much memory may grow after the first tenth of the time, in MB.
const FLAT: f64 = 10.0;

pub(crate) async fn measure(world: &World, seconds: u64, report: &mut Report) {
    let mut node = world.near("steady", CLOUDS);
    node.filled(CLOUDS, CLOUDS * INSTANCES).await;
    let _limit = Limit::start(world).await;
    let callers = &world.callers[..STREAMS / EACH];
    let to_node = Pool::new(connections(callers, "steady", CONNECTIONS).await);
    let to_limit = Pool::new(connections(callers, limit::NAME, CONNECTIONS).await);
    let mut table = vec![row![
        "requests a second",
        "wanted",
        "p50, ms",
        "p99, ms",
        "bytes",
        "errors",
        "processor, %",
        "memory, MB: before, at a tenth, end, most"
    ]];
    let mut rest = |what: &str, outcome: &Outcome, wanted: &str| {
        table.push(row![
            format!("{what}: {:.0}", outcome.a_second()),
            wanted,
            ms(outcome.times.p50()),
            ms(outcome.times.p99()),
            outcome.length,
            outcome.errors,
            "",
            ""
        ]);
    };
    let limit = to_limit.steady("/", false, REQUESTS, OF_LIMIT).await;
    rest("200 bytes by axum alone, before", &limit, "500");
    let (mut loads, mut first) = (Vec::new(), 0);
    for gzip in [true, false] {
        eprintln!("steady, gzip {gzip}");
        let changing = Changing { fleets: &world.fleets, changes: Changes::default(), first };
        let streams = Streams::open(callers, "steady", STREAMS, &changing.changes).await;
        let load = Load::run(&node, &to_node, &streams, &changing, gzip, Duration::from_secs(seconds)).await;
        eprintln!(
            "p50 {:.1} ms, p99 {:.1} ms, {} errors",
            load.outcome.times.p50(),
            load.outcome.times.p99(),
            load.outcome.errors
        );
        streams.close().await;
        first += changing.changes.count();
        loads.push((gzip, load));
    }
    let after = to_limit.steady("/", false, REQUESTS, OF_LIMIT).await;
    rest("200 bytes by axum alone, after", &after, "500");
    for (what, gzip) in [("lists in gzip, as many as can be", true), ("lists, as many as can be", false)] {
        rest(what, &to_node.most(PATH, gzip, AT_ONCE, MOST).await, "");
    }
    rest("200 bytes by axum alone, as many as can be", &to_limit.most("/", false, AT_ONCE, MOST).await, "");
    for (gzip, load) in &loads {
        let (encoding, outcome) = (if *gzip { " in gzip" } else { "" }, &load.outcome);
        table.push(row![
            format!(
                "lists{encoding}, {STREAMS} streams, {CHANGES} changes a second: {:.0}",
                outcome.a_second()
            ),
            REQUESTS,
            ms(outcome.times.p50()),
            ms(outcome.times.p99()),
            outcome.length,
            outcome.errors,
            format!("{:.0}", load.cpu * 100.0),
            load.memory.map(|mb| format!("{mb:.0}")).join(", "),
        ]);
        table.push(row![
            format!("events beside{encoding}"),
            "",
            ms(load.events.p50()),
            ms(load.events.p99()),
            "",
            load.lost + load.broken,
            "",
            ""
        ]);
        let errors = outcome.errors + load.lost + load.broken;
        report.goal(
            &format!("{REQUESTS} lists{encoding} a second beside {STREAMS} streams with {CHANGES} changes a second: errors, lost events"),
            "0", errors.to_string(), errors == 0 && outcome.a_second() > 0.98 * f64::from(REQUESTS),
        );
        let [_, tenth, _, most] = load.memory;
        report.goal(
            &format!("the same: memory after the first tenth grows by MB{encoding}"),
            "flat",
            format!("{:.0}", most - tenth),
            most - tenth < FLAT,
        );
    }
    report.title("A steady load");
    report.text(&format!(
        "{} callers with {EACH} streams and {CONNECTIONS} more connections each. Times of requests begin when each is due, whatever becomes \
         of those before. Processor: of one, the node's own.", callers.len()
    ));
    report.table(&table);
}

struct Load {
    outcome: Outcome,
    events: Times,
    /// Changes that did not come to each stream, and streams that broke.
    lost: usize,
    broken: usize,
    /// Part of a processor.
    cpu: f64,
    /// Before, after a tenth of the time, in the end, and the most after the first tenth.
    memory: [f64; 4],
}

impl Load {
    async fn run(
        node: &Node,
        pool: &Pool,
        streams: &Streams,
        changing: &Changing<'_>,
        gzip: bool,
        time: Duration,
    ) -> Load {
        let (before, cpu) = (node.resident(), node.cpu_seconds());
        let stop = AtomicBool::new(false);
        let (outcome, (), [tenth, most]) = tokio::join!(
            async {
                let outcome = pool.steady(PATH, gzip, REQUESTS, time).await;
                stop.store(true, Ordering::Relaxed);
                outcome
            },
            changing.run(&stop),
            watch(node, time / 10, &stop),
        );
        let cpu = (node.cpu_seconds() - cpu) / outcome.seconds;
        let end = node.resident();
        tokio::time::sleep(Duration::from_secs(5)).await; // what is under way
        let events = streams.take();
        let lost = (changing.changes.count() * STREAMS).saturating_sub(events.len());
        Load { outcome, events, lost, broken: streams.broken(), cpu, memory: [before, tenth, end, most] }
    }
}

/// Changes one instance after the other, of one cloud after the other.
struct Changing<'a> {
    fleets: &'a [Fleet],
    changes: Changes,
    /// How many were changed before.
    first: usize,
}

impl Changing<'_> {
    async fn run(&self, stop: &AtomicBool) {
        let began = Instant::now();
        for number in 0_u32.. {
            tokio::time::sleep_until(began + Duration::from_secs(1) * number / CHANGES).await;
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let all = self.first + number as usize;
            happen(self.fleets, &self.changes, all % self.fleets.len(), all / self.fleets.len() % INSTANCES);
        }
    }
}

/// Changes an instance.
pub(crate) fn happen(fleets: &[Fleet], changes: &Changes, cloud: usize, number: usize) {
    // What was noted after the change might come later than its event.
    let status = if fleets[cloud].is_frozen(number) { "Running" } else { "Frozen" };
    changes.happens((format!("cloud{cloud}"), Fleet::name(number), status.to_owned()));
    fleets[cloud].change(number);
}

/// The memory after that time, and the most since.
async fn watch(node: &Node, after: Duration, stop: &AtomicBool) -> [f64; 2] {
    tokio::time::sleep(after).await;
    let first = node.resident();
    let mut most = first;
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        most = most.max(node.resident());
    }
    [first, most]
}
