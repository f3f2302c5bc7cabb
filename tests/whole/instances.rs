//! What the commands for instances do beyond those of `lxc`: conflicts, cancelling, equal names in several clouds.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::clouds::{local, with_real};
use crate::node::{Service, World, until};
use crate::program::{command, finish, run};
use crate::real_lxd::{lxc, lxd_dir};
use crate::terminal::Terminal;

/// A name that no other test uses.
fn fresh(name: &str) -> String {
    format!("life-{name}-{}", std::process::id())
}

/// Whether there is an instance of that name.
fn is_there(world: &World, name: &str) -> bool {
    world.wait(async { local().instance(name).get().await }).is_ok()
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_editor_opens_again_where_a_text_is_refused_or_somebody_else_was_faster() {
    let (world, service) = with_real("lxd");
    let name = fresh("edit");
    let of = format!("real:{name}");
    world.good(&["lxd", "init", "busybox", &of]);
    // Each time it is opened, the editor does the next line.
    let edit = |opened: &[&str]| {
        for (number, line) in opened.iter().enumerate() {
            world.write(&format!("editor.{number}"), line);
        }
        let script = format!(
            "cd '{}'; n=$(cat opened 2>/dev/null || echo 0); echo $((n + 1)) > opened; . ./editor.$n\n",
            world.home.path().display()
        );
        let _ = std::fs::remove_file(world.path("opened"));
        world.write("editor", &script);
        let mut program = world.program();
        program.args(["lxd", "config", "edit", &of]).env("TMPDIR", world.home.path());
        program.env("EDITOR", format!("sh {}", world.path("editor").display()));
        Terminal::of(&mut program, 24, 200)
    };
    let ends = |mut terminal: Terminal, code: i32| {
        assert_eq!(terminal.program.wait().unwrap().code(), Some(code));
    };
    let kept = || {
        let names = std::fs::read_dir(world.home.path()).unwrap().map(|entry| entry.unwrap().path());
        let drafts = names.filter(|path| path.to_string_lossy().contains("/kolaboree-"));
        let text: Vec<String> = drafts
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                std::fs::remove_file(path).unwrap();
                text
            })
            .collect();
        text.concat()
    };
    let get = |key: &str| lxc(&["config", "get", &name, key]);
    let theirs = format!("LXD_DIR='{}' lxc config set {name} user.theirs", lxd_dir().display());
    let ours = r#"sed -i 's/^config:/config:\n  user.ours: "1"/' "$1""#;
    let again = "Press enter to open the editor again or ctrl+c to abort change";

    // Somebody else is faster, and this one gives way: nothing is written, and the text is kept.
    let faster = format!("{theirs} hush; {ours}");
    let mut terminal = edit(&[&faster, "cat \"$1\""]);
    terminal.shows("was changed by somebody else meanwhile: config.user.theirs; nothing was written");
    terminal.shows(again);
    terminal.types("\r");
    terminal.shows("#   config.user.theirs: null is now \"hush\"");
    terminal.shows("what you wrote is in ");
    ends(terminal, 1);
    assert_eq!((get("user.theirs"), get("user.ours")), ("hush\n".to_owned(), "\n".to_owned()));
    assert!(kept().contains("user.ours: \"1\""));
    // And this one does not.
    let faster = format!("{theirs} again; {ours}");
    let mut terminal = edit(&[&faster, "sed -i '/^#/d' \"$1\""]);
    terminal.shows(again);
    terminal.types("\r");
    ends(terminal, 0);
    assert_eq!((get("user.theirs"), get("user.ours")), ("hush\n".to_owned(), "1\n".to_owned()));

    // The server refuses it, and then it is no YAML.
    let wrong = "sed -i 's/^config:/config:\\n  nonsense: \"1\"/' \"$1\"";
    let mut terminal =
        edit(&[wrong, "sed -i 's/^  nonsense:/  [/' \"$1\"", "sed -i 's/^  \\[/  user.right:/' \"$1\""]);
    terminal.shows("nonsense");
    terminal.shows(again);
    terminal.types("\r");
    terminal.shows("this is no instance");
    terminal.shows(again);
    terminal.types("\r");
    ends(terminal, 0);
    assert_eq!(get("user.right"), "1\n");
    assert_eq!(kept(), "");
    let mut terminal = edit(&[wrong]);
    terminal.shows(again);
    terminal.signals("INT");
    terminal.shows("what you wrote is in ");
    ends(terminal, 130);
    assert!(kept().contains("nonsense: \"1\""));
    // Nothing was changed.
    ends(edit(&["exit 0"]), 0);
    ends(edit(&["exit 3"]), 1);
    assert_eq!(kept(), "");
    world.good(&["lxd", "delete", &of]);
    service.ends_on("TERM");
}

/// An image whose instances take a while to make, which is deleted in the end.
struct SlowImage(String);

impl SlowImage {
    fn import(world: &World) -> SlowImage {
        let alias = fresh("slow");
        let rootfs = world.path("image/rootfs/many");
        std::fs::create_dir_all(&rootfs).unwrap();
        for n in 0..30_000 {
            std::fs::write(rootfs.join(n.to_string()), "").unwrap();
        }
        world.write("image/metadata.yaml", "architecture: x86_64\ncreation_date: 1700000000\n");
        let mut tar = command("tar", world.home.path());
        let packed = run(tar.args(["-C", "image", "-cf", "image.tar", "metadata.yaml", "rootfs"]));
        assert_eq!(packed.code, Some(0), "{}", packed.stderr);
        lxc(&["image", "import", world.path("image.tar").to_str().unwrap(), "--alias", &alias]);
        SlowImage(alias)
    }
}

impl Drop for SlowImage {
    fn drop(&mut self) {
        let _ = Command::new("lxc").args(["image", "delete", &self.0]).env("LXD_DIR", lxd_dir()).status();
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_creation_that_is_interrupted_leaves_nothing() {
    let (world, service) = with_real("lxd");
    let image = SlowImage::import(&world);
    let name = fresh("cut");
    for verb in ["init", "launch"] {
        let mut program = world.program();
        program.args(["lxd", verb, &image.0, &format!("real:{name}")]);
        let program =
            program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The record of the instance is there while the image is unpacked.
        until(|| is_there(&world, &name), |there| *there);
        let interrupt = Command::new("kill").args(["-s", "INT", &program.id().to_string()]).status();
        assert!(interrupt.unwrap().success());
        let ended = finish(program);
        assert_eq!(ended.code, Some(130), "{verb}: {} {}", ended.stdout, ended.stderr);
        assert_eq!(ended.stderr, format!("error: real:{name}: cancelled\n"));
        assert!(!is_there(&world, &name));
    }
    drop(image);
    service.ends_on("TERM");
}

/// A second cloud, `other`: a project of the same server, in which names may be the same as in the first.
fn with_another(world: &World, project: &str) {
    lxc(&["project", "create", project, "-c", "features.images=false", "-c", "features.profiles=false"]);
    let pin = world.json(&["lxd", "info", "real"])["fingerprint"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    let other = format!(
        "  - {{name: other, address: 'lxd:8443', kind: lxd, project: {project}, trust: {{fingerprint: {pin}}}}}\n"
    );
    world.write("kolaboree.yaml", &(text + &other));
    world.good(&["reload"]);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn equal_names_in_two_clouds_are_two_instances() {
    let (world, service) = with_real("lxd");
    let project = fresh("other");
    with_another(&world, &project);
    let name = fresh("twin");
    let (here, there) = (format!("real:{name}"), format!("other:{name}"));
    let made = world.json(&["lxd", "init", "busybox", &here, &there]);
    let mut clouds: Vec<&Value> = made.as_array().unwrap().iter().map(|made| &made["cloud"]).collect();
    clouds.sort_by_key(|cloud| cloud.to_string());
    assert_eq!(clouds, ["other", "real"]);

    world.good(&["lxd", "config", "set", &there, "user.where=there"]);
    let value = |of: &str| world.json(&["lxd", "config", "get", of, "user.where"])["value"].clone();
    assert_eq!((value(&here), value(&there)), (Value::Null, "there".into()));
    let unclear = world.run(&["lxd", "start", &name]);
    assert_eq!(unclear.code, Some(2), "{}", unclear.stderr);
    assert!(unclear.stderr.contains(&format!("write {here} or {there}")), "{}", unclear.stderr);
    let elsewhere = world.run(&["lxd", "rename", &here, &format!("other:{name}-x")]);
    assert!(elsewhere.code == Some(2) && elsewhere.stderr.contains("lxd move"), "{}", elsewhere.stderr);
    let foreign = world.run(&["lxd", "init", "berlin:busybox", &format!("{here}-x")]);
    assert!(foreign.code == Some(2) && foreign.stderr.contains("copy it first"), "{}", foreign.stderr);

    // All of one cloud, and none of another one.
    let status = |of: &str| world.json(&["lxd", "info", of])["status"].clone();
    world.good(&["lxd", "start", "--all", "other:"]);
    assert_eq!((status(&here), status(&there)), ("Stopped".into(), "Running".into()));
    world.good(&["lxd", "start", "--all", "other:"]);
    for (verb, after) in [
        (&["pause"][..], "Frozen"),
        (&["start"], "Running"),
        (&["restart", "-f"], "Running"),
        (&["stop", "-f"], "Stopped"),
    ] {
        world.good(&[&["lxd"], verb, &["--all", "other"]].concat());
        assert_eq!(status(&there), after, "{verb:?}");
    }
    assert_eq!(world.run(&["lxd", "stop", "--all", &there]).code, Some(2));

    // One that fails does not keep the others from it.
    let failed = world.run(&["lxd", "delete", "real:life-none", &there]);
    assert_eq!(failed.code, Some(5), "{}", failed.stderr);
    assert!(is_there(&world, &name));
    assert_eq!(world.run(&["lxd", "info", &there]).code, Some(5));
    world.good(&["lxd", "delete", &here]);
    lxc(&["project", "delete", &project]);
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_settings_of_a_server_are_those_of_its_cloud() {
    let (world, service) = with_real("lxd");
    let key = format!("user.{}", fresh("key"));
    world.good(&["lxd", "config", "set", "real:", &key, "1"]);
    assert_eq!(lxc(&["config", "get", &key]), "1\n");
    assert_eq!(world.good(&["lxd", "config", "get", "real:", &key]), "1\n");
    let shown = |world: &World| -> Value {
        serde_yaml::from_str(&world.good(&["lxd", "config", "show", "real:"])).unwrap()
    };
    assert_eq!(shown(&world)["config"][&key], "1");
    world.good(&["lxd", "config", "unset", "real:", &key]);
    assert_eq!(lxc(&["config", "get", &key]), "\n");
    assert_eq!(shown(&world)["config"][&key], Value::Null);
    assert_eq!(world.run(&["lxd", "config", "unset", "real:", &key]).code, Some(2));
    assert_eq!(world.run(&["lxd", "config", "set", "real:", "nonsense.key=1"]).code, Some(1));
    assert_eq!(world.run(&["lxd", "config", "show", "-e", "real:"]).code, Some(2));
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_is_left_and_what_the_server_cannot_do_is_said() {
    let (world, service) = with_real("lxd");
    let chosen = world.good(&["lxd", "init", "busybox", "real:"]);
    let chosen = chosen.strip_prefix("Instance name is: ").unwrap().trim();
    world.good(&["lxd", "delete", &format!("real:{chosen}")]);

    let name = fresh("left");
    let of = format!("real:{name}");
    world.write(
        "new.yaml",
        "devices:\n  n: {type: nic, nictype: bridged, parent: nosuch0}\ndescription: from a file\n",
    );
    let mut launch = world.program();
    launch.args(["lxd", "launch", "busybox", &of]);
    let failed = run(launch.stdin(std::fs::File::open(world.path("new.yaml")).unwrap()));
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let left = format!("left behind: the instance {name}, which does not run");
    assert!(failed.stderr.contains(&left), "{}", failed.stderr);
    assert_eq!(world.json(&["lxd", "info", &of])["description"], "from a file");

    let rebuilt = world.run(&["lxd", "rebuild", "busybox", &of]);
    assert_eq!(rebuilt.code, Some(2), "{}", rebuilt.stderr);
    assert!(rebuilt.stderr.contains("the server (lxd 5.0.2) cannot rebuild instances"), "{}", rebuilt.stderr);
    let missing = world.run(&["lxd", "init", "nosuch", &format!("{of}-x")]);
    assert_eq!(missing.code, Some(5), "{}", missing.stderr);
    world.good(&["lxd", "delete", &of]);
    service.ends_on("TERM");
}

/// The main verbs, by what the server says afterwards.
fn main_verbs(world: &World, service: Service) {
    let name = fresh("main");
    let of = format!("real:{name}");
    let lxd = |arguments: &[&str]| world.good(&[&["lxd"], arguments].concat());
    let status = || world.json(&["lxd", "info", &of])["status"].as_str().unwrap().to_owned();
    lxd(&["launch", "busybox", &of, "-c", "user.a=1", "-d", "root,size=1GB"]);
    for (verb, after) in [
        (&["pause"][..], "Frozen"),
        (&["start"], "Running"),
        (&["restart", "-f"], "Running"),
        (&["stop", "-f"], "Stopped"),
    ] {
        lxd(&[verb, &[&of]].concat());
        assert_eq!(status(), after, "{verb:?}");
    }
    assert_eq!(lxd(&["config", "get", &of, "user.a"]), "1\n");
    assert_eq!(lxd(&["config", "device", "get", &of, "root", "size"]), "1GB\n");
    lxd(&["snapshot", &of, "s"]);
    lxd(&["snapshot", &of, "s", "--reuse"]);
    lxd(&["config", "unset", &of, "user.a"]);
    lxd(&["restore", &of, "s"]);
    assert_eq!(lxd(&["config", "get", &of, "user.a"]), "1\n");
    lxd(&["rename", &format!("{of}/s"), &format!("{name}/t")]);
    lxd(&["delete", &format!("{of}/t")]);
    lxd(&["rename", &of, &format!("{name}-x")]);
    lxd(&["rename", &format!("{of}-x"), &name]);
    let key = format!("user.{name}");
    lxd(&["config", "set", "real:", &format!("{key}=1")]);
    lxd(&["config", "unset", "real:", &key]);
    assert_eq!(world.run(&["lxd", "config", "set", "real:", "nonsense.key=1"]).code, Some(1));
    assert!(lxd(&["config", "get", "real:", "core.https_address"]).contains(':'), "it is lost");
    let rebuilds = world.wait(async { local().server().await }).unwrap().has_extension("instances_rebuild");
    if rebuilds {
        lxd(&["start", &of]);
        lxd(&["exec", &of, "--", "touch", "/root/mark"]);
        lxd(&["rebuild", "busybox", &of, "--force"]);
        assert_eq!(status(), "Running");
        assert_eq!(world.run(&["lxd", "exec", &of, "--", "test", "-e", "/root/mark"]).code, Some(1));
    }
    lxd(&["delete", "-f", &of]);
    assert!(!is_there(world, &name));
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_main_verbs_work_on_a_real_lxd() {
    let (world, service) = with_real("lxd");
    main_verbs(&world, service);
}

#[test]
#[ignore = "needs a real Incus: .ci/with-incus cargo test -p kolaboree-node --test whole -- --ignored incus"]
fn the_main_verbs_work_on_a_real_incus() {
    let (world, service) = with_real("incus");
    main_verbs(&world, service);
}
