//! The `lxd` commands, and stock clients through the proxies, on a real LXD: the one of `LXD_DIR`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use lxd_client::Client;
use serde_json::Value;
use tailnet_sandbox::Peer;

use crate::node::{Service, World, until};
use crate::program::run;
use crate::real_lxd::{lxc, lxd_dir};
use crate::terminal::Terminal;

/// A world with a cloud `real`, which is the server of `LXD_DIR`, beside `berlin`, the stand-in, and a service that
/// both trust.
pub(crate) fn with_real(kind: &str) -> (World, Service) {
    let (world, mut service) = trusted_for(kind, None);
    // The token is used by itself, once.
    service.says("it trusts this node now, by its token");
    until(
        || world.json(&["status"])["clouds"][1]["health"]["trusted"].clone(),
        |trusted| *trusted == Value::Bool(true),
    );
    (world, service)
}

/// The same with whichever server there is, LXD or Incus: `lxc` works with both.
pub(crate) fn with_server() -> (World, Service) {
    with_real(if is_incus() { "incus" } else { "lxd" })
}

/// Whether the server of `LXD_DIR` is an Incus.
pub(crate) fn is_incus() -> bool {
    std::env::var("LXD_SERVER").is_ok_and(|server| server == "incus")
}

/// The same, where the token is for these projects only.
pub(crate) fn trusted_for(kind: &str, projects: Option<&[&str]>) -> (World, Service) {
    let (server, token) = block_on(async {
        let client = local();
        (client.server().await.unwrap(), client.create_trust_token("test", projects).await.unwrap())
    });
    let address = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
    let world = World::with([Peer::new("lxd").forward(8443, address)]);
    world.write("token", token.reveal());
    world.configure(&format!(
        "local: {{listen: none}}\nclouds:\n{}  - name: real\n    kind: {kind}\n    address: lxd:8443\n    trust: {{token: 'file:token'}}\n    proxy: {{unix: real/unix.socket}}\n    checks: {{silence: 20}}\n",
        world.berlin()
    ));
    std::fs::create_dir(world.path("real")).unwrap();
    let mut service = world.start();
    service.joins();
    (world, service)
}

pub(crate) fn local() -> Client {
    Client::unix(&lxd_dir().join("unix.socket"), std::time::Duration::from_secs(10)).unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// A stock client that takes the proxy for the LXD of this machine.
fn stock(world: &World, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("LXD_DIR", world.path("real"))
        .env("HOME", world.home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {stdout} {stderr}");
    stdout.into_owned()
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_lxd_commands_work_across_clouds() {
    let (world, service) = with_real("lxd");
    let probes = world.json(&["lxd", "ping"]);
    assert_eq!(
        (&probes[0]["name"], &probes[1]["health"]["server"]),
        (&"berlin".into(), &"lxd".into()),
        "{probes}"
    );

    // The stand-in does not trust this node: the others are listed all the same, and the code says that one failed.
    let all = world.run(&["lxd", "list", "-o", "json"]);
    assert_eq!(all.code, Some(9), "{}", all.stderr);
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    assert!(all.as_array().unwrap().iter().any(|i| i["cloud"] == "real" && i["name"] == "c1"), "{all}");
    assert!(world.good(&["lxd", "list", "real"]).contains("RUNNING"));
    assert!(world.good(&["lxd", "list", "real:status=running"]).contains("RUNNING"));
    assert!(!world.good(&["lxd", "list", "real:status=frozen"]).contains("RUNNING"));
    assert_eq!(world.json(&["lxd", "info", "real"])["server"], "lxd");
    assert_eq!(world.json(&["lxd", "info", "real:c1"])["status"], "Running");

    assert_eq!(
        world.good(&["lxd", "exec", "real:c1", "--env", "A=b c", "--", "sh", "-c", "echo $A; pwd"]),
        "b c\n/root\n"
    );
    assert_eq!(world.run(&["lxd", "exec", "real:c1", "--", "sh", "-c", "exit 7"]).code, Some(7));
    let mut cat = world.program();
    let mut cat = cat.args(["lxd", "exec", "real:c1", "cat"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut cat.stdin.take().unwrap(), b"from here").unwrap();
    assert_eq!(crate::program::finish(cat).stdout, "from here");
    // As with `lxc exec`: what cannot be run is said, and a loop keeps its input.
    for (command, code, why) in
        [("nosuch", 127, "real:c1: Command not found"), ("/root", 126, "real:c1: Command not executable")]
    {
        let told = world.run(&["lxd", "exec", "real:c1", "--", command]);
        assert_eq!((told.code, told.stdout.as_str()), (Some(code), ""), "{}", told.stderr);
        assert!(told.stderr.contains(why), "{}", told.stderr);
    }
    for flag in ["-n", "--mode=non-interactive"] {
        let mut cat = world.program();
        let mut cat =
            cat.args(["lxd", "exec", flag, "real:c1", "cat"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = cat.stdin.take().unwrap();
        let _ = std::io::Write::write_all(&mut input, b"next line"); // nobody has to read it
        // With -n it ends although its input does not.
        let _open = (flag == "-n").then_some(input);
        let read = if flag == "-n" { "" } else { "next line" };
        assert_eq!(crate::program::finish(cat).stdout, read, "{flag}");
    }
    let missing = world.run(&["lxd", "exec", "real:none", "true"]);
    assert_eq!(missing.code, Some(5), "{}", missing.stderr);

    // Other tests use c1, and go on meanwhile.
    world.good(&["lxd", "launch", "busybox", "real:c2", "-c", "user.made=here"]);
    assert_eq!(lxc(&["config", "get", "c2", "user.made"]).trim(), "here");
    world.write("file", "some bytes");
    world.good(&["lxd", "file", "push", "file", "real:c2/root/"]);
    assert_eq!(lxc(&["exec", "c2", "--", "cat", "/root/file"]), "some bytes");
    world.good(&["lxd", "file", "pull", "real:c2/root/file", "back"]);
    assert_eq!(std::fs::read_to_string(world.path("back")).unwrap(), "some bytes");
    world.good(&["lxd", "file", "delete", "real:c2/root/file"]);
    assert_eq!(world.run(&["lxd", "file", "pull", "real:c2/root/file", "x"]).code, Some(5));

    let mut program = world.program();
    program.args(["lxd", "events", "real", "-o", "json"]).stdout(Stdio::piped());
    let mut events = program.spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(events.stdout.take().unwrap()));
    let seen = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Until the events are listened to, more have to happen.
        scope.spawn(|| {
            while !seen.load(std::sync::atomic::Ordering::Relaxed) {
                world.good(&["lxd", "restart", "real:c2", "--force"]);
            }
        });
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        seen.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!((&event["cloud"], &event["kind"]), (&"real".into(), &"lifecycle".into()), "{event}");
    });
    events.kill().unwrap();
    events.wait().unwrap();

    world.good(&["lxd", "stop", "real:c2", "--force"]);
    assert_eq!(lxc(&["list", "c2", "--format", "csv", "--columns", "ns"]), "c2,STOPPED\n");
    world.good(&["lxd", "start", "real:c2"]);
    assert_eq!(lxc(&["list", "c2", "--format", "csv", "--columns", "ns"]), "c2,RUNNING\n");
    world.good(&["lxd", "delete", "real:c2", "--force"]);
    world.good(&["lxd", "launch", "busybox", "real:c4", "--ephemeral"]);
    world.good(&["lxd", "stop", "real:c4", "--force"]);
    until(
        || lxc(&["list", "--format", "csv", "--columns", "n"]),
        |names| !names.lines().any(|name| ["c2", "c4"].contains(&name)),
    );
    let gone = world.run(&["lxd", "start", "real:c2"]);
    assert_eq!(gone.code, Some(5), "{}", gone.stderr);
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn files_are_sent_and_fetched_as_cp_does_it() {
    let (world, service) = with_real("lxd");
    world.good(&["lxd", "launch", "busybox", "real:c6"]);
    let inside = |script: &str| lxc(&["exec", "c6", "--", "sh", "-c", script]);
    let file = |arguments: &[&str]| world.good(&[&["lxd", "file"], arguments].concat());
    let fails = |arguments: &[&str]| world.run(&[&["lxd", "file"], arguments].concat());
    std::fs::create_dir(world.path("tree")).unwrap();
    world.write("tree/a", "a");
    world.write("b", "b");
    std::os::unix::fs::symlink("a", world.path("tree/link")).unwrap();

    // Into a folder that is there, with or without a slash; a folder itself where nothing is.
    inside("mkdir /root/to");
    file(&["push", "b", "real:c6/root/to"]);
    file(&["push", "tree", "b", "real:c6/root/to"]);
    file(&["push", "tree", "real:c6/root/new"]);
    file(&["push", "tree", "real:c6/root/new/"]);
    assert_eq!(inside("cd /root; cat to/b to/tree/a new/a new/tree/a"), "baaa");
    std::fs::remove_file(world.path("tree/link")).unwrap();
    std::os::unix::fs::symlink("nowhere", world.path("tree/link")).unwrap();
    file(&["push", "tree", "real:c6/root/to"]);
    assert_eq!(inside("readlink /root/to/tree/link"), "nowhere\n");
    let told = fails(&["push", "tree", "b", "real:c6/root/to/b"]);
    assert!(told.code == Some(2) && told.stderr.contains("is not a folder"), "{}", told.stderr);

    // A second time what is there is replaced.
    for _ in 0..2 {
        file(&["pull", "real:c6/root/to/tree", "."]);
        file(&["pull", "real:c6/root/to/b", "fetched"]);
    }
    assert_eq!(std::fs::read_link(world.path("tree/link")).unwrap().to_str(), Some("nowhere"));
    assert_eq!(std::fs::read_to_string(world.path("fetched")).unwrap(), "b");

    // The standard input and output, a named pipe here, and a link there.
    let mut push = world.program();
    let mut push =
        push.args(["lxd", "file", "push", "-", "real:c6/root/typed"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut push.stdin.take().unwrap(), b"typed").unwrap();
    assert_eq!(crate::program::finish(push).code, Some(0));
    file(&["push", "tree/a", "real:c6/root/linked"]);
    inside("cd /root; rm linked; mv to/b to/c");
    world.wait(local().instance("c6").files().symlink("typed", "/root/linked", &Default::default())).unwrap();
    assert_eq!(file(&["pull", "real:c6/root/linked", "-"]), "typed");
    assert_eq!(file(&["pull", "real:c6/root/linked", "linked"]), "");
    assert!(std::fs::symlink_metadata(world.path("linked")).unwrap().is_file());
    assert_eq!(fails(&["push", "-", "real:c6/root/to"]).code, Some(2));
    assert_eq!(fails(&["pull", "real:c6/root/to", "-"]).code, Some(2));
    let mut both = Command::new("sh");
    let script = "mkfifo p; echo piped > p & exec \"$0\" lxd file push p real:c6/root/piped";
    let both = both.args(["-c", script, env!("CARGO_BIN_EXE_kolaboree-node")]).current_dir(world.home.path());
    assert!(both.env("HOME", world.home.path()).status().unwrap().success());
    assert_eq!(inside("cat /root/piped"), "piped\n");

    // What has no end is left out, and the code says that something is.
    inside("mkfifo /root/to/pipe");
    let pulled = fails(&["pull", "real:c6/root/to", "to"]);
    assert_eq!(pulled.code, Some(1));
    assert_eq!(pulled.stderr, "left out: /root/to/pipe: it is a named pipe\n");
    assert_eq!(std::fs::read_to_string(world.path("to/c")).unwrap(), "b");
    world.good(&["lxd", "delete", "--force", "real:c6"]);
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_command_has_a_terminal_where_lxd_exec_has_one() {
    let (world, service) = with_real("lxd");
    let mut terminal = Terminal::of(world.program().args(["lxd", "exec", "real:c1", "sh"]), 31, 97);
    terminal.shows("/root # ");
    terminal.types("stty size; echo $TERM\r");
    terminal.shows("31 97\r\nvt220\r\n");
    // The size arrives by a way of its own.
    terminal.resizes(40, 120);
    terminal.types("while [ \"$(stty size)\" != '40 120' ]; do sleep 0.1; done; echo resi''zed\r");
    terminal.shows("resized\r\n");
    terminal.types("echo s''leeps; sleep 1000\r");
    terminal.shows("sleeps\r\n");
    terminal.answers("\x03", "/root # ");
    terminal.types("exit 5\r");
    assert_eq!(terminal.program.wait().unwrap().code(), Some(5));

    // Progress is shown to people.
    world.write("file", &"some bytes".repeat(100_000));
    let mut push =
        Terminal::of(world.program().args(["lxd", "file", "push", "file", "real:c1/tmp/"]), 24, 80);
    push.shows("of 976.56 KiB");
    assert!(push.program.wait().unwrap().success());
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn stock_lxc_works_through_the_proxy() {
    let (world, service) = with_real("lxd");
    let lxc = |arguments: &[&str]| stock(&world, "lxc", arguments);
    assert!(lxc(&["list", "--format", "csv", "--columns", "ns"]).contains("c1,RUNNING"));
    assert_eq!(lxc(&["exec", "c1", "--", "echo", "hello"]), "hello\n");
    world.write("pushed", "by lxc");
    lxc(&["file", "push", world.path("pushed").to_str().unwrap(), "c1/root/pushed"]);
    assert_eq!(lxc(&["exec", "c1", "--", "cat", "/root/pushed"]), "by lxc");
    lxc(&["launch", "busybox", "c3"]);
    assert!(lxc(&["list", "c3", "--format", "csv", "--columns", "s"]).contains("RUNNING"));
    lxc(&["delete", "--force", "c3"]);

    // When the node is down the client is told so, at once.
    assert_eq!(world.json(&["down"])["state"], "Stopped");
    let output = Command::new("lxc")
        .args(["list"])
        .env("LXD_DIR", world.path("real"))
        .env("HOME", world.home.path())
        .output();
    let told = String::from_utf8_lossy(&output.unwrap().stderr).into_owned();
    assert!(told.contains("has not joined its tailnet"), "{told}");
    assert_eq!(world.json(&["up"])["state"], "Running");
    until(|| world.run(&["lxd", "list", "real"]).code, |code| *code == Some(0));
    assert!(lxc(&["list"]).contains("c1"));
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_lxd_commands_join_by_themselves_where_no_node_runs() {
    let (world, service) = with_real("lxd");
    service.ends_on("TERM");
    // The token is used up, and its file is removed: the pin is in the configuration then.
    let pin = run(world.program().args(["lxd", "info", "real", "-o", "json"]));
    let pin: Value = serde_json::from_str(&pin.stdout).unwrap();
    let text = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    let fingerprint = format!("fingerprint: {}", pin["fingerprint"].as_str().unwrap());
    world.write("kolaboree.yaml", &text.replace("token: 'file:token'", &fingerprint));
    std::fs::remove_file(world.path("token")).unwrap();
    assert_eq!(world.good(&["lxd", "exec", "real:c1", "--", "echo", "alone"]), "alone\n");
    let doctor = world.good(&["doctor", "real"]);
    assert!(doctor.contains("it is lxd 5.0.2, and trusts this node"), "{doctor}");
}

/// A node that a server trusts for one project only says so, and works in it.
fn confined(kind: &str) {
    let mut project = lxd_client::Project::new("confined");
    for feature in ["images", "profiles"] {
        project.config.insert(format!("features.{feature}"), "false".to_owned());
    }
    block_on(local().create_project(&project)).unwrap();
    let (world, mut service) = trusted_for(kind, Some(&["confined"]));
    let wrong = "it lets this node use the project confined, and not default";
    service.says(wrong);
    assert!(world.good(&["status"]).contains("not in its project"));
    let health = || world.json(&["status"])["clouds"][1]["health"].clone();
    assert_eq!((&health()["reachable"], &health()["projects"][0]), (&true.into(), &"confined".into()));
    let doctor = world.run(&["doctor", "real"]);
    assert_eq!(doctor.code, Some(1));
    assert!(
        doctor.stdout.contains(wrong) && doctor.stdout.contains("project: confined"),
        "{}",
        doctor.stdout
    );

    for command in [&["list", "real"][..], &["info", "real:i"], &["exec", "real:i", "true"]] {
        let told = world.run(&[&["lxd"], command].concat());
        assert_eq!(told.code, Some(9), "{}", told.stderr);
        for words in ["lets this client use the project confined, and not default", "lxd --project"] {
            assert!(told.stderr.contains(words), "{}", told.stderr);
        }
    }
    assert_eq!(world.json(&["lxd", "info", "real"])["auth"], "trusted");
    world.good(&["lxd", "--project", "confined", "launch", "busybox", "real:i"]);
    assert!(world.good(&["lxd", "list", "real", "--project=confined"]).contains("RUNNING"));

    let text = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    world.write("kolaboree.yaml", &text.replace("kind: ", "project: confined\n    kind: "));
    world.good(&["reload"]);
    until(health, |health| health["reachable"] == true && health["projects"].is_null());
    let doctor = world.good(&["doctor", "real"]);
    assert!(doctor.contains("and trusts this node"), "{doctor}");
    assert_eq!(world.good(&["lxd", "exec", "real:i", "--", "echo", "inside"]), "inside\n");
    world.write("file", "some bytes");
    world.good(&["lxd", "file", "push", "file", "real:i/root/"]);
    world.good(&["lxd", "file", "pull", "real:i/root/file", "back"]);
    world.good(&["lxd", "delete", "--force", "real:i"]);
    service.ends_on("TERM");
    block_on(local().project_named("confined").delete()).unwrap();
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_command_ends_with_an_error_while_its_server_is_out_of_reach() {
    let (world, service) = with_real("lxd");
    let mut exec = world.program();
    exec.args(["lxd", "exec", "real:c1", "--", "sh", "-c", "echo begun; exec sleep 300"]);
    let mut exec = exec.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(exec.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    let sandbox = world.sandbox.pid().unwrap().to_string();
    let signal = |name: &str| Command::new("kill").args(["-s", name, &sandbox]).status().unwrap();
    assert!(signal("STOP").success());
    let ended = crate::program::finish(exec);
    assert!(signal("CONT").success());
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
    assert!(ended.stderr.contains("the server has been silent for 20 s"), "{}", ended.stderr);
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_node_that_a_server_confines_to_a_project_says_so_and_works_in_it() {
    confined("lxd");
}

#[test]
#[ignore = "needs a real Incus: .ci/with-incus cargo test -p kolaboree-node --test whole -- --ignored incus"]
fn a_node_that_an_incus_confines_to_a_project_says_so_and_works_in_it() {
    confined("incus");
}

/// With the Python that `PYLXD_PYTHON` names, which has pylxd.
#[test]
#[ignore = "needs a real LXD and pylxd: PYLXD_PYTHON=… .ci/with-lxd cargo test -p kolaboree-node --test whole -- --ignored pylxd"]
fn pylxd_works_through_the_proxy() {
    let (world, service) = with_real("lxd");
    let script = "import pylxd
client = pylxd.Client()
instance = client.instances.get('c1')
assert instance.status == 'Running', instance.status
result = instance.execute(['echo', 'hello'])
assert (result.exit_code, result.stdout) == (0, 'hello\\n'), result
instance.files.put('/root/by-pylxd', b'bytes')
assert instance.files.get('/root/by-pylxd') == b'bytes'
print(client.host_info['environment']['server'])
";
    world.write("script.py", script);
    let python = std::env::var("PYLXD_PYTHON").expect("PYLXD_PYTHON");
    assert_eq!(stock(&world, &python, &[world.path("script.py").to_str().unwrap()]), "lxd\n");
    service.ends_on("TERM");
}

#[test]
#[ignore = "needs a real Incus: .ci/with-incus cargo test -p kolaboree-node --test whole -- --ignored incus"]
fn a_real_incus_is_a_cloud_as_an_lxd_is() {
    let (world, service) = with_real("incus");
    assert_eq!(world.json(&["lxd", "info", "real"])["server"], "incus");
    assert!(world.good(&["lxd", "list", "real"]).contains("RUNNING"));
    assert_eq!(world.good(&["lxd", "exec", "real:c1", "--", "echo", "hello"]), "hello\n");
    world.write("file", "some bytes");
    world.good(&["lxd", "file", "push", "file", "real:c1/root/"]);
    world.good(&["lxd", "file", "pull", "real:c1/root/file", "back"]);
    assert_eq!(std::fs::read_to_string(world.path("back")).unwrap(), "some bytes");
    world.good(&["lxd", "launch", "busybox", "real:c2", "--ephemeral"]);
    world.good(&["lxd", "stop", "real:c2", "--force"]);
    until(|| world.run(&["lxd", "info", "real:c2"]).code, |code| *code == Some(5));
    let doctor = world.good(&["doctor", "real"]);
    assert!(doctor.contains("it is incus ") && !doctor.contains("the configuration says"), "{doctor}");
    service.ends_on("TERM");
}
