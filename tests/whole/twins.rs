//! Twins: the same things twice on the LXD of `LXD_DIR`, one for the `lxd` commands and one for `lxc`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::clouds::with_real;
use crate::node::{Service, World};
use crate::program::{Printed, finish};
use crate::real_lxd::lxd_dir;

/// A verb with its arguments, its standard input, and whether what it prints is compared too.
///
/// `@x` is the twin named x with its cloud in ours, `%x` its name alone, and `$` the first three numbers of its network.
pub(crate) struct Step(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Printing);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Printing {
    /// The same, where it goes well.
    Same,
    /// The same as YAML.
    Yaml,
    /// Of a list as csv, the rows of the twins are the same behind the cloud.
    Rows,
    /// Not compared.
    Own,
}

pub(crate) const fn same(verb: &'static str) -> Step {
    Step(verb, "", Printing::Same)
}

pub(crate) const fn yaml(verb: &'static str) -> Step {
    Step(verb, "", Printing::Yaml)
}

pub(crate) const fn rows(verb: &'static str) -> Step {
    Step(verb, "", Printing::Rows)
}

pub(crate) const fn own(verb: &'static str) -> Step {
    Step(verb, "", Printing::Own)
}

pub(crate) const fn fed(verb: &'static str, input: &'static str) -> Step {
    Step(verb, input, Printing::Own)
}

/// One of a pair: ours, or that of `lxc`.
#[derive(Clone, Copy)]
pub(crate) struct Twin(&'static str);

pub(crate) const OURS: Twin = Twin("a");
pub(crate) const STOCK: Twin = Twin("b");

impl Twin {
    /// What all names of this twin begin with. Interfaces have 15 characters at the most.
    pub(crate) fn prefix(self) -> String {
        format!("objects{}{}", std::process::id() % 10_000, self.0)
    }

    fn net(self) -> String {
        let third = if self.0 == "a" { 1 } else { 2 };
        format!("10.{}.{third}", 20 + std::process::id() % 200)
    }

    fn text(self, text: &str) -> String {
        let cloud = if self.0 == "a" { "real:" } else { "" };
        text.replace('@', &format!("{cloud}{}", self.prefix()))
            .replace('%', &self.prefix())
            .replace('$', &self.net())
    }

    /// The words of a verb.
    pub(crate) fn words(self, verb: &str) -> Vec<String> {
        verb.split(' ').map(|word| if word == "''" { String::new() } else { self.text(word) }).collect()
    }

    /// A text in which the twins are alike.
    pub(crate) fn alike(self, text: &str) -> String {
        text.replace(&self.prefix(), "TWIN").replace(&self.net(), "NET")
    }
}

pub(crate) fn feed(mut program: Command, words: &[String], input: &str) -> Printed {
    let program = program.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // nobody has to read it
    finish(child)
}

pub(crate) fn stock(words: &[String], input: &str) -> Printed {
    let mut lxc = Command::new("lxc");
    lxc.env("LXD_DIR", lxd_dir());
    feed(lxc, words, input)
}

fn parsed(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// What is told of a thing, without what no two things have alike.
fn effect(twin: Twin, show: &str) -> Value {
    let shown = stock(&twin.words(show), "");
    if shown.code != Some(0) {
        return Value::Null;
    }
    let mut value = parsed(&twin.alike(&shown.stdout));
    if let Some(config) = value["config"].as_object_mut() {
        config.retain(|key, _| !key.starts_with("volatile."));
    }
    value
}

/// Runs the steps on both twins: each has the same end, prints the same and has the same effect, by what `lxc` shows.
pub(crate) fn beside_lxc(world: &World, shows: &[&str], steps: &[Step]) {
    for Step(verb, input, printing) in steps {
        let mut words = OURS.words(verb);
        words.insert(0, "lxd".to_owned());
        if *printing == Printing::Rows {
            words.extend((!verb.contains('@')).then(|| "real".to_owned()));
            words.extend(["-f", "csv"].map(str::to_owned));
        }
        let ours = feed(world.program(), &words, &OURS.text(input));
        let mut words = STOCK.words(verb);
        if *printing == Printing::Rows {
            words.extend(["-f".to_owned(), "csv".to_owned()]);
        }
        let theirs = stock(&words, &STOCK.text(input));
        let both = format!(
            "{verb}\nours: {} {}\nlxc: {} {}",
            ours.stdout, ours.stderr, theirs.stdout, theirs.stderr
        );
        assert_eq!(ours.code == Some(0), theirs.code == Some(0), "{both}");
        if ours.code == Some(0) {
            let (ours, theirs) = (OURS.alike(&ours.stdout), STOCK.alike(&theirs.stdout));
            match printing {
                Printing::Same => assert_eq!(ours, theirs, "{both}"),
                Printing::Yaml => assert_eq!(stable(parsed(&ours)), stable(parsed(&theirs)), "{both}"),
                Printing::Rows => {
                    let of_twins = |text: &str, cloud: &str| -> Vec<String> {
                        let rows = text.lines().filter(|row| row.contains("TWIN") || row.contains("NET"));
                        rows.map(|row| row.strip_prefix(cloud).unwrap_or(row).to_owned()).collect()
                    };
                    assert_eq!(of_twins(&ours, "real,"), of_twins(&theirs, ""), "{both}");
                    assert!(!of_twins(&theirs, "").is_empty(), "{both}");
                }
                Printing::Own => {}
            }
        }
        for show in shows {
            assert_eq!(effect(OURS, show), effect(STOCK, show), "{both}\n{show}");
        }
    }
}

/// Without what differs between any two things.
fn stable(mut value: Value) -> Value {
    if let Some(config) = value["config"].as_object_mut() {
        config.retain(|key, _| !key.starts_with("volatile."));
    }
    value
}

/// Deletes what a failed test left.
pub(crate) struct Cleaned(pub(crate) &'static [&'static str]);

impl Drop for Cleaned {
    fn drop(&mut self) {
        for twin in [OURS, STOCK] {
            for verb in self.0 {
                let words: Vec<String> =
                    verb.split(' ').map(|word| word.replace('@', &twin.prefix())).collect();
                let _ = stock(&words, "");
            }
        }
    }
}

/// The tests with twins run one at a time: their lists would show the twins of the others.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A world with the server, and an instance of this name for each twin.
pub(crate) fn with_instances(name: &str) -> (World, Service) {
    let (world, service) = with_real("lxd");
    for twin in [OURS, STOCK] {
        let made = stock(
            &STOCK
                .words("init busybox")
                .into_iter()
                .chain([format!("{}{name}", twin.prefix())])
                .collect::<Vec<_>>(),
            "",
        );
        assert_eq!(made.code, Some(0), "{}", made.stderr);
    }
    (world, service)
}
