use std::time::Duration;

use futures_util::StreamExt;
use lxd_client::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::remote;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_command_gives_its_output_and_its_exit_status() {
    let c1 = remote().await.instance("c1");
    let script = "echo out; echo err >&2; echo $MARK; pwd; exit 42";
    let exec = c1.exec(["sh", "-c", script]).env("MARK", "a b").current_dir("/tmp");
    let output = exec.output().await.unwrap();
    assert_eq!(output.status.code(), 42);
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\na b\n/tmp\n"[..], &b"err\n"[..]));
    assert!(c1.exec(["true"]).status().await.unwrap().success());
    let none = c1.exec(["no-such-program"]).output().await.unwrap();
    assert_eq!(none.status.code(), 127);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn no_byte_of_a_long_output_is_lost() {
    let c1 = remote().await.instance("c1");
    for _ in 0..3 {
        let output = c1.exec(["sh", "-c", "head -c 20000000 /dev/zero; echo end"]).output().await.unwrap();
        assert_eq!(output.stdout.len(), 20_000_004);
        assert!(output.stdout.ends_with(b"end\n"));
    }
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_is_written_comes_back_and_an_end_of_file_ends_the_command() {
    let c1 = remote().await.instance("c1");
    let mut cat = c1.exec(["cat"]).spawn().await.unwrap();
    let (mut stdin, mut stdout) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        stdin.write_all(&sent).await.unwrap();
        stdin.shutdown().await.unwrap();
    });
    let mut read = Vec::new();
    stdout.read_to_end(&mut read).await.unwrap();
    writing.await.unwrap();
    assert!(read == expected, "{} bytes of {}", read.len(), expected.len());
    assert!(cat.wait().await.unwrap().success());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_command_reads_what_it_is_given_to_its_end() {
    let c1 = remote().await.instance("c1");
    assert_eq!(c1.exec(["cat"]).stdin(b"hello").output().await.unwrap().stdout, "hello");
    assert_eq!(c1.exec(["wc", "-c"]).stdin("").output().await.unwrap().stdout, "0\n");
    let long: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert!(c1.exec(["cat"]).stdin(long.clone()).output().await.unwrap().stdout == long);
    // What it does not read keeps nobody.
    let unread = tokio::time::timeout(SOON, c1.exec(["true"]).stdin(long).status()).await;
    assert!(unread.expect("it hangs").unwrap().success());
    let mut process = c1.exec(["grep", "-q", "hello"]).stdin("hello").spawn().await.unwrap();
    assert!(process.stdin.is_none());
    assert!(process.wait().await.unwrap().success());
    // The server (LXD 5.0) loses what a command wrote to its terminal right before it ended.
    let script = "head -n 1; sleep 2";
    let typed = c1.exec(["sh", "-c", script]).terminal(80, 24).stdin("hello\n").output().await.unwrap();
    assert!(typed.stdout.windows(5).any(|text| text == b"hello"), "{typed:?}");
    let refused = c1.exec(["cat"]).stdin("hello").record().await.unwrap_err();
    assert!(matches!(refused, Error::Config { .. }), "{refused:?}");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_open_input_does_not_keep_a_command_that_ended() {
    let c1 = remote().await.instance("c1");
    let mut exec = c1.exec(["true"]).spawn().await.unwrap();
    let stdin = exec.stdin.take();
    let status = tokio::time::timeout(SOON, exec.wait()).await.expect("it hangs").unwrap();
    assert!(status.success());
    drop(stdin);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_slow_reader_holds_the_command_back_and_loses_nothing() {
    let c1 = remote().await.instance("c1");
    let script = "head -c 30000000 /dev/zero; touch /tmp/written; echo end";
    let mut exec = c1.exec(["sh", "-c", script]).spawn().await.unwrap();
    let mut stdout = exec.stdout.take().unwrap();
    // It is held back when what it has written no longer grows.
    let written = async || {
        let script = "for p in $(pidof head); do grep wchar /proc/$p/io; done";
        c1.exec(["sh", "-c", script]).output().await.unwrap().stdout
    };
    let stands = async {
        let mut before = written().await;
        loop {
            let now = written().await;
            if !now.is_empty() && now == before {
                break;
            }
            before = now;
        }
    };
    tokio::time::timeout(SOON, stands).await.expect("it is not held back");
    assert!(!c1.exec(["test", "-e", "/tmp/written"]).status().await.unwrap().success());
    let mut length = 0;
    while let Some(piece) = stdout.next().await {
        length += piece.unwrap().len();
    }
    assert_eq!(length, 30_000_004);
    assert!(exec.wait().await.unwrap().success());
    c1.exec(["rm", "/tmp/written"]).status().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_signal_reaches_the_command_and_a_drop_kills_it() {
    let c1 = remote().await.instance("c1");
    let mut sleep = c1.exec(["sleep", "1000"]).spawn().await.unwrap();
    sleep.signal(15).await.unwrap();
    assert_eq!(tokio::time::timeout(SOON, sleep.wait()).await.unwrap().unwrap().code(), 143);

    let sleep = c1.exec(["sleep", "4321"]).spawn().await.unwrap();
    let client = remote().await;
    let mut operation = client.operation(sleep.operation().id());
    drop(sleep);
    let ended = match tokio::time::timeout(SOON, operation.wait()).await.expect("it lives on") {
        Ok(ended) => ended,
        // LXD 5.0 calls it a failure when it cannot take leave of the connections.
        Err(Error::Operation { state: Some(ended), .. }) => *ended,
        Err(error) => panic!("{error:?}"),
    };
    assert_eq!(ended.metadata["return"], 137);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_terminal_has_its_size_and_takes_a_new_one() {
    let c1 = remote().await.instance("c1");
    let mut shell = c1.exec(["sh"]).terminal(91, 31).spawn().await.unwrap();
    let (mut stdin, mut stdout) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
    stdin.write_all(b"stty size; echo one\n").await.unwrap();
    let mut screen = String::new();
    let mut buf = [0; 1024];
    while !screen.contains("31 91") {
        let n = tokio::time::timeout(SOON, stdout.read(&mut buf)).await.expect("no answer").unwrap();
        assert!(n > 0, "{screen:?}");
        screen.push_str(&String::from_utf8_lossy(&buf[..n]));
    }
    shell.resize(77, 22).await.unwrap();
    while !screen.contains("22 77") {
        stdin.write_all(b"stty size\n").await.unwrap();
        let n = tokio::time::timeout(SOON, stdout.read(&mut buf)).await.expect("no answer").unwrap();
        assert!(n > 0, "{screen:?}");
        screen.push_str(&String::from_utf8_lossy(&buf[..n]));
    }
    stdin.write_all(b"exit 7\n").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(SOON, stdout.read_to_end(&mut rest)).await.expect("no end").unwrap();
    assert_eq!(tokio::time::timeout(SOON, shell.wait()).await.expect("it hangs").unwrap().code(), 7);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_record_needs_no_websocket_and_leaves_no_log_behind() {
    let client = remote().await;
    let c1 = client.instance("c1");
    let recorded = c1.exec(["sh", "-c", "echo out; echo err >&2; exit 3"]).record().await.unwrap();
    assert_eq!(recorded.status.code(), 3);
    assert_eq!((&recorded.stdout[..], &recorded.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    let logs = c1.logs().await.unwrap();
    assert!(!logs.iter().any(|log| log.starts_with("exec_")), "{logs:?}");
    assert_eq!(client.connections_made(), 1);
}

/// Half of them with a control socket, which is the dangerous one: see `Exec::spawn`.
#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_thousand_commands_a_hundred_at_once_all_end() {
    let c1 = remote().await.instance("c1");
    for round in 0..10 {
        let commands = (0..100).map(|n| {
            let exec = c1.exec(["sh", "-c", &format!("echo {n}; exit {n}")]);
            async move {
                let output = match n % 2 {
                    0 => exec.output().await,
                    _ => exec.spawn().await.unwrap().output().await,
                };
                (n, output.unwrap())
            }
        });
        let all = tokio::time::timeout(Duration::from_secs(120), futures_util::future::join_all(commands));
        for (n, output) in all.await.unwrap_or_else(|_| panic!("some hang in round {round}")) {
            assert_eq!((output.status.code(), &output.stdout[..]), (n, format!("{n}\n").as_bytes()));
        }
    }
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_dropped_future_kills_its_command() {
    let client = remote().await;
    let c1 = client.instance("c1");
    // The brackets keep it from finding itself.
    let script = "grep -q 98[7]6 /proc/[0-9]*/cmdline 2>/dev/null";
    let running = async || c1.exec(["sh", "-c", script]).status().await.unwrap().success();
    let ended = async |how: &str| {
        let until = tokio::time::Instant::now() + SOON;
        while running().await {
            assert!(tokio::time::Instant::now() < until, "{how} lives on");
        }
    };
    for how in ["output", "status"] {
        let exec = c1.exec(["sleep", "9876"]);
        let work = async {
            match how {
                "output" => drop(exec.output().await),
                _ => drop(exec.status().await),
            }
        };
        let seen = async { while !running().await {} };
        tokio::select! {
            () = work => panic!("it ended"),
            seen = tokio::time::timeout(SOON, seen) => seen.expect("it does not begin"),
        }
        ended(how).await;
    }
}

/// Closing its outputs early does not end a command, nor does that this side has read them to the end.
#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_command_that_closes_its_outputs_goes_on() {
    let c1 = remote().await.instance("c1");
    let script = "echo out; exec >&- 2>&-; sleep 1; exit 5";
    let output = c1.exec(["sh", "-c", script]).output().await.unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (5, &b"out\n"[..]));
    assert_eq!(c1.exec(["sh", "-c", script]).status().await.unwrap().code(), 5);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_console_is_attached_and_let_go_and_the_server_lives() {
    let c1 = remote().await.instance("c1");
    for _ in 0..200 {
        let mut console = c1.console(80, 25).await.unwrap();
        console.stdin.as_mut().unwrap().write_all(b"\n").await.unwrap();
        let id = console.operation().id().to_owned();
        drop(console);
        let mut operation = remote().await.operation(&id);
        // LXD 5.0 calls it a failure now and then that nobody looks at the console any more.
        let ended = tokio::time::timeout(SOON, operation.wait()).await.expect("it is still attached");
        assert!(matches!(ended, Ok(_) | Err(Error::Operation { .. })), "{ended:?}");
    }
}

/// LXD 5.0 never ended some of these, whose terminals were closed before their commands had ended.
#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn the_operations_of_many_terminals_end_that_are_let_go_at_once() {
    let client = remote().await;
    let c1 = client.instance("c1");
    for _ in 0..3 {
        let shells =
            (0..12).map(|_| c1.exec(["sh", "-c", "echo here; exec sleep 1000"]).terminal(80, 24).spawn());
        let mut shells = futures_util::future::try_join_all(shells).await.unwrap();
        for shell in &mut shells {
            shell.stdout.as_mut().unwrap().next().await.unwrap().unwrap();
        }
        let ids: Vec<String> = shells.iter().map(|shell| shell.operation().id().to_owned()).collect();
        drop(shells);
        for id in ids {
            let mut operation = client.operation(&id);
            let ended = tokio::time::timeout(SOON, operation.wait()).await.expect("it never ends");
            // It is forgotten five seconds later. LXD calls it a failure that its answer found nobody any more.
            let is_over = match &ended {
                Ok(_) | Err(Error::Operation { .. } | Error::OperationLost { .. }) => true,
                Err(error) => error.is_not_found(),
            };
            assert!(is_over, "{ended:?}");
        }
    }
}
