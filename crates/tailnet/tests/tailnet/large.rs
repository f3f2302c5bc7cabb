//! Many streams, one after another and at once, and what the process holds before and after. The large run is
//!
//! ```sh
//! cargo test --release -p tailnet --test tailnet -- --ignored --nocapture a_hundred_thousand
//! ```

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use tailnet::Tailnet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use crate::common::{ECHO, HANG, done, joined, soon};
use crate::life::{descriptors, settles, threads};

#[test]
fn five_thousand_streams_in_a_row_and_five_hundred_at_once_leave_nothing_behind() {
    alone(5_000, 500);
}

#[test]
#[ignore = "takes minutes and 20,500 descriptors: see large.rs for its command"]
fn a_hundred_thousand_streams_in_a_row_and_ten_thousand_at_once_leave_nothing_behind() {
    alone(100_000, 10_000);
}

/// Runs `many_streams` in a process of its own, which may open two descriptors a stream.
fn alone(in_a_row: usize, at_once: usize) {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let allowed = files.split_whitespace().nth(4).and_then(|hard| hard.parse().ok()).unwrap_or(usize::MAX);
    let room = (allowed - 500) / 2;
    if room < at_once {
        println!(
            "{room} instead of {at_once} at once: the machine allows {allowed} descriptors (ulimit -Hn)"
        );
    }
    let at_once = at_once.min(room);
    let output = Command::new("prlimit")
        .arg(format!("--nofile={0}:{0}", 2 * at_once + 500))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "large::many_streams", "--ignored", "--nocapture"])
        .env("TEST_STREAMS_IN_A_ROW", in_a_row.to_string())
        .env("TEST_STREAMS_AT_ONCE", at_once.to_string())
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    print!("{text}");
}

#[tokio::test]
async fn a_tailnet_of_ten_thousand_nodes_is_joined_and_its_peers_are_reached() {
    let sandbox = crate::common::sandbox().await;
    soon(sandbox.add_nodes(10_000)).await.unwrap();
    let node = soon(crate::common::builder(&sandbox).up()).await.unwrap();
    drop(one(&node).await);
    assert_eq!(soon(node.status()).await.unwrap().peers().count(), 10_001);
    done(sandbox, node).await;
}

/// What the process holds.
struct Held {
    descriptors: usize,
    threads: usize,
    goroutines: usize,
    resident_mib: usize,
}

impl Held {
    async fn by(node: &Tailnet) -> Held {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Held {
            descriptors: descriptors(),
            threads: threads(),
            goroutines: goroutines(node).await,
            resident_mib: kib / 1024,
        }
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Held { descriptors, threads, goroutines, resident_mib } = self;
        write!(f, "{descriptors} descriptors, {threads} threads, {goroutines} goroutines, {resident_mib} MiB")
    }
}

async fn goroutines(node: &Tailnet) -> usize {
    let stacks = soon(node.local_api(Method::GET, "/localapi/v0/goroutines", "")).await.unwrap();
    stacks.lines().filter(|line| line.starts_with("goroutine ")).count()
}

/// Dials, and sends a byte there and back.
async fn one(node: &Tailnet) -> tailnet::TailnetStream {
    let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(soon(stream.read_u8()).await.unwrap(), b'x');
    stream
}

#[tokio::test]
#[ignore = "counts what the whole process holds: run by the other tests here"]
async fn many_streams() {
    let told = |name: &str| -> usize { std::env::var(name).unwrap().parse().unwrap() };
    let (in_a_row, at_once) = (told("TEST_STREAMS_IN_A_ROW"), told("TEST_STREAMS_AT_ONCE"));
    let (sandbox, node, _) = joined().await;
    let burst = async |count: usize| {
        let (dialling, all) = (Arc::new(Semaphore::new(64)), Arc::new(Barrier::new(count + 1)));
        let mut streams = JoinSet::new();
        for _ in 0..count {
            let (node, dialling, all) = (node.clone(), Arc::clone(&dialling), Arc::clone(&all));
            streams.spawn(async move {
                let permit = dialling.acquire().await.unwrap();
                let mut stream = one(&node).await;
                drop(permit);
                all.wait().await; // all are open
                stream.write_all(b"y").await.unwrap();
                assert_eq!(soon(stream.read_u8()).await.unwrap(), b'y');
            });
        }
        all.wait().await;
        println!("{count} at once: {}", Held::by(&node).await);
        while let Some(result) = streams.join_next().await {
            result.unwrap();
        }
    };
    burst(100).await; // what is made once and kept
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = Held::by(&node).await;
    println!("before: {before}");

    let (since, mut slowest) = (Instant::now(), Duration::ZERO);
    for _ in 0..in_a_row {
        let dialled = Instant::now();
        drop(one(&node).await);
        slowest = slowest.max(dialled.elapsed());
    }
    println!(
        "{in_a_row} in a row: {:?}, the slowest {slowest:?}; {}",
        since.elapsed(),
        Held::by(&node).await
    );
    let since = Instant::now();
    burst(at_once).await;
    println!("{at_once} at once: {:?}", since.elapsed());

    settles("descriptors", before.descriptors, descriptors).await;
    // Go adds a thread now and then, not one a stream.
    settles("threads", before.threads + 16, threads).await;
    // A stream whose peer is slow to end lingers for up to a minute, and so does one in TIME_WAIT.
    let since = Instant::now();
    let mut after = Held::by(&node).await;
    while after.goroutines > before.goroutines + 10 || after.resident_mib > before.resident_mib + 200 {
        assert!(since.elapsed() < 5 * HANG, "before: {before}; after: {after}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        after = Held::by(&node).await;
    }
    println!("after {:?}: {after}", since.elapsed());
    let since = Instant::now();
    done(sandbox, node).await;
    println!("closed in {:?}", since.elapsed());
}
