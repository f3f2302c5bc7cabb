//! A line that loses packets and is slow, between two network namespaces of the test's own: the node is in one of
//! them and all the rest of the tailnet in the other.

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tailnet::{ConnectError, Path, PingKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::common::{CLOSED, DIGEST, ECHO, builder, sandbox, soon};

/// Makes the namespaces and the line between them, and runs the test program with the given arguments in one.
const SCRIPT: &str = r#"
set -e
work=$1 wire=$2 sandbox=$3 delay=$4 loss=$5
shift 5
unshare --net sleep 600 >/dev/null 2>&1 & other=$!
while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
mkfifo "$work/hold" # whose writer is this shell alone, so that the line ends with it
exec 9<>"$work/hold"
"$wire" -delay "$delay" -loss "$loss" wire0 wire1 <"$work/hold" >"$work/ready" 9>&- & line=$!
trap 'kill $other $line' EXIT
until grep -q ready "$work/ready"; do sleep 0.01; done
ip link set wire1 netns $other
ip link set lo up
ip address add 192.0.2.1/24 dev wire0
ip link set wire0 up
ip route add default dev wire0
there="nsenter --net=/proc/$other/ns/net"
$there ip link set lo up
$there ip address add 192.0.2.2/24 dev wire1
$there ip link set wire1 up
$there ip route add default dev wire1
printf '#!/bin/sh\nexec %s %s -address 192.0.2.2\n' "$there" "$sandbox" >"$work/sandbox"
chmod +x "$work/sandbox"
TAILNET_SANDBOX_PROGRAM=$work/sandbox "$@"
"#;

#[test]
#[ignore = "needs root for network namespaces: cargo test -p tailnet --test tailnet -- --ignored a_lossy a_full_state"]
fn a_lossy_and_slow_line_delays_and_breaks_nothing() {
    let work = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--net", "sh", "-c", SCRIPT, "sh"])
        .arg(work.path())
        .arg(build_wire(work.path()))
        .arg(tailnet_sandbox::program())
        .args(["50ms", "0.05"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "lossy::over_the_line", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    print!("{text}");
}

/// Builds the line, which nobody but this test needs.
fn build_wire(folder: &std::path::Path) -> PathBuf {
    let wire = folder.join("wire");
    let go = std::env::var_os("GO").unwrap_or_else(|| "go".into());
    let build = Command::new(go)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vendor/libtailscale"))
        .args(["build", "-trimpath", "-mod=readonly", "-buildvcs=false", "-o"])
        .arg(&wire)
        .arg("./cmd/wire")
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    wire
}

#[tokio::test]
#[ignore = "run by a_lossy_and_slow_line_delays_and_breaks_nothing"]
async fn over_the_line() {
    let sandbox = sandbox().await;
    let since = Instant::now();
    let node = soon(builder(&sandbox).up()).await.unwrap();
    println!("joined in {:?}", since.elapsed());
    let tools = sandbox.peer("tools").clone();

    let since = Instant::now();
    let mut dials = JoinSet::new();
    for i in 0..100_u32 {
        let node = node.clone();
        dials.spawn(async move {
            let mut stream = soon(node.connect(("tools", ECHO))).await.unwrap();
            let dialled = since.elapsed();
            stream.write_all(&i.to_be_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut back = Vec::new();
            soon(stream.read_to_end(&mut back)).await.unwrap();
            assert_eq!(back, i.to_be_bytes());
            (dialled, since.elapsed())
        });
    }
    let (mut dialled, mut ended) = (Duration::ZERO, Duration::ZERO);
    while let Some(times) = dials.join_next().await {
        let (dial, end) = times.unwrap();
        (dialled, ended) = (dialled.max(dial), ended.max(end));
    }
    println!("100 at once: the last dial over after {dialled:?}, the last echo and close after {ended:?}");
    let error = soon(node.connect((tools.ipv4, CLOSED))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");

    let since = Instant::now();
    let mut stream = soon(node.connect(("tools", DIGEST))).await.unwrap();
    stream.write_all(&vec![0; 1 << 20]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer, "1048576 30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58\n");
    println!("1 MiB there in {:?}", since.elapsed());

    let pong = async {
        loop {
            let ping = node.ping(tools.ip(), PingKind::Disco);
            match tokio::time::timeout(Duration::from_secs(3), ping).await {
                Ok(pong) => break pong.unwrap(),
                Err(_) => println!("a ping was lost"),
            }
        }
    };
    let pong = soon(pong).await;
    println!("{pong:?}, {:?}", node.status().await.unwrap().peer(tools.ip()).unwrap().path());
    assert!(pong.latency >= Duration::from_millis(100), "the line is not slow: {pong:?}");
    assert!(matches!(pong.path, Some(Path::Direct(_) | Path::Relayed { .. })), "{pong:?}");

    let mut open = soon(node.connect(("tools", ECHO))).await.unwrap();
    let since = Instant::now();
    soon(node.close()).await.expect("it closes within its deadline");
    println!("closed in {:?}", since.elapsed());
    let error = soon(open.read(&mut [0; 1])).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted, "{error:?}");
    soon(sandbox.stop()).await.unwrap();
}
