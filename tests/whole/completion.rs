//! Completion in real shells, on a terminal, with a stand-in for the running node.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::program::{command, run};
use crate::terminal::Terminal;

/// What a running node tells.
const NAMES: &str = r#"[
  {"cloud": "berlin", "projects": ["default", "team"], "pools": ["zfs"],
   "instances": [{"project": "default", "name": "web"},
                 {"project": "default", "name": "database"},
                 {"project": "team", "name": "wiki"}],
   "images": [{"project": "default", "name": "busybox"}], "profiles": [{"project": "default", "name": "large"}],
   "networks": [{"project": "default", "name": "lxdbr0"}]},
  {"cloud": "paris", "projects": ["default"], "pools": [], "instances": [{"project": "default", "name": "web"}]}]"#;

/// A folder with a configuration of two clouds.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let clouds = ["berlin", "paris"].map(|name| format!("  - {{name: {name}, address: '{name}:8443'}}\n"));
    let text = format!("state_dir: state\nclouds:\n{}", clouds.concat());
    std::fs::write(home.path().join("kolaboree.yaml"), text).unwrap();
    std::fs::create_dir(home.path().join("state")).unwrap();
    home
}

/// Answers each request for names as a running node does, until the test ends.
fn node(home: &Path) {
    let socket = UnixListener::bind(home.join("state/control.sock")).unwrap();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().map_while(Result::ok) {
            let mut request = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while lines.read_line(&mut request).is_ok_and(|length| length > 2) {}
            if request.starts_with("GET /v1/inventory/names HTTP/1.1") {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", NAMES.len());
                let _ = stream.write_all((head + NAMES).as_bytes());
            }
        }
    });
}

/// What the scripts get for these words.
fn candidates(home: &Path, words: &[&str]) -> Vec<String> {
    let mut ask = command(env!("CARGO_BIN_EXE_kolaboree-node"), home);
    let printed = run(ask.args(["__complete", "kolaboree-node"]).args(words));
    assert_eq!((printed.code, &*printed.stderr), (Some(0), ""), "{words:?}");
    printed.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn what_stands_in_a_line_decides_which_names_are_offered() {
    let home = home();
    node(home.path());
    for (words, expected) in [
        (&["lxd", "info", ""][..], &["berlin:", "paris:"][..]),
        (&["lxd", "info", "berlin:"], &["berlin:web", "berlin:database", "berlin:wiki"]),
        (&["lxd", "--project", "team", "info", "berlin:"], &["berlin:wiki"]),
        (&["lxd", "--project", "t"], &["team"]),
        (&["lxd", "start", "berlin:web", "paris:w"], &["paris:web"]),
        (&["lxd", "ping", "p"], &["paris"]),
        (&["lxd", "list", "p"], &["paris:"]),
        (&["lxd", "launch", "--profile", ""], &["large"]),
        (&["lxd", "launch", "--profile=l"], &["--profile=large"]),
        (&["doctor", "b"], &["berlin"]),
        (&["sta"], &["status"]),
        (&["status", "--no-p"], &["--no-peers"]),
        (&["lxd", "info", "-o", "j"], &["json"]),
    ] {
        assert_eq!(candidates(home.path(), words), expected, "{words:?}");
    }
}

#[test]
fn a_name_without_its_cloud_is_told_with_the_clouds_that_have_it() {
    let home = home();
    node(home.path());
    for (name, told) in [
        ("web", "\"web\" does not say in which cloud: write berlin:web or paris:web\n"),
        ("database", "write berlin:database\n"),
        ("nowhere", "write CLOUD:nowhere\n"),
    ] {
        let printed =
            run(command(env!("CARGO_BIN_EXE_kolaboree-node"), home.path()).args(["lxd", "delete", name]));
        assert_eq!(printed.code, Some(2), "{}", printed.stderr);
        assert!(printed.stderr.ends_with(told), "{}", printed.stderr);
    }
}

#[test]
fn without_a_node_or_a_configuration_completion_is_silent() {
    let home = home();
    // The clouds are in the configuration.
    assert_eq!(candidates(home.path(), &["lxd", "info", "ber"]), ["berlin:"]);
    assert_eq!(candidates(home.path(), &["lxd", "info", "berlin:"]), [""; 0]);
    assert!(!home.path().join("state/tailscaled.state").exists(), "it began to join");
    // A node that never answers.
    let _silent = UnixListener::bind(home.path().join("state/control.sock")).unwrap();
    assert_eq!(candidates(home.path(), &["lxd", "info", "berlin:"]), [""; 0]);
    for text in ["clouds: [{name: 1}", "no: such key\n"] {
        std::fs::write(home.path().join("kolaboree.yaml"), text).unwrap();
        assert_eq!(candidates(home.path(), &["lxd", "info", "ber"]), [""; 0]);
    }
    std::fs::remove_file(home.path().join("kolaboree.yaml")).unwrap();
    assert_eq!(candidates(home.path(), &["lxd", "info", "ber"]), [""; 0]);
    assert_eq!(candidates(home.path(), &["lxd", "info", "--config", "nowhere.yaml", "ber"]), [""; 0]);
    assert_eq!(candidates(home.path(), &["lxd", "inf"]), ["info"]);
}

/// The shell on a terminal, with the script of its own.
fn shell(home: &Path, arguments: &[&str], begin: &str) -> Terminal {
    node(home);
    let program = Path::new(env!("CARGO_BIN_EXE_kolaboree-node")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut shell = command(arguments[0], home);
    shell.args(&arguments[1..]).env("PATH", format!("{}:{path}", program.display()));
    let mut shell = Terminal::of(&mut shell, 50, 160);
    shell.types(begin);
    shell.types("echo rea''dy\r");
    shell.shows("ready");
    shell
}

/// Types lines with Tabs in them, and has the shell print what became of each.
fn completes(mut shell: Terminal) {
    for (typed, line) in [
        ("kolaboree-node lxd inf\tber\tda\t", "kolaboree-node lxd info berlin:database"),
        ("kolaboree-node lxd info paris:\t", "kolaboree-node lxd info paris:web"),
        ("kolaboree-node lxd delete paris:web berlin:we\t", "kolaboree-node lxd delete paris:web berlin:web"),
        ("kolaboree-node lxd launch --profile \t", "kolaboree-node lxd launch --profile large"),
        ("kolaboree-node lxd launch --profile=l\t", "kolaboree-node lxd launch --profile=large"),
        ("kolaboree-node doctor par\t", "kolaboree-node doctor paris"),
    ] {
        shell.types(typed);
        shell.types("\x01echo to''ld: \r"); // Ctrl-A: to the line's begin
        shell.shows(&format!("told: {line}\r\n"));
    }
    shell.types("exit\r");
    assert!(shell.program.wait().unwrap().success());
}

#[test]
fn bash_completes_names() {
    let home = home();
    let begin =
        "PS1='> '; bind 'set enable-bracketed-paste off'; source <(kolaboree-node completions bash)\r";
    completes(shell(home.path(), &["bash", "--norc", "--noprofile", "-i"], begin));
}

#[test]
#[ignore = "needs zsh: cargo test -p kolaboree-node --test whole -- --ignored zsh_completes"]
fn zsh_completes_names() {
    let home = home();
    let begin = "PS1='> '; autoload -U compinit; compinit -u; source <(kolaboree-node completions zsh)\r";
    completes(shell(home.path(), &["zsh", "-f", "-i"], begin));
}

#[test]
#[ignore = "needs fish: cargo test -p kolaboree-node --test whole -- --ignored fish_completes"]
fn fish_completes_names() {
    let home = home();
    let begin = "kolaboree-node completions fish | source\r";
    completes(shell(home.path(), &["setsid", "--ctty", "fish", "--no-config", "-i"], begin));
}
