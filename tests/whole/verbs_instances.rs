//! The verbs for instances beside `lxc` with the same arguments, each on a twin, on the LXD of `LXD_DIR`; and what only
//! ours do.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::clouds::with_server;
use crate::node::until;
use crate::program::{Printed, finish};
use crate::real_lxd::{lxc, lxd_dir};

/// What a step is compared by, beside its end and its effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// What it prints, where that goes well.
    Same,
    /// The same as YAML.
    Yaml,
    /// Nothing: ours says it otherwise.
    Other,
}

/// A verb with its arguments, and its standard input: after a `~` what is to be other in the settings of the instance. `@`
/// is the instance, with its cloud in ours; `%` is its name alone.
struct Step(&'static [&'static str], &'static str, Words);

fn step(arguments: &'static [&'static str]) -> Step {
    Step(arguments, "", Words::Same)
}

fn other(arguments: &'static [&'static str]) -> Step {
    Step(arguments, "", Words::Other)
}

fn yaml(arguments: &'static [&'static str]) -> Step {
    Step(arguments, "", Words::Yaml)
}

fn fed(arguments: &'static [&'static str], input: &'static str) -> Step {
    Step(arguments, input, Words::Other)
}

/// The names of a pair of instances: ours, and that of `lxc`.
struct Twins([String; 2]);

impl Twins {
    fn new(story: &str) -> Twins {
        Twins(["a", "b"].map(|which| format!("life-{story}-{}-{which}", std::process::id())))
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        for name in &self.0 {
            for name in [name.clone(), format!("{name}-x")] {
                let _ = stock(&["delete", "--force", &name], "");
            }
        }
    }
}

/// Runs `lxc`.
fn stock(arguments: &[&str], input: &str) -> Printed {
    let mut lxc = Command::new("lxc");
    lxc.args(arguments).env("LXD_DIR", lxd_dir());
    feed(&mut lxc, input)
}

/// Runs a program with this standard input, and says which where it hangs.
fn feed(program: &mut Command, input: &str) -> Printed {
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // nobody has to read it
    let ended = std::panic::catch_unwind(|| finish(child));
    ended.unwrap_or_else(|_| panic!("{program:?}"))
}

/// What there is of an instance, its name aside: all that a verb may change.
fn effect(name: &str) -> Value {
    let instance = stock(&["query", &format!("/1.0/instances/{name}?recursion=1")], "");
    if instance.code != Some(0) {
        return Value::Null;
    }
    let instance: Value = serde_json::from_str(&instance.stdout).unwrap();
    let mut config = instance["config"].clone();
    config.as_object_mut().unwrap().retain(|key, _| !key.starts_with("volatile."));
    let snapshots: Vec<Value> = instance["snapshots"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| {
            json!([s["name"], s["stateful"], s["expires_at"].as_str().map(|date| date.starts_with("0001"))])
        })
        .collect();
    let of = |key: &str| instance[key].clone();
    json!({
        "config": config, "devices": of("devices"), "profiles": of("profiles"), "status": of("status"),
        "description": of("description"), "ephemeral": of("ephemeral"), "type": of("type"),
        "snapshots": snapshots,
    })
}

/// The settings of an instance as YAML, with these changes.
fn changed_settings(name: &str, changes: &str) -> String {
    let mut settings: Value = serde_yaml::from_str(&lxc(&["config", "show", name])).unwrap();
    let Value::Object(changes) = serde_yaml::from_str(changes).unwrap() else { panic!("{changes}") };
    for (key, change) in changes {
        match (settings[&key].as_object_mut(), change) {
            (Some(map), Value::Object(change)) => map.extend(change),
            (_, change) => settings[key] = change,
        }
    }
    serde_yaml::to_string(&settings).unwrap()
}

/// A text without what `lxc` has written over.
fn without_progress(text: &str) -> String {
    text.split_inclusive('\n').map(|line| line.rsplit('\r').next().unwrap_or_default()).collect()
}

/// Does the steps with ours and with `lxc`, and compares them after each.
fn compare(story: &str, steps: &[Step]) {
    let (world, service) = with_server();
    let twins = Twins::new(story);
    let [ours, theirs] = &twins.0;
    for Step(arguments, input, words) in steps {
        let filled = |place: &str, name: &str| -> Vec<String> {
            arguments
                .iter()
                .map(|word| word.replace('@', &format!("{place}{name}")).replace('%', name))
                .collect()
        };
        let input = |name: &str| match input.strip_prefix('~') {
            Some(changes) => changed_settings(name, changes),
            None => (*input).to_owned(),
        };
        let of_ours = filled("real:", ours);
        let mut program = world.program();
        let us = feed(program.arg("lxd").args(&of_ours), &input(ours));
        let of_theirs = filled("", theirs);
        let them = stock(&of_theirs.iter().map(String::as_str).collect::<Vec<_>>(), &input(theirs));
        let told = format!(
            "{of_ours:?}: {} {}\n{of_theirs:?}: {} {}",
            us.stdout, us.stderr, them.stdout, them.stderr
        );
        assert_eq!(us.code == Some(0), them.code == Some(0), "{told}");
        let plain =
            |text: &str, name: &str| text.replace(&format!("real:{name}"), name).replace(name, "NAME");
        let plain = |text: &str, name: &str| without_progress(&plain(text, name));
        let (said, expected) = (plain(&us.stdout, ours), plain(&them.stdout, theirs));
        match words {
            Words::Other => {}
            Words::Same => assert_eq!(said, expected, "{told}"),
            Words::Yaml => {
                let read = |text: &str| -> Value {
                    let mut value: Value = serde_yaml::from_str(text).unwrap();
                    for key in ["config", "expanded_config"] {
                        if let Some(config) = value[key].as_object_mut() {
                            config.retain(|key, _| !key.starts_with("volatile."));
                        }
                    }
                    value
                };
                assert_eq!(read(&said), read(&expected), "{told}");
            }
        }
        // An ephemeral one goes a moment after it stopped.
        for ending in ["", "-x"] {
            let both = || [ours, theirs].map(|name| effect(&format!("{name}{ending}")));
            until(both, |[ours, theirs]| ours == theirs);
        }
    }
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn instances_are_started_stopped_renamed_and_deleted_as_lxc_does_it() {
    compare(
        "state",
        &[
            other(&["init", "busybox", "@"]),
            other(&["init", "busybox", "@"]), // it is there
            step(&["stop", "@"]),             // it is stopped
            step(&["start", "@"]),
            step(&["start", "@"]),
            step(&["delete", "@"]), // it runs
            step(&["pause", "@"]),
            step(&["pause", "@"]),
            step(&["start", "@"]),
            step(&["restart", "@", "--force"]),
            step(&["rename", "@", "%-x"]), // it runs
            step(&["stop", "--force", "@"]),
            step(&["restart", "@"]),
            step(&["rename", "@", "%-x"]),
            step(&["start", "@"]),
            step(&["start", "@-x"]),
            step(&["delete", "-f", "@-x"]),
            other(&["launch", "busybox", "@", "--ephemeral"]),
            step(&["stop", "-f", "@"]),
            other(&["launch", "busybox", "@"]),
            fed(&["delete", "-f", "-i", "@"], "no\n"),
            fed(&["delete", "-f", "-i", "@"], "yes\n"),
            step(&["delete", "@"]),
        ],
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn settings_are_changed_as_lxc_does_it() {
    compare(
        "config",
        &[
            other(&["init", "busybox", "@"]),
            step(&["config", "set", "@", "user.a=1", "user.b=2=3"]),
            step(&["config", "set", "@", "user.c", "with a space"]),
            fed(&["config", "set", "@", "user.d", "-"], "from the input"),
            step(&["config", "get", "@", "user.d"]),
            step(&["config", "set", "@", "user.c"]),
            step(&["config", "set", "@", "nonsense.key=1"]),
            step(&["config", "get", "@", "user.b"]),
            step(&["config", "get", "@", "user.none"]),
            step(&["config", "get", "@", "image.os", "--expanded"]),
            step(&["config", "get", "%-none", "user.a"]),
            step(&["config", "unset", "@", "user.a"]),
            step(&["config", "unset", "@", "user.a"]),
            yaml(&["config", "show", "@"]),
            yaml(&["config", "show", "@", "--expanded"]),
            fed(
                &["config", "edit", "@"],
                "~config: {limits.cpu: 1}\ndescription: by hand\nprofiles: [default]\ndevices:\n  m: {type: disk, source: /tmp, path: /mnt}\n",
            ),
            fed(&["config", "edit", "@"], "config: [\n"),
            step(&["config", "device", "list", "@"]),
            yaml(&["config", "metadata", "show", "@"]),
            fed(&["config", "metadata", "edit", "@"], "architecture: x86_64\nproperties: {os: mine}\n"),
            yaml(&["config", "metadata", "show", "@"]),
            other(&["config", "template", "create", "@", "t.tpl"]),
            fed(&["config", "template", "edit", "@", "t.tpl"], "{{ a }}\n"),
            step(&["config", "template", "show", "@", "t.tpl"]),
            step(&["config", "template", "delete", "@", "t.tpl"]),
            step(&["config", "template", "show", "@", "t.tpl"]),
        ],
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn devices_are_changed_as_lxc_does_it() {
    compare(
        "device",
        &[
            other(&["init", "busybox", "@"]),
            step(&["config", "device", "add", "@", "m", "disk", "source=/tmp", "path=/mnt"]),
            step(&["config", "device", "add", "@", "m", "disk", "source=/tmp", "path=/mnt"]),
            step(&["config", "device", "add", "@", "n", "nonsense"]),
            step(&["config", "device", "get", "@", "m", "path"]),
            step(&["config", "device", "get", "@", "none", "path"]),
            step(&["config", "device", "set", "@", "m", "readonly=true", "path=/opt"]),
            step(&["config", "device", "set", "@", "m", "path", "/srv"]),
            step(&["config", "device", "unset", "@", "m", "readonly"]),
            step(&["config", "device", "set", "@", "root", "size=1GB"]), // it is the profile's
            step(&["config", "device", "override", "@", "none"]),
            step(&["config", "device", "override", "@", "root", "size=1GB"]),
            yaml(&["config", "device", "show", "@"]),
            step(&["config", "device", "remove", "@", "m"]),
            step(&["config", "device", "remove", "@", "m"]),
        ],
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn snapshots_are_made_and_restored_as_lxc_does_it() {
    compare(
        "snapshot",
        &[
            other(&["init", "busybox", "@", "-c", "snapshots.expiry=1d"]),
            other(&["snapshot", "@"]),
            step(&["snapshot", "@", "s"]),
            step(&["snapshot", "@", "s"]),
            step(&["snapshot", "@", "s", "--reuse"]),
            step(&["snapshot", "@", "new", "--reuse"]),
            step(&["snapshot", "@", "ever", "--no-expiry"]),
            step(&["snapshot", "@", "mind", "--stateful"]), // it does not run
            step(&["config", "set", "@", "user.a=1"]),
            step(&["restore", "@", "s"]),
            step(&["restore", "@", "none"]),
            step(&["rename", "@/s", "%/t"]),
            step(&["rename", "@/t", "t"]),
            step(&["rename", "@/none", "%/t"]),
            fed(&["config", "edit", "@/t"], "expires_at: 2099-01-01T00:00:00Z\n"),
            step(&["delete", "@/t"]),
            step(&["delete", "@/t"]),
            step(&["delete", "@/ever"]),
        ],
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn instances_are_made_as_lxc_does_it() {
    compare(
        "new",
        &[
            fed(
                &["init", "busybox", "@", "-c", "user.a=over"],
                "config: {user.a: 1, user.b: two}\ndevices:\n  m: {type: disk, source: /tmp, path: /mnt}\n",
            ),
            step(&["delete", "@"]),
            other(&["init", "busybox", "@", "-p", "default", "-d", "root,size=1GB", "-t", "c1-m1"]),
            step(&["delete", "@"]),
            other(&["init", "busybox", "@", "--no-profiles"]), // no root disk
            other(&["init", "busybox", "@", "--no-profiles", "-s", "default"]),
            step(&["delete", "@"]),
            other(&["init", "busybox", "@", "-n", "lo"]),
            step(&["delete", "@"]),
            other(&["init", "busybox", "@", "-n", "nosuch0"]),
            other(&["init", "busybox", "@", "-s", "nosuch"]),
            other(&["init", "busybox", "@", "-p", "nosuch"]),
            other(&["init", "busybox", "@", "-d", "none,size=1GB"]),
            other(&["init", "busybox", "@", "-c", "user.a"]),
            other(&["init", "busybox", "@", "--vm"]),
            other(&["init", "nosuch", "@"]),
            other(&["init", "@", "--empty"]),
            step(&["delete", "@"]),
            other(&["launch", "busybox", "@", "-c", "raw.lxc=nonsense = 1"]),
        ],
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn instances_are_copied_and_moved_inside_their_cloud_as_lxc_does_it() {
    compare(
        "copy",
        &[
            other(&["init", "busybox", "@", "-c", "user.a=1"]),
            step(&["snapshot", "@", "s"]),
            step(&["config", "set", "@", "user.a=2"]),
            other(&["copy", "@", "@-x"]),
            other(&["copy", "@", "@-x"]), // it is there
            step(&["delete", "@-x"]),
            other(&["copy", "@", "@-x", "--instance-only", "-c", "user.b=3"]),
            step(&["delete", "@-x"]),
            other(&["copy", "@/s", "@-x", "--ephemeral"]),
            step(&["delete", "@-x"]),
            other(&["copy", "@/none", "@-x"]),
            other(&["copy", "@-none", "@-x"]),
            other(&["copy", "@", "@-x", "-p", "nosuch"]),
            other(&["copy", "@", "@-x", "-s", "nosuch"]),
            other(&["copy", "@", "@-x", "-s", "default"]),
            step(&["snapshot", "@", "late"]),
            other(&["copy", "@", "@-x", "--refresh"]),
            step(&["delete", "@-x"]),
            other(&["move", "@", "@-x"]),
            other(&["move", "@-x/s", "@-x/t"]),
            other(&["start", "@-x"]),
            other(&["move", "@-x", "@"]), // it runs
            other(&["stop", "-f", "@-x"]),
            other(&["move", "@-x", "@"]),
            step(&["delete", "@"]),
        ],
    );
}
