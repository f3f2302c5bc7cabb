//! A file that is sent and fetched, beside `lxd file push` and `pull` of the same node.

use std::io::Write;
use std::process::Stdio;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http::{Method, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::callers::{Connection, Way, nothing};
use crate::node::Node;
use crate::report::{Report, median};
use crate::row;
use crate::world::{World, loopback};

/// What is measured beside each other.
pub(crate) const MEASURED: [&str; 3] = ["by the tailnet", "by the loopback", "the command"];

/// Where the file is in the instance, and the address of it.
const PLACE: &str = "/root/bench-file";
const PATH: &str = "/api/v1/clouds/real0/projects/default/instances/c1/files?path=/root/bench-file";

/// A piece of the file, and the file is so many of them.
const PIECE: usize = 1 << 20;

/// How much memory may grow with the file, in MB.
const FLAT: f64 = 30.0;

/// How long one may take, beside the command.
const WANTED: f64 = 1.10;

#[derive(Default)]
struct Seen {
    seconds: Vec<f64>,
    /// By how much the memory of the node was more at its highest than before, in MB.
    grown: Vec<f64>,
}

pub(crate) async fn measure(world: &World, rounds: usize, pieces: usize, report: &mut Report) {
    let mut node = world.real("files", 1);
    node.filled(1, 1).await;
    let piece: Bytes =
        (0..PIECE as u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u8).collect();
    let local = world.file("file");
    let mut file = std::fs::File::create(&local).unwrap();
    (0..pieces).for_each(|_| file.write_all(&piece).unwrap());
    drop(file);
    let mut seen: [[Seen; 3]; 2] = Default::default();
    for round in 0..rounds {
        for (direction, seen) in seen.iter_mut().enumerate() {
            for turn in 0..3 {
                let which = (turn + round) % 3;
                let before = node.resident();
                node.reset_peak();
                let began = Instant::now();
                match [Some(world.way("files")), Some(loopback(node.loopback)), None][which].clone() {
                    Some(way) if direction == 0 => send(&way, &piece, pieces).await,
                    Some(way) => fetch(&way, pieces).await,
                    None if direction == 0 => {
                        run(&node, &["push", local.to_str().unwrap(), &format!("real0:c1{PLACE}")]).await
                    }
                    None => run(&node, &["pull", &format!("real0:c1{PLACE}"), "-"]).await,
                }
                seen[which].seconds.push(began.elapsed().as_secs_f64());
                seen[which].grown.push(node.peak() - before);
                eprintln!("{direction} {}: {:.1?}", MEASURED[which], began.elapsed());
            }
        }
    }
    let size = pieces * PIECE;
    report.title(&format!("A file of {} MiB in a real LXD's instance", size >> 20));
    let mut table = vec![row!["", "s", "MB/s", "memory of the node grows by, MB"]];
    for (direction, (seen, name)) in seen.into_iter().zip(["push", "pull"]).enumerate() {
        let [of_tailnet, of_loopback, of_command] = seen;
        let beside = median(of_command.seconds.clone());
        let verb = ["upload", "download"][direction];
        for (what, Seen { seconds, grown }) in MEASURED.into_iter().zip([of_tailnet, of_loopback, of_command])
        {
            let (seconds, grown) = (median(seconds), grown.into_iter().fold(0.0, f64::max));
            let title = match what {
                "the command" => format!("`lxd file {name}`"),
                what => format!("{verb} {what}"),
            };
            table.push(row![
                title,
                format!("{seconds:.1}"),
                format!("{:.0}", size as f64 / seconds / 1e6),
                format!("{grown:.0}")
            ]);
            if what != "the command" {
                let ratio = seconds / beside;
                report.goal(
                    &format!("{title}: times as long as `lxd file {name}`"),
                    "1.10",
                    format!("{ratio:.2}"),
                    ratio <= WANTED,
                );
                report.goal(
                    &format!("{title}: memory grows by MB"),
                    "flat",
                    format!("{grown:.0}"),
                    grown < FLAT,
                );
            }
        }
    }
    report.table(&table);
}

async fn send(way: &Way, piece: &Bytes, pieces: usize) {
    let mut connection = Connection::open(way).await.unwrap();
    let body = stream::iter(std::iter::repeat_n(piece.clone(), pieces).map(|piece| Ok(Frame::data(piece))));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, (pieces * PIECE).to_string()),
    ];
    let answer =
        connection.send(Method::PUT, PATH, &headers, StreamBody::new(body).boxed_unsync()).await.unwrap();
    let status = answer.status();
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&told));
}

async fn fetch(way: &Way, pieces: usize) {
    let mut connection = Connection::open(way).await.unwrap();
    let answer = connection.send(Method::GET, PATH, &[], nothing()).await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    let (mut body, mut length) = (answer.into_body(), 0);
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(length, pieces * PIECE);
}

async fn run(node: &Node, arguments: &[&str]) {
    let mut program = tokio::process::Command::from(node.command());
    program.args(["lxd", "file"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let output = program.output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
