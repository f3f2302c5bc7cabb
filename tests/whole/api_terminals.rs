//! Commands and consoles by websocket, over a real server, LXD or Incus: the one of `LXD_DIR`.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::api::{CAPABILITY, NODE, Person};
use crate::api_real::{Own, PROJECT, world};
use crate::node::{Service, World, until};
use crate::program::HANG;
use crate::real_lxd::lxc;
use crate::terminal::Terminal;
use crate::websocket::{Session, upgrade};

/// The path of a command in `c1`.
fn exec(command: &[&str], more: &str) -> String {
    of(&format!("{PROJECT}/instances/c1"), command, more)
}

fn of(instance: &str, command: &[&str], more: &str) -> String {
    let words =
        command.iter().map(|word| format!("command={}&", utf8_percent_encode(word, NON_ALPHANUMERIC)));
    format!("{instance}/exec?{}{more}", words.collect::<String>())
}

/// The records of the audit for `c1`, the newest first.
fn audit(admin: &Person) -> Vec<Value> {
    let records = admin.get("/api/v1/audit?object=instances/c1").is(200);
    records["items"].as_array().unwrap().clone()
}

/// Waits until nothing in `c1` runs whose command line has this text in it.
fn is_gone(text: &str) {
    let running = || {
        let all = lxc(&["exec", "c1", "--", "ps", "-o", "args"]);
        all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect::<Vec<_>>()
    };
    until(running, Vec::is_empty);
}

/// Stops the node in order. LXD 5.0 may never end the operations of terminals whose client is killed, and waits for those
/// before it stops.
fn is_stopped(service: Service) {
    assert_eq!(service.ends_on("TERM").0, Some(0));
}

/// Lets `bob` run commands, by the tailnet's policy.
fn let_bob_exec(world: &World, bob: &Person) {
    let values = [json!({"clouds": ["*"], "projects": ["*"], "verbs": ["view", "exec"]})];
    world.wait(world.sandbox.grant("bob", NODE, CAPABILITY, &values)).unwrap();
    until(|| bob.get("/api/v1/me").body, |me| me.contains("exec"));
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_command_gives_output_errors_and_code_and_the_audit_has_the_command_alone() {
    let (world, _service, alice, bob) = world();
    let script = "read line; echo \"$line $SECRET\"; sleep 1; echo oops >&2; sleep 1; exit 3";
    let path = exec(&["sh", "-c", script], "terminal=false&env=SECRET%3Dhush&user=7&cwd=/tmp");
    let mut session = Session::open(&world, &alice, &path);
    assert_eq!(session.hello["node"], NODE);
    let known: Vec<&String> = session.hello.as_object().unwrap().keys().collect();
    assert_eq!(known, ["from", "id", "input", "lost", "node", "terminal"]);
    session.types("typed\n");
    session.exited(3);
    assert_eq!(session.text(), "\u{1}typed hush\n\u{2}oops\n");

    let record = until(|| audit(&alice), |records| records.len() == 1 && records[0]["result"] == "done");
    assert_eq!((&record[0]["action"], &record[0]["verb"]), (&json!("exec"), &json!("exec")));
    assert_eq!((&record[0]["code"], &record[0]["request"]), (&json!(3), &session.hello["id"]));
    assert_eq!(record[0]["detail"], json!(["sh", "-c", script]).to_string());
    for entry in std::fs::read_dir(world.path("state/audit")).unwrap() {
        let written = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!["hush", "typed", "oops\\n"].iter().any(|secret| written.contains(secret)), "{written}");
    }

    // Whoever may only look.
    let refused = world.wait(upgrade(bob.proxy, &path)).unwrap_err();
    assert!(matches!(&refused, WsError::Http(answer) if answer.status() == 403), "{refused}");
    let plain = alice.get(&path).is(400);
    assert_eq!(plain["remedy"], "open it as a websocket, by HTTP/1.1");
    let (problem, code) =
        Session::refused(&world, &alice, &of(&format!("{PROJECT}/instances/no"), &["ls"], ""));
    assert_eq!((&problem["code"], &problem["cloud"], code), (&json!("not_found"), &json!("real"), 4404));
    let mut missing = Session::open(&world, &alice, &exec(&["is-not-there"], ""));
    missing.exited(127);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_terminal_takes_text_of_any_kind_and_sizes_and_signals() {
    let (world, service, alice, _) = world();
    let mut shell = Session::open(&world, &alice, &exec(&[], "width=100&height=30"));
    assert_eq!(shell.hello["terminal"], true);
    shell.types("stty size; echo $TERM\n");
    shell.shows("30 100");
    shell.shows("xterm-256color");
    shell.asks(&json!({"resize": {"width": 132, "height": 43}}));
    let deadline = Instant::now() + HANG;
    while !shell.text().contains("43 132") {
        assert!(Instant::now() < deadline, "{}", shell.text());
        shell.shown.clear();
        shell.types("stty size; echo mar''ker\n");
        shell.shows("marker");
    }
    shell.types("exit 7\n");
    shell.exited(7);

    let mut cat = Session::open(&world, &alice, &exec(&["cat"], ""));
    cat.types("ñ á € @\n");
    // The echo of the terminal, and what cat says.
    assert_eq!(cat.reads(|shown| shown.matches("ñ á € @").count() == 2), None);
    cat.types("\u{4}");
    cat.exited(0);

    let script = "trap 'exit 42' TERM; echo rea''dy; while :; do sleep 0.1; done";
    for more in ["terminal=true", "terminal=false"] {
        let mut session = Session::open(&world, &alice, &exec(&["sh", "-c", script], more));
        session.shows("ready");
        session.asks(&json!({"signal": 15}));
        session.exited(42);
    }
    let mut senseless = Session::open(&world, &alice, &exec(&["sleep", "1717"], ""));
    senseless.asks(&json!({"eof": true}));
    assert_eq!(senseless.ends().1, 4400);
    is_stopped(service);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_node_that_stops_tells_its_sessions_and_the_audit_and_ends_their_commands() {
    let (world, mut service, alice, _) = world();
    let mut shell = Session::open(&world, &alice, &exec(&["sh", "-c", "echo here; exec sleep 4141"], ""));
    let mut lost = Session::open(&world, &alice, &exec(&["sh", "-c", "echo here; exec sleep 4142"], ""));
    // One that has not begun yet has no operation that the audit could name.
    shell.shows("here");
    lost.shows("here");
    drop(lost); // it would stay for two minutes
    service.signal("TERM");
    assert_eq!(shell.ends().1, 1001);
    assert!(service.ended().0.is_some_and(|code| code == 0));
    is_gone("sleep 414");
    no_operation_is_left("414");

    let mut lines: Vec<Value> = Vec::new();
    for entry in std::fs::read_dir(world.path("state/audit")).unwrap() {
        let written = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        lines.extend(written.lines().map(|line| serde_json::from_str(line).unwrap()));
    }
    let of_session = |command: &str| {
        let id = lines.iter().find(|line| line.to_string().contains(command)).unwrap()["id"].clone();
        let lines = lines.iter().filter(move |line| line["id"] == id);
        lines.map(|line| (line["event"].clone(), line["error"].clone())).collect::<Vec<_>>()
    };
    for command in ["sleep 4141", "sleep 4142"] {
        let [before, operations, after] = &of_session(command)[..] else { panic!("{lines:?}") };
        assert_eq!((&before.0, &operations.0), (&json!("begun"), &json!("operations")));
        assert_eq!(after, &(json!("failed"), json!("the node stopped")));
    }
}

/// Waits until the server has no operation that runs and has this text in it.
fn no_operation_is_left(text: &str) {
    let running = || {
        let all: Value = serde_json::from_str(&lxc(&["query", "/1.0/operations?recursion=1"])).unwrap();
        let running = all["running"].as_array().cloned().unwrap_or_default().into_iter();
        running.map(|operation| operation.to_string()).filter(|told| told.contains(text)).collect::<Vec<_>>()
    };
    until(running, Vec::is_empty);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_message_of_a_mebibyte_is_taken_and_a_larger_one_refused() {
    let (world, _service, alice, _) = world();
    let path = exec(&["sh", "-c", "head -c 1048576 | wc -c; exec cat"], "terminal=false");
    let mut session = Session::open(&world, &alice, &path);
    session.send(Message::binary(vec![b'a'; 1 << 20]));
    session.shows("1048576");
    session.send(Message::binary(vec![b'a'; (1 << 20) + 1]));
    let (told, code) = session.ends();
    let problem = &told.last().unwrap()["error"];
    assert_eq!((&problem["code"], code), (&json!("too_large"), 4413), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("1048576 bytes"), "{problem}");
    // The command goes on: its caller may come back, and has sent what was taken.
    let mut session = Session::open(&world, &alice, &session.back(0));
    assert_eq!(session.hello["input"], 1 << 20);
    session.types("still here");
    session.shows("still here");
    session.closes(1000);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn five_megabytes_go_in_and_come_back_whole() {
    let (world, _service, alice, _) = world();
    let bytes: Vec<u8> = (0..5_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let path = exec(
        &["sh", "-c", "tee /tmp/api-five; sha256sum < /tmp/api-five >&2; rm /tmp/api-five"],
        "terminal=false",
    );
    let session = Session::open(&world, &alice, &path);
    let (mut sink, mut stream) = session.socket.split();
    let sending = async {
        for chunk in bytes.chunks(100_000) {
            sink.send(Message::binary(chunk.to_vec())).await.unwrap();
        }
        sink.send(Message::text(r#"{"eof":true}"#)).await.unwrap();
    };
    let reading = async {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        loop {
            match stream.next().await.unwrap().unwrap() {
                Message::Binary(part) if part[0] == 1 => out.extend_from_slice(&part[1..]),
                Message::Binary(part) => err.extend_from_slice(&part[1..]),
                Message::Text(text) => return (out, String::from_utf8(err).unwrap(), text),
                _ => {}
            }
        }
    };
    let ((), (out, err, told)) = world.wait(async { tokio::join!(sending, reading) });
    assert_eq!(told, r#"{"exit":{"code":0}}"#);
    assert!(out == bytes, "{} of {} bytes", out.len(), bytes.len());
    let local = world.path("five");
    std::fs::write(&local, &bytes).unwrap();
    let sum = std::process::Command::new("sha256sum").arg(&local).output().unwrap();
    assert_eq!(err.split(' ').next(), String::from_utf8(sum.stdout).unwrap().split(' ').next());
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn who_lost_the_connection_comes_back_and_misses_nothing() {
    let (world, _service, alice, bob) = world();
    // LXD 5.0 may lose what is written to a terminal right before the end.
    let script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); sleep 0.02; done; sleep 1; exit 5";
    let path = exec(&["sh", "-c", script], "terminal=true");
    let mut session = Session::open(&world, &alice, &path);
    let mut shown = Vec::new();
    for number in [20, 60, 100] {
        session.shows(&format!("line {number}\r"));
        shown.append(&mut session.shown);
        let (back, id) = (session.back(shown.len()), session.hello["id"].clone());
        if number == 60 {
            let next = Session::open(&world, &alice, &back);
            // The older connection, which was not lost, is told.
            let (told, code) = session.ends();
            assert_eq!(code, 4409);
            assert_eq!(told.last().unwrap()["taken"]["by"]["login"], "alice@example.com");
            session = next;
        } else {
            drop(session);
            session = Session::open(&world, &alice, &back);
        }
        assert_eq!((&session.hello["id"], &session.hello["lost"]), (&id, &json!(0)));
        assert_eq!(session.hello["from"], shown.len());
    }
    let (id, back) = (session.hello["id"].as_str().unwrap().to_owned(), session.back(shown.len()));
    drop(session);

    // Somebody else does not come in, nor does its owner by another way.
    let_bob_exec(&world, &bob);
    for (person, instance) in [(&bob, "c1"), (&alice, "c2")] {
        let other = format!("{PROJECT}/instances/{instance}/exec?session={id}");
        let (problem, code) = Session::refused(&world, person, &other);
        assert_eq!((&problem["code"], code), (&json!("not_found"), 4404), "{problem}");
    }
    let console = format!("{PROJECT}/instances/c1/console?session={id}");
    assert_eq!(Session::refused(&world, &alice, &console).1, 4404);

    // It ends while nobody is there.
    until(|| audit(&alice)[0]["code"].clone(), |code| *code == 5);
    let mut session = Session::open(&world, &alice, &back);
    session.exited(5);
    shown.append(&mut session.shown);
    let wanted: String = (0..300).map(|number| format!("line {number}\r\n")).collect();
    assert_eq!(String::from_utf8(shown).unwrap(), wanted);
    assert_eq!(audit(&alice).len(), 1, "it is one session");
    // Now that its end was heard it is forgotten.
    until(|| Session::begin(&world, &alice, &back).ends().1, |code| *code == 4404);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn of_what_was_missed_the_newest_64_kib_are_kept_and_it_is_said_how_much_more_there_was() {
    let (world, _service, alice, _) = world();
    let script = "echo begin; sleep 1; seq 1 40000; read line; echo \"<$line>\"";
    let mut session = Session::open(&world, &alice, &exec(&["sh", "-c", script], "terminal=false"));
    session.shows("begin");
    let back = session.back("begin\n".len());
    drop(session);
    let whole: String = (1..=40_000).map(|number| format!("{number}\n")).collect();
    let total = "begin\n".len() + whole.len();
    let from = until(
        || Session::open(&world, &alice, &back).hello["from"].clone(),
        |from| *from == total - (64 << 10),
    );
    let mut session = Session::open(&world, &alice, &back);
    assert_eq!(session.hello["from"], from);
    assert_eq!(session.hello["lost"], total - (64 << 10) - 6);
    session.types("typed\n");
    session.asks(&json!({"eof": true}));
    session.exited(0);
    let shown: String = session.text().split('\u{1}').collect();
    assert_eq!(shown, format!("{}<typed>\n", &whole[whole.len() - (64 << 10)..]));
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn who_loses_the_right_loses_the_command_too() {
    let (world, _service, alice, bob) = world();
    let_bob_exec(&world, &bob);
    let mut lost = Session::open(&world, &bob, &exec(&["sh", "-c", "echo here; exec sleep 2121"], ""));
    let mut away = Session::open(&world, &bob, &exec(&["sh", "-c", "echo here; exec sleep 2122"], ""));
    let mut kept = Session::open(&world, &alice, &exec(&["cat", "-u"], ""));
    lost.shows("here");
    away.shows("here");
    drop(away);
    world.wait(world.sandbox.revoke("bob", NODE, CAPABILITY)).unwrap();
    let (told, code) = lost.ends();
    assert_eq!((&told.last().unwrap()["error"]["code"], code), (&json!("forbidden"), 4403), "{told:?}");
    is_gone("sleep 212");
    no_operation_is_left("sleep 212");
    kept.types("still here\n");
    kept.shows("still here");
    kept.closes(1000);
    let of_bob = || {
        let records = audit(&alice).into_iter().filter(|record| record["user"]["login"] == "bob@example.com");
        records.map(|record| record["error"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let ended =
        |errors: &Vec<String>| errors.len() == 2 && errors.iter().all(|e| e.contains("may no longer exec"));
    until(of_bob, ended);
    until(|| audit(&alice)[0]["result"].clone(), |result| *result == "cancelled");
    is_gone("cat -u");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_console_is_taken_only_by_who_says_so_and_who_had_it_is_told() {
    let (world, _service, alice, bob) = world();
    let_bob_exec(&world, &bob);
    let own = Own::running("console");
    let path = format!("{}/console", own.path());
    let mut first = Session::open(&world, &alice, &path);
    let (problem, code) = until(|| Session::refused(&world, &bob, &path), |(_, code)| *code == 4409);
    assert_eq!((&problem["code"], code), (&json!("conflict"), 4409));
    assert!(problem["detail"].as_str().unwrap().starts_with("alice@example.com"), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains("take=true"), "{problem}");

    let mut second = Session::open(&world, &bob, &format!("{path}?take=true"));
    let (told, code) = first.ends();
    assert_eq!((&told.last().unwrap()["taken"]["by"]["login"], code), (&json!("bob@example.com"), 4409));
    // The console is the one of the instance: what its first process writes there is shown.
    until(
        || {
            lxc(&["exec", &own.0, "--", "sh", "-c", "echo from inside > /dev/console"]);
            let _ = world
                .wait(async { tokio::time::timeout(Duration::from_millis(200), second.socket.next()).await })
                .map(|message| second.shown.extend(message.unwrap().unwrap().into_data()));
            second.text()
        },
        |shown| shown.contains("from inside"),
    );
    // The end of the instance is no error.
    lxc(&["stop", "--force", &own.0]);
    let (told, code) = second.ends();
    assert_eq!((told.last(), code), (Some(&json!({"exit": {"code": null}})), 1000), "{}", second.text());
    no_operation_is_left(&own.0);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_console_that_a_client_beside_this_node_has_is_told_with_a_problem() {
    let (world, _service, alice, _) = world();
    let own = Own::running("console-beside");
    let mut other = Terminal::of(Command::new("lxc").args(["console", &own.0]), 24, 80);
    let say = |terminal: &mut Terminal| {
        lxc(&["exec", &own.0, "--", "sh", "-c", "echo from inside > /dev/console"]);
        terminal.types("\r");
    };
    other.shows_once(say, "from inside");
    let mut session = Session::begin(&world, &alice, &format!("{}/console", own.path()));
    let (told, code) = session.ends();
    let problem = &told.last().unwrap()["error"];
    assert_eq!((&problem["code"], code), (&json!("conflict"), 4409), "{told:?} {}", session.text());
    assert!(problem["detail"].as_str().unwrap().contains("another client"), "{problem}");
    // It is left to who has it.
    other.shows_once(say, "from inside");
    // LXD 5.0 may fall when a client is killed that has a console.
    lxc(&["stop", "--force", &own.0]);
    let _ = other.program.kill();
    other.program.wait().unwrap();
    no_operation_is_left(&own.0);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_idle_terminal_stays_and_a_dead_client_counts_as_lost() {
    let (world, service, alice, _) = world();
    let mut idle = Session::open(&world, &alice, &exec(&["cat"], ""));
    let dead = Session::open(&world, &alice, &exec(&["cat"], ""));
    let (begun, mut pings) = (Instant::now(), 0);
    // The library answers a ping when the next message is read.
    while begun.elapsed() < Duration::from_secs(70) {
        let left = Duration::from_secs(70).saturating_sub(begun.elapsed());
        let next = async { tokio::time::timeout(left, idle.socket.next()).await };
        match world.wait(next) {
            Ok(Some(Ok(Message::Ping(_)))) => pings += 1,
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
    assert!(pings >= 3, "{pings}");
    idle.types("still here\n");
    idle.shows("still here");
    // What it was sent is still there, but it cannot answer any more.
    let (back, mut stream, mut sent) = (dead.back(0), dead.socket.into_inner(), Vec::new());
    let _ = world.wait(stream.read_to_end(&mut sent)); // to the end, or a reset
    let sent = String::from_utf8_lossy(&sent);
    assert!(sent.contains(r#""code":"silent""#), "{sent}");
    let mut back = Session::open(&world, &alice, &back);
    back.types("back again\n");
    back.shows("back again");
    is_stopped(service);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_caller_has_sixteen_sessions_and_one_that_is_closed_makes_room_at_once() {
    let (world, service, alice, bob) = world();
    let_bob_exec(&world, &bob);
    let path = exec(&["sleep", "3131"], "");
    let mut sessions: Vec<_> = (0..16).map(|_| Session::open(&world, &alice, &path)).collect();
    let (problem, code) = Session::refused(&world, &alice, &path);
    assert_eq!((&problem["code"], code), (&json!("too_many"), 4429));
    Session::open(&world, &bob, &path).closes(1000);
    sessions.pop().unwrap().closes(1000);
    let mut once_more = until(
        || {
            let mut session = Session::begin(&world, &alice, &path);
            session.step();
            session.told[0].clone()
        },
        |told| told["session"].is_object(),
    );
    assert_eq!(once_more["session"].take()["lost"], 0);
    for session in sessions {
        session.closes(1000);
    }
    is_stopped(service);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_a_client_does_not_read_waits_at_the_command() {
    let (world, _service, alice, _) = world();
    let script = "rm -f /tmp/api-slow; head -c 67108864 /dev/zero; touch /tmp/api-slow; read line";
    let mut session = Session::open(&world, &alice, &exec(&["sh", "-c", script], "terminal=false"));
    std::thread::sleep(Duration::from_secs(5));
    let there = lxc(&["exec", "c1", "--", "sh", "-c", "ls /tmp"]);
    assert!(!there.contains("api-slow"), "64 MiB went somewhere");
    let mut length = 0;
    loop {
        let closed = session.step();
        let marks = usize::from(!session.shown.is_empty());
        length += session.shown.len() - marks;
        assert!(session.shown[marks..].iter().all(|byte| *byte == 0));
        session.shown.clear();
        if length == 64 << 20 && marks == 1 {
            // The command waits for that. LXD 5.0 loses what is under way of one that has ended.
            session.types("\n");
        }
        if closed.is_some() {
            break;
        }
    }
    assert_eq!((length, session.told.last()), (64 << 20, Some(&json!({"exit": {"code": 0}}))));
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_cloud_that_is_gone_ends_its_sessions_with_an_error() {
    let (world, _service, alice, _) = world();
    // Without a terminal: LXD 5.0 may never end the operation of one whose client is suddenly gone.
    let path = exec(&["sh", "-c", "echo pid=$$.; exec cat"], "terminal=false");
    let mut session = Session::open(&world, &alice, &path);
    session.shows(".");
    let shown = String::from_utf8_lossy(&session.shown).into_owned();
    let pid = shown.split(['=', '.']).nth(1).unwrap().to_owned();
    world.wait(world.sandbox.stop_peer("lxd-real")).unwrap();
    let (told, code) = session.ends();
    let problem = &told.last().unwrap()["error"];
    assert_eq!((&problem["cloud"], code), (&json!("real"), 4503), "{problem}");
    until(|| audit(&alice)[0]["result"].clone(), |result| *result == "failed");
    // A server that does not notice would wait for the command before it stops.
    let _ = Command::new("lxc").args(["exec", "c1", "--", "kill", &pid]).output();
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_shell_is_found_where_there_is_no_sh_and_remembered() {
    let (world, _service, alice, _) = world();
    let own = Own::running("shell");
    lxc(&["exec", &own.0, "--", "/bin/busybox", "rm", "/bin/sh"]);
    let mut operations = Vec::new();
    for _ in 0..2 {
        let mut shell = Session::open(&world, &alice, &of(&own.path(), &[], ""));
        shell.types("echo he''re\n");
        shell.shows("here");
        shell.types("exit 4\n");
        shell.exited(4);
        let object = format!("/api/v1/audit?object=instances/{}&action=exec", own.0);
        let record = until(|| alice.get(&object).is(200)["items"][0].clone(), |record| record["code"] == 4);
        assert_eq!(record["detail"], "a shell");
        operations.push(record["operations"].as_array().unwrap().len());
    }
    assert_eq!(operations, [4, 1]);
}
