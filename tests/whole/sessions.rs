//! What works inside an instance, beside `lxc` with the same arguments, on a real LXD or Incus: the one of `LXD_DIR`.

use std::process::{Command, Stdio};

use crate::clouds::with_server;
use crate::node::World;
use crate::program::{Printed, finish};
use crate::real_lxd::lxc;
use crate::terminal::Terminal;

/// An instance of a test's own, deleted at its end.
pub(crate) struct Instance(&'static str);

impl Instance {
    pub(crate) fn launch(name: &'static str) -> Instance {
        lxc(&["launch", "busybox", name]);
        Instance(name)
    }

    /// Runs a script in it.
    pub(crate) fn inside(&self, script: &str) -> String {
        lxc(&["exec", self.0, "--", "sh", "-c", script])
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = Command::new("lxc").args(["delete", "--force", self.0]).output();
    }
}

/// The same arguments for `lxc` and for `lxd` here, where `@` stands for the instance, which is this one for `lxc` and that one here.
pub(crate) fn both(world: &World, arguments: &[&str], input: &str, instances: [&str; 2]) -> [Printed; 2] {
    let with = |mut program: Command, prefix: &[&str], instance: &str| {
        let arguments = arguments.iter().map(|argument| argument.replace('@', instance));
        program.args(prefix).args(arguments).current_dir(world.home.path());
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.env("TERM", "vt220").spawn().unwrap();
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
        finish(child)
    };
    let [theirs, ours] = instances;
    [with(Command::new("lxc"), &[], theirs), with(world.program(), &["lxd"], &format!("real:{ours}"))]
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn exec_does_what_lxc_exec_does() {
    let (world, service) = with_server();
    let instance = Instance::launch("session-exec");
    let same = |arguments: &[&str], input: &str| {
        let [theirs, ours] = both(&world, arguments, input, ["session-exec"; 2]);
        assert_eq!(
            (ours.code, &ours.stdout),
            (theirs.code, &theirs.stdout),
            "{arguments:?}: {}",
            ours.stderr
        );
        ours
    };
    for arguments in [
        &["exec", "@", "--", "sh", "-c", "env | sort"][..],
        &["exec", "@", "--env", "A=b c", "--env", "TERM=x", "--", "sh", "-c", "echo $A $TERM"],
        &["exec", "@", "--cwd", "/etc", "--", "pwd"],
        &["exec", "@", "--user", "1000", "--", "id"],
        &["exec", "@", "--group", "5", "--", "id"],
        &["exec", "@", "--user", "7", "--group", "8", "--", "id"],
        &["exec", "@", "-T", "--", "tty"],
        &["exec", "@", "-n", "--", "cat"],
        &["exec", "@", "--mode", "non-interactive", "--", "sh", "-c", "exit 9"],
        &["exec", "@", "cat"],
        &["exec", "@", "--", "sh", "-c", "kill -9 $$"],
        &["exec", "@", "--", "nosuch"],
        &["exec", "@", "--", "/root"],
    ] {
        same(arguments, "typed");
    }
    // Without su or root's name it is a login shell all the same; lxc's alias needs both.
    let shell = |input: &str| run_with(world.program().args(["lxd", "shell", "real:session-exec"]), input);
    let plain = shell("echo $0 $HOME; pwd; exit 4\n");
    assert_eq!((plain.code, plain.stdout.as_str()), (Some(4), "sh /root\n/root\n"), "{}", plain.stderr);
    instance.inside("echo root:x:0:0:root:/tmp:/bin/sh > /etc/passwd; echo echo profile > /tmp/.profile");
    assert_eq!(same(&["shell", "@"], "echo $0 $HOME; pwd; exit 4\n").stdout, "profile\n-sh /tmp\n/tmp\n");
    let set = ["lxd", "shell", "real:session-exec", "--user", "7", "--env", "A=b", "--cwd", "/etc"];
    let set = run_with(world.program().args(set), "id -u; echo $A; pwd\n");
    assert_eq!((set.code, set.stdout.as_str()), (Some(0), "7\nb\n/etc\n"), "{}", set.stderr);

    lxc(&["stop", "--force", "session-exec"]);
    for verb in [&["exec", "@", "--", "true"][..], &["shell", "@"], &["console", "@"]] {
        let [theirs, ours] = both(&world, verb, "", ["session-exec"; 2]);
        assert_eq!((ours.code, theirs.code), (Some(1), Some(1)), "{verb:?}: {}", ours.stderr);
    }
    service.ends_on("TERM");
}

fn run_with(program: &mut Command, input: &str) -> Printed {
    let mut child = program.stdin(Stdio::piped()).spawn().unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    finish(child)
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_signal_goes_to_the_command_and_leaves_the_terminal_sane() {
    let (world, service) = with_server();
    let _instance = Instance::launch("session-signal");
    let script = "trap 'exit 42' TERM INT HUP; echo rea''dy; while :; do sleep 0.1; done";
    for signal in ["TERM", "INT", "HUP"] {
        for flag in ["-T", "-t"] {
            let mut program = world.program();
            program.args(["lxd", "exec", flag, "real:session-signal", "--", "sh", "-c", script]);
            let mut terminal = Terminal::of(&mut program, 24, 80);
            terminal.shows("ready");
            assert_eq!(terminal.is_sane(), flag == "-T");
            // The exit code tells that it was caught: what is written to a terminal right before the end may be lost.
            terminal.signals(signal);
            assert_eq!(terminal.program.wait().unwrap().code(), Some(42), "{signal} {flag}");
            assert!(terminal.is_sane(), "{signal} {flag}");
        }
    }

    let mut shell = Terminal::of(world.program().args(["lxd", "shell", "real:session-signal"]), 31, 97);
    shell.shows("# ");
    shell.types("stty size; sleep 1000\r");
    shell.shows("31 97\r\n");
    shell.answers("\x03", "# "); // a shell that is about to begin a command takes it, and goes on
    shell.resizes(40, 120);
    shell.types("while [ \"$(stty size)\" != '40 120' ]; do sleep 0.1; done; exit 6\r");
    assert_eq!(shell.program.wait().unwrap().code(), Some(6));
    assert!(shell.is_sane());
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_console_is_left_in_order_by_its_keys_and_by_signals() {
    let (world, service) = with_server();
    let instance = Instance::launch("session-console");
    instance.inside("echo '::respawn:-/bin/sh' > /etc/inittab");
    lxc(&["restart", "--force", "session-console"]);
    let attach = |rows, columns| {
        let mut program = world.program();
        let mut console =
            Terminal::of(program.args(["lxd", "console", "real:session-console"]), rows, columns);
        console.shows("<ctrl>+a q");
        console.answers("\r", "# "); // init may be starting the shell anew, which drops what was typed
        assert!(!console.is_sane());
        console
    };
    let mut console = attach(31, 97);
    console.types("echo on the con''sole; sleep 1000\r");
    console.shows("on the console");
    console.answers("\x03", "# ");
    console.types("echo q''uiet\r");
    console.shows("quiet");
    console.types("\x01q");
    assert_eq!(console.program.wait().unwrap().code(), Some(0));
    assert!(console.is_sane());
    // Nobody is attached any more, and the server has taken no harm: the next one is taken each time.
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let mut console = attach(24, 80);
        console.signals(signal);
        assert_eq!(console.program.wait().unwrap().code(), Some(code));
        assert!(console.is_sane(), "{signal}");
    }
    let mut console = attach(24, 80);
    lxc(&["stop", "--force", "session-console"]);
    assert_eq!(console.program.wait().unwrap().code(), Some(0));
    // The verbs that start it join it, too.
    for verb in ["start", "restart"] {
        let mut program = world.program();
        program.args(["lxd", verb, "real:session-console", "--console"]);
        let mut console = Terminal::of(program.args((verb == "restart").then_some("--force")), 24, 80);
        console.shows("<ctrl>+a q");
        console.answers("\r", "# ");
        console.types("\x01q");
        assert_eq!(console.program.wait().unwrap().code(), Some(0), "{verb}");
    }
    let two = world.run(&["lxd", "start", "real:session-console", "real:c1", "--console"]);
    assert!(two.code == Some(2) && two.stderr.contains("single instance"), "{}", two.stderr);
    let vga = world.run(&["lxd", "console", "real:session-console", "--type=vga"]);
    assert_eq!(vga.code, Some(2));
    let instead = "LXD_DIR=real lxc console --type=vga session-console";
    assert!(vga.stderr.contains(instead), "{}", vga.stderr);
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_logs_of_an_instance_are_listed_shown_followed_and_deleted() {
    let (world, service) = with_server();
    let _instance = Instance::launch("session-logs");
    let files = world.json(&["lxd", "logs", "real:session-logs"]);
    assert!(files.as_array().unwrap().contains(&"lxc.log".into()), "{files}");
    let log = crate::real_lxd::lxd_dir().join("logs/session-logs/lxc.log");
    assert_eq!(
        world.good(&["lxd", "logs", "real:session-logs", "lxc.log"]),
        std::fs::read_to_string(&log).unwrap()
    );
    assert_eq!(world.run(&["lxd", "logs", "real:session-logs", "exec_nosuch.stdout"]).code, Some(1));
    let refused = world.run(&["lxd", "logs", "real:session-logs", "lxc.log", "--delete"]);
    assert!(refused.stderr.contains("be deleted"), "{}", refused.stderr);

    let mut program = world.program();
    program.args(["lxd", "logs", "real:session-logs", "lxc.log", "--follow"]);
    let mut follower = Terminal::of(&mut program, 24, 80);
    let mut grow = std::fs::File::options().append(true).open(&log).unwrap();
    for line in ["one more", "and another"] {
        std::io::Write::write_all(&mut grow, format!("{line}\n").as_bytes()).unwrap();
        follower.shows(line);
    }
    grow.set_len(0).unwrap();
    std::io::Write::write_all(&mut grow, b"anew\n").unwrap();
    follower.shows("anew");
    follower.signals("INT");
    follower.program.wait().unwrap();
    service.ends_on("TERM");
}
