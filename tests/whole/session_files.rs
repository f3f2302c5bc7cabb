//! `lxd file` beside `lxc file` with the same arguments, on a real LXD or Incus: the one of `LXD_DIR`.

use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, Stdio};

use crate::clouds::with_server;
use crate::node::{World, until};
use crate::program::finish;
use crate::sessions::{Instance, both};
use crate::terminal::Terminal;

/// What is in a folder of the instance: kind, permissions, owner, length and path of each.
fn tree(instance: &Instance, folder: &str) -> String {
    let list = format!("cd {folder} && find . ! -name . -exec stat -c '%A %u:%g %n %N' {{}} + | sort -k3");
    instance.inside(&list)
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn file_does_what_lxc_file_does() {
    let (world, service) = with_server();
    // The same instance twice: lxc's arguments name the one, and ours the other.
    let [theirs, ours] = ["session-theirs", "session-ours"].map(Instance::launch);
    let mine = world.path("tree/sub");
    std::fs::create_dir_all(&mine).unwrap();
    for (name, mode) in [("f", 0o640), ("g", 0o755), ("tree/sub/h", 0o600)] {
        world.write(name, &format!("this is {name}"));
        std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        chown(world.path(name), Some(1234), Some(555)).unwrap();
    }
    let compare = |arguments: &[&str], input: &str| {
        let [they, we] = both(&world, arguments, input, ["session-theirs", "session-ours"]);
        let same = (they.code == Some(0)) == (we.code == Some(0)) && they.stdout.ends_with(&we.stdout);
        assert!(same, "{arguments:?}: {} {} {}; {}", we.stdout, we.stderr, they.stdout, they.stderr);
        assert_eq!(tree(&ours, "/root"), tree(&theirs, "/root"), "{arguments:?}: {}", we.stderr);
    };
    for arguments in [
        &["file", "push", "f", "@/root/f"][..],
        &["file", "push", "g", "@/root/f"], // keeps owner and permissions of the one that is there
        &["file", "push", "f", "g", "@/root/"],
        &["file", "push", "f", "@/root/owned", "--uid", "7", "--gid=8", "--mode=0604"],
        &["file", "push", "f", "@/root/half-owned", "--uid", "7", "--mode", "604"],
        &["file", "push", "f", "@/root/a/b/c"],
        &["file", "push", "nosuch", "@/root/"],
        &["file", "push", "f", "@/root/f/f"],
        &["file", "push", "f", "g", "@/root/f"],
        &["file", "push", "-r", "tree", "@/root"],
        &["file", "push", "-r", "tree", "@/root/nosuch"],
        &["file", "pull", "@/root/f", "-"],
        &["file", "pull", "@/root/nosuch", "-"],
        &["file", "delete", "@/root/tree"], // it is not empty
        &["file", "delete", "@/root/f", "@/root/g"],
        &["file", "delete", "@/root/nosuch"],
        &["file", "edit", "@/root/half-owned"],
    ] {
        compare(arguments, "typed");
    }
    assert_eq!(ours.inside("cat /root/half-owned"), "typed");

    let file = |arguments: &[&str]| world.run(&[&["lxd", "file"], arguments].concat());
    let good = |arguments: &[&str]| {
        let done = file(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.stderr);
    };
    // Folders above are made; lxc gives them the permissions of the file.
    good(&["push", "-p", "f", "real:session-ours/root/a/b/c"]);
    good(&["push", "-p", "-r", "tree", "real:session-ours/root/x/y"]);
    assert_eq!(ours.inside("cat /root/a/b/c /root/x/y/tree/sub/h"), "this is fthis is tree/sub/h");
    // What is given applies to a file that is there, too.
    good(&["push", "g", "real:session-ours/root/a/b/c", "--mode=600"]);
    assert_eq!(ours.inside("stat -c '%a %u:%g' /root/a/b/c; ls -A /root/a/b"), "600 1234:555\nc\n");
    // A link is followed, and what is no file is not replaced by one.
    ours.inside("busybox ln -s a/b/c /root/link; mkfifo /root/pipe");
    good(&["push", "f", "real:session-ours/root/link"]);
    assert_eq!(ours.inside("readlink /root/link; cat /root/a/b/c"), "a/b/c\nthis is f");
    let pipe = file(&["push", "f", "real:session-ours/root/pipe"]);
    assert!(pipe.stderr.contains("/root/pipe is a named pipe"), "{}", pipe.stderr);
    assert_eq!(file(&["push", "f", "real:session-ours/dev/null"]).code, Some(2));

    good(&["pull", "-r", "-p", "real:session-ours/root/x", "real:session-ours/root/a", "to/there"]);
    assert_eq!(std::fs::read_to_string(world.path("to/there/x/y/tree/sub/h")).unwrap(), "this is tree/sub/h");
    assert_eq!(std::fs::read_to_string(world.path("to/there/a/b/c")).unwrap(), "this is f");
    good(&["pull", "-p", "real:session-ours/root/a/b/c", "new/folder/c"]);
    assert!(world.path("new/folder/c").is_file());

    good(&["create", "real:session-ours/root/n/e/w", "-p", "--mode=600", "--uid=5", "--gid=6"]);
    good(&["create", "real:session-ours/root/folder/"]);
    good(&["create", "real:session-ours/root/l", "/etc/passwd", "--type=symlink"]);
    let made = ours.inside("cd /root; stat -c '%a %u:%g %s' n/e/w; test -d folder && readlink l");
    assert_eq!(made, "600 5:6 0\n/etc/passwd\n");
    let again = file(&["create", "real:session-ours/root/l", "x", "--type", "symlink"]);
    assert!(again.code == Some(2) && again.stderr.contains("is there already"), "{}", again.stderr);
    good(&["create", "real:session-ours/root/l", "x", "--type", "symlink", "--force"]);
    good(&[
        "delete",
        "-f",
        "real:session-ours/root/n",
        "real:session-ours/root/x",
        "real:session-ours/root/l",
    ]);
    assert_eq!(ours.inside("ls /root | tr '\\n' ' '").trim(), "a folder half-owned link owned pipe tree");
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_interrupted_transfer_leaves_no_half_file() {
    let (world, service) = with_server();
    let instance = Instance::launch("session-cut");
    instance.inside("echo old > /root/there; head -c 300000000 /dev/zero > /root/big");
    let big = std::fs::File::create(world.path("big")).unwrap();
    big.set_len(4 << 30).unwrap();
    for target in ["new", "there"] {
        let to = format!("real:session-cut/root/{target}");
        let mut program = world.program();
        let push = program.args(["lxd", "file", "push", "big", &to]).spawn().unwrap();
        until(|| instance.inside("ls -A /root"), |names| names.contains(".arriving-"));
        interrupt(&push);
        let push = finish(push);
        assert_eq!(push.code, Some(130), "{}", push.stderr);
        assert!(push.stderr.contains("cancelled") && !push.stderr.contains("left behind"), "{}", push.stderr);
        assert_eq!(instance.inside("cd /root; cat there; ls -A | tr '\\n' ' '"), "old\nbig there ");
    }
    world.write("fetched", "old");
    let before = names(&world);
    let mut program = world.program();
    let pull = program.args(["lxd", "file", "pull", "real:session-cut/root/big", "fetched"]).spawn().unwrap();
    until(|| names(&world), |now| *now != before);
    interrupt(&pull);
    let pull = finish(pull);
    // On a quick machine it may have been done first.
    if pull.code != Some(0) {
        assert_eq!(pull.code, Some(130), "{}", pull.stderr);
        assert_eq!(std::fs::read_to_string(world.path("fetched")).unwrap(), "old");
    }
    assert_eq!(names(&world), before);
    service.ends_on("TERM");
}

fn interrupt(program: &Child) {
    let pid = program.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
}

fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.home.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_file_is_edited_unless_somebody_else_changes_it_meanwhile() {
    let (world, service) = with_server();
    let instance = Instance::launch("session-edit");
    instance.inside("cd /root; echo one > f.conf; chmod 640 f.conf; chown 7:8 f.conf");
    let edit = |editor: &str| {
        let mut program = world.program();
        program.args(["lxd", "file", "edit", "real:session-edit/root/f.conf"]).env("EDITOR", editor);
        Terminal::of(&mut program, 24, 80)
    };
    let mut edited = edit("sed -i s/one/two/");
    assert_eq!(edited.program.wait().unwrap().code(), Some(0));
    assert_eq!(
        instance.inside("cat /root/f.conf; stat -c '%a %u:%g' /root/f.conf; ls -A /root"),
        "two\n640 7:8\nf.conf\n"
    );
    assert_eq!(edit("true").program.wait().unwrap().code(), Some(0));
    assert_eq!(edit("false").program.wait().unwrap().code(), Some(1));

    world.write("editor", "#!/bin/sh\necho three > \"$1\"\necho opened\nread enter\n");
    let editor = world.path("editor");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut late = edit(editor.to_str().unwrap());
    late.shows("opened");
    instance.inside("echo other > /root/f.conf");
    late.types("\r");
    late.shows("what you wrote is in ");
    late.shows(".conf");
    late.shows("was changed by somebody else meanwhile; nothing was written");
    assert_ne!(late.program.wait().unwrap().code(), Some(0));
    assert_eq!(instance.inside("cat /root/f.conf"), "other\n");
    let mut program = world.program();
    program.args(["lxd", "file", "edit", "real:session-edit/root/nosuch"]).stdin(Stdio::null());
    assert_eq!(crate::program::run(&mut program).code, Some(5));
    service.ends_on("TERM");
}
