//! A command by websocket, beside `lxd exec` of the same node.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::callers::{Io, Way};
use crate::files::MEASURED;
use crate::node::Node;
use crate::report::{Report, Times, median, ms};
use crate::row;
use crate::world::{World, loopback};

/// How many echoes are waited for in a round.
const ECHOES: usize = 200;

pub(crate) async fn measure(world: &World, rounds: usize, megabytes: usize, report: &mut Report) {
    let mut node = world.real("exec", 1);
    node.filled(1, 1).await;
    let (mut rates, mut echoes): ([Vec<f64>; 3], [Vec<Duration>; 3]) = Default::default();
    for round in 0..rounds {
        for turn in 0..3 {
            let which = (turn + round) % 3;
            let way = [Some(world.way("exec")), Some(loopback(node.loopback)), None][which].clone();
            let (rate, times) = match way {
                Some(way) => (outputs(&way, megabytes).await, echo(&way).await),
                None => (command_outputs(&node, megabytes).await, command_echo(&node).await),
            };
            rates[which].push(rate);
            echoes[which].extend(times);
        }
    }
    report.title("A command of a real LXD's instance");
    let mut table = vec![row!["", "output, MB/s", "echo, p50, ms", "echo, p99, ms"]];
    let (rates, echoes) = (rates.map(median), echoes.map(Times::of));
    for (what, (rate, echo)) in MEASURED.into_iter().zip(rates.into_iter().zip(&echoes)) {
        let what = what.replace("the command", "`lxd exec`");
        table.push(row![what, format!("{rate:.0}"), ms(echo.p50()), ms(echo.p99())]);
    }
    report.table(&table);
    for (which, what) in [(0, MEASURED[0]), (1, MEASURED[1])] {
        let (rate, echo) = (rates[which] / rates[2], echoes[which].p50() / echoes[2].p50());
        report.goal(&format!("exec, {what}: output, times `lxd exec`"), "told", format!("{rate:.2}"), true);
        report.goal(&format!("exec, {what}: echo, times `lxd exec`"), "told", format!("{echo:.2}"), true);
    }
}

/// A websocket at a command without a terminal.
async fn open(way: &Way, command: &[&str]) -> WebSocketStream<Box<dyn Io>> {
    let words =
        command.iter().map(|word| format!("command={}&", word.replace('/', "%2F").replace('=', "%3D")));
    let path = "/api/v1/clouds/real0/projects/default/instances/c1/exec";
    let url = format!("ws://{}{path}?{}terminal=false", way.host(), words.collect::<String>());
    tokio_tungstenite::client_async(url, way.dial().await.unwrap()).await.unwrap().0
}

/// The next bytes of its output; none when it has ended.
async fn output(socket: &mut WebSocketStream<Box<dyn Io>>) -> Option<usize> {
    loop {
        match socket.next().await?.unwrap() {
            Message::Binary(bytes) => return Some(bytes.len() - 1), // the first one says of which stream they are
            Message::Text(text) => assert!(!text.contains("\"error\""), "{text}"),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

fn zeros(megabytes: usize) -> [String; 4] {
    ["dd".to_owned(), "if=/dev/zero".to_owned(), "bs=65536".to_owned(), format!("count={}", megabytes * 16)]
}

/// How fast zeros come, in MB a second, from the first byte on.
async fn outputs(way: &Way, megabytes: usize) -> f64 {
    let command = zeros(megabytes);
    let mut socket = open(way, &command.each_ref().map(String::as_str)).await;
    let (mut bytes, mut began) = (0, None);
    while let Some(length) = output(&mut socket).await {
        began.get_or_insert_with(Instant::now);
        bytes += length;
    }
    assert!(bytes >= megabytes << 20, "{bytes} bytes");
    bytes as f64 / began.unwrap().elapsed().as_secs_f64() / 1e6
}

async fn echo(way: &Way) -> Vec<Duration> {
    let mut socket = open(way, &["cat"]).await;
    let mut times = Vec::new();
    for number in 0..=ECHOES {
        let began = Instant::now();
        socket.send(Message::binary(&b"x\n"[..])).await.unwrap();
        assert_eq!(output(&mut socket).await, Some(2));
        // The first one waits for the start of the command.
        if number > 0 {
            times.push(began.elapsed());
        }
    }
    let _ = socket.close(None).await;
    times
}

fn command(node: &Node, command: &[&str]) -> tokio::process::Child {
    let mut program = tokio::process::Command::from(node.command());
    program.args(["lxd", "exec", "real0:c1", "--"]).args(command);
    program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn command_outputs(node: &Node, megabytes: usize) -> f64 {
    let zeros = zeros(megabytes);
    let mut child = command(node, &zeros.each_ref().map(String::as_str));
    drop(child.stdin.take());
    let (mut stdout, mut buffer) = (child.stdout.take().unwrap(), vec![0; 64 << 10]);
    let (mut bytes, mut began) = (0, None);
    loop {
        let length = stdout.read(&mut buffer).await.unwrap();
        if length == 0 {
            break;
        }
        began.get_or_insert_with(Instant::now);
        bytes += length;
    }
    let seconds = began.unwrap().elapsed().as_secs_f64();
    assert!(child.wait().await.unwrap().success());
    assert!(bytes >= megabytes << 20, "{bytes} bytes");
    bytes as f64 / seconds / 1e6
}

async fn command_echo(node: &Node) -> Vec<Duration> {
    let mut child = command(node, &["cat"]);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut times = Vec::new();
    for number in 0..=ECHOES {
        let began = Instant::now();
        stdin.write_all(b"x\n").await.unwrap();
        stdout.read_exact(&mut [0; 2]).await.unwrap();
        if number > 0 {
            times.push(began.elapsed());
        }
    }
    drop(stdin);
    let _ = child.wait().await;
    times
}
