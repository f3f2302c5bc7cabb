//! Links that break in the middle.

use std::time::Duration;

use lxd_client::{Error, Event, EventKind, FileOptions, ImageSource};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::common::{address, fresh, impatient, local, through};
use crate::forwarder::Forwarder;
use crate::second::Second;

const SOON: Duration = Duration::from_secs(30);

async fn breakable() -> (Forwarder, lxd_client::Client) {
    let (addr, trust) = address().await;
    let forwarder = Forwarder::to(addr, Duration::ZERO).await;
    let client = through(forwarder.addr, trust).await;
    client.server().await.unwrap();
    (forwarder, client)
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_wait_survives_a_lost_connection() {
    let (forwarder, client) = breakable().await;
    let body = json!({"command": ["sleep", "3"], "wait-for-websocket": false, "interactive": false});
    let mut sleep = client.post(["instances", "c1", "exec"]).json(&body).operation().await.unwrap();
    while sleep.state().await.unwrap().status != "Running" {}
    forwarder.cut();
    let ended = tokio::time::timeout(SOON, sleep.wait()).await.expect("it hangs").unwrap();
    assert_eq!(ended.metadata["return"], 0);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_cut_in_the_middle_of_a_command_is_an_error_and_no_end_of_file() {
    let (forwarder, client) = breakable().await;
    let mut exec = client.instance("c1").exec(["sh", "-c", "echo begin; sleep 1000"]).spawn().await.unwrap();
    let mut stdout = exec.stdout.take().unwrap();
    let mut begin = [0; 6];
    stdout.read_exact(&mut begin).await.unwrap();
    forwarder.cut();
    let mut rest = Vec::new();
    let error =
        tokio::time::timeout(SOON, stdout.read_to_end(&mut rest)).await.expect("it hangs").unwrap_err();
    assert!(rest.is_empty(), "{error:?}");
    // The server kills it, and the operation tells.
    let ended = tokio::time::timeout(SOON, exec.wait()).await.expect("it hangs");
    assert!(matches!(ended, Ok(status) if status.code() == 137), "{ended:?}");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_cut_in_the_middle_of_a_file_is_an_error_both_ways() {
    let (forwarder, client) = breakable().await;
    let files = client.instance("c1").files();
    let path = format!("/root/{}", fresh("cut"));
    let (link, mut whole) = (forwarder.clone(), true);
    let endless = lxd_client::with_progress(tokio::io::repeat(1), move |sent| {
        if sent > 20_000_000 && std::mem::take(&mut whole) {
            link.cut();
        }
    });
    let options = FileOptions::default();
    let written = tokio::time::timeout(SOON, files.write(&path, endless, &options)).await;
    assert!(matches!(written.expect("it hangs"), Err(Error::Broken { .. })));

    let long = tokio::io::repeat(2).take(200_000_000);
    files.write(&path, long, &FileOptions::default()).await.unwrap();
    let lxd_client::Entry::File(_, mut download) = files.read(&path).await.unwrap() else {
        panic!("no file")
    };
    download.read_exact(&mut vec![0; 1_000_000]).await.unwrap();
    forwarder.cut();
    let copied = tokio::time::timeout(SOON, tokio::io::copy(&mut download, &mut tokio::io::sink())).await;
    copied.expect("it hangs").unwrap_err();
    files.delete(&path).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn events_come_again_after_a_cut_and_what_ended_meanwhile_is_told() {
    let (forwarder, client) = breakable().await;
    let mut events = client.events(&[EventKind::Operation]).await.unwrap();
    let exec = local().instance("c1").exec(["sleep", "1"]).spawn().await.unwrap();
    let id = exec.operation().id().to_owned();
    forwarder.cut();
    let (mut again, mut ended) = (false, false);
    while !ended {
        match tokio::time::timeout(SOON, events.next()).await.expect("no event").unwrap() {
            Event::Reconnected => again = true,
            Event::Operation(state) if state.id == id => ended = state.is_final(),
            _ => {}
        }
    }
    assert!(again, "the connection was not lost");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(any(not(real_lxd), real_incus), ignore = "needs a real LXD and its lxc: see .ci/with-lxd")]
async fn a_server_that_was_killed_has_lost_its_operations_and_tells_events_again() {
    let mut second = Second::start().await;
    let client = second.client.clone();
    let mut events = client.events(&[EventKind::Lifecycle]).await.unwrap();
    // An image from a server that never answers: it goes on until the daemon ends.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = ImageSource::url(&format!("http://{}/image", silent.local_addr().unwrap()));
    let mut import = client.create_image(&source, &Default::default()).await.unwrap();
    let _asked = tokio::time::timeout(SOON, silent.accept()).await.expect("it does not ask").unwrap();
    assert_eq!(import.state().await.unwrap().status, "Running");

    second.restart();
    let error = tokio::time::timeout(SOON, import.wait()).await.expect("it hangs").unwrap_err();
    assert!(matches!(error, Error::OperationLost { .. }), "{error:?}");
    let again = async {
        while !matches!(events.next().await.unwrap(), Event::Reconnected) {}
        let new = json!({"name": "after"});
        client.post(["profiles"]).json(&new).done().await.unwrap();
        loop {
            match events.next().await.unwrap() {
                Event::Lifecycle(event) if event.action == "profile-created" => break,
                _ => {}
            }
        }
    };
    tokio::time::timeout(SOON, again).await.expect("no event");
}

/// LXD does not answer a ping on each websocket, but pings on each every ten seconds.
#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_is_idle_goes_on_while_the_server_lives() {
    let (addr, trust) = address().await;
    let client = impatient(addr, trust, Duration::from_secs(20)).await;
    let c1 = client.instance("c1");
    let idle = Duration::from_secs(45);
    let mut events = client.events(&[EventKind::Operation]).await.unwrap();
    let mut open = c1.exec(["sh", "-c", "sleep 45; exit 5"]).spawn().await.unwrap();
    let mut terminal = c1.exec(["sh", "-c", "sleep 45; exit 6"]).terminal(80, 25).spawn().await.unwrap();
    let mut streams = c1.exec(["sleep", "45"]).spawn().await.unwrap();
    let no_input = c1.exec(["sh", "-c", "sleep 45; echo out"]);
    // It is told of the ends, by the connection that it had.
    let told = async {
        let mut ended = 0;
        while ended < 2 {
            match events.next().await.unwrap() {
                Event::Operation(state) => ended += usize::from(state.is_final()),
                other => panic!("{other:?}"),
            }
        }
    };
    let all = async {
        let stdin = open.stdin.take();
        let mut stderr = streams.stderr.take().unwrap();
        let mut nothing = Vec::new();
        let (output, status, on_terminal, (), end) = tokio::join!(
            no_input.output(),
            open.wait(),
            terminal.wait(),
            told,
            stderr.read_to_end(&mut nothing)
        );
        assert_eq!(end.unwrap(), 0);
        drop(stdin);
        assert_eq!((status.unwrap().code(), on_terminal.unwrap().code()), (5, 6));
        assert_eq!(output.unwrap().stdout, "out\n");
    };
    tokio::time::timeout(SOON + idle, all).await.expect("it hangs");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_line_that_falls_silent_ends_what_waits_by_it() {
    let (addr, trust) = address().await;
    let forwarder = Forwarder::to(addr, Duration::ZERO).await;
    let client = impatient(forwarder.addr, trust, Duration::from_secs(2)).await;
    let c1 = client.instance("c1");
    let mut events = client.events(&[EventKind::Lifecycle]).await.unwrap();
    let mut socket = client.get(["events"]).query("type", "lifecycle").websocket().await.unwrap();
    let exec = |seconds| c1.exec(["sleep", seconds]);
    let mut command = exec("71").spawn().await.unwrap();
    let mut terminal = exec("72").terminal(80, 25).spawn().await.unwrap();
    let whole = exec("73").spawn().await.unwrap();

    forwarder.fall_silent();
    let silent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::TimedOut;
    let all = async {
        let (stdout, stderr) = (command.stdout.as_mut().unwrap(), command.stderr.as_mut().unwrap());
        let screen = terminal.stdout.as_mut().unwrap();
        let (mut out, mut err, mut shown) = (vec![], vec![], vec![]);
        let (a, b, c) = tokio::join!(
            stdout.read_to_end(&mut out),
            stderr.read_to_end(&mut err),
            screen.read_to_end(&mut shown),
        );
        for ended in [a, b, c] {
            assert!(ended.as_ref().is_err_and(silent), "{ended:?}");
        }
        loop {
            match events.next().await.unwrap() {
                Event::Lost => break,
                Event::Lifecycle(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let lost = loop {
            match socket.next().await {
                Ok(Some(_)) => {}
                other => break other.unwrap_err(),
            }
        };
        assert_eq!(lost.io_kind(), Some(std::io::ErrorKind::TimedOut), "{lost:?}");
        let lost = whole.output().await.unwrap_err();
        assert!(matches!(&lost, Error::Local { source, .. } if silent(source)), "{lost:?}");
    };
    tokio::time::timeout(SOON, all).await.expect("it hangs");
}
