//! Files of instances by the API, over a real server, LXD or Incus: the one of `LXD_DIR`.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lxd_client::NewInstance;
use serde_json::{Value, json};
use tailnet_sandbox::Peer;

use crate::api::{Answer, NODE, Person};
use crate::clouds::{block_on, is_incus, local};
use crate::node::{Service, World, until};
use crate::program::HANG;

/// A tailnet in which `alice` may have files and `bob` may only look, and an instance that does not run.
struct Files {
    world: World,
    service: Service,
    alice: Person,
    bob: Person,
    instance: String,
}

/// The rights of `alice`.
const VERBS: &str = "view, operate, files, admin";

fn configure(world: &World, token: &str, verbs: &str) {
    world.write("token", token);
    let kind = if is_incus() { "incus" } else { "lxd" };
    world.configure(&format!(
        "local: {{listen: none}}
tailnet:
  listen: 80
  access:
    - {{who: ['user:alice@example.com'], clouds: [real], projects: ['*'], verbs: [{verbs}]}}
    - {{who: ['user:bob@example.com'], clouds: [real], projects: [default], verbs: [view]}}
clouds:
  - {{name: real, kind: {kind}, address: 'lxd:8443', trust: {{token: 'file:token'}}, checks: {{silence: 20, timeout: 3}}}}
"
    ));
}

impl Files {
    fn new(name: &str) -> Files {
        let instance = format!("files-{name}-{}", std::process::id());
        let (server, token) = block_on(async {
            let client = local();
            let made = client.create_instance(&NewInstance::from_alias(&instance, "busybox")).await;
            made.unwrap().wait().await.unwrap();
            (client.server().await.unwrap(), client.create_trust_token("test", None).await.unwrap())
        });
        let address = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
        let people = ["alice", "bob"].map(|name| Peer::new(name).socks5());
        let world = World::with(people.into_iter().chain([Peer::new("lxd").forward(8443, address)]));
        world.give_users(&["alice", "bob"]);
        configure(&world, token.reveal(), VERBS);
        let mut service = world.start();
        service.says("the API is served at http://the node:80");
        let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
        let state = || alice.get("/api/v1/instances").is(200)["clouds"][0]["state"].clone();
        until(state, |state| *state == "fresh");
        Files { world, service, alice, bob, instance }
    }

    /// The address of a path in the instance, with more of a query.
    fn url(&self, path: &str, more: &str) -> String {
        let path: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("/api/v1/clouds/real/projects/default/instances/{}/files?path={path}{more}", self.instance)
    }

    fn get(&self, path: &str) -> Answer {
        self.alice.get(&self.url(path, ""))
    }

    /// Sends a file of this machine.
    fn put(&self, local: &Path, path: &str, more: &str) -> Answer {
        self.alice.ask(&self.url(path, more), &["-T", local.to_str().unwrap()])
    }

    /// Fetches to a file of this machine, whole.
    fn fetch(&self, path: &str, more: &str, to: &Path) {
        let mut curl = self.alice.curl();
        curl.args(["-f", "-o"]).arg(to).arg(format!("http://{NODE}{}", self.url(path, more)));
        assert!(curl.status().unwrap().success(), "{path}");
    }

    fn make(&self, path: &str, what: &Value) -> Answer {
        let (url, body) = (self.url(path, ""), what.to_string());
        self.alice.ask(&url, &["-H", "content-type: application/json", "-H", "prefer: wait=60", "-d", &body])
    }

    fn delete(&self, path: &str, more: &str) -> Answer {
        self.alice.ask(&self.url(path, more), &["-X", "DELETE", "-H", "prefer: wait=60"])
    }

    fn give_path(&self, from: &str, to: &str, replace: bool) -> Answer {
        let body = json!({"from": from, "to": to, "replace": replace}).to_string();
        let url = self.url("", "").replace("/files?path=", "/files/move");
        self.alice.ask(&url, &["-H", "content-type: application/json", "-H", "prefer: wait=60", "-d", &body])
    }

    /// The names in a folder.
    fn names(&self, path: &str) -> Vec<String> {
        let listed = self.get(path).is(200);
        let names = listed["entries"].as_array().unwrap().iter();
        names.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What the audit has of the instance, oldest first.
    fn audit(&self) -> Vec<[String; 3]> {
        self.alice.audit(&format!("instances/{}", self.instance))
    }

    /// How much of the newest upload has come.
    fn moved(&self) -> u64 {
        moved(&self.alice)
    }

    /// Takes the right to files from `alice`, or gives it back.
    fn allow(&self, verbs: &str) {
        configure(&self.world, &fs::read_to_string(self.world.path("token")).unwrap(), verbs);
        self.world.good(&["reload"]);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = block_on(local().instance(&self.instance).delete_forced());
    }
}

/// How much of the newest upload has come.
pub(crate) fn moved(person: &Person) -> u64 {
    person.get("/api/v1/jobs").is(200)[0]["parts"][0]["bytes"].as_u64().unwrap_or_default()
}

/// The memory of a node at its highest, in KiB.
pub(crate) fn memory(service: &Service) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// `tar` of this machine.
pub(crate) fn tar(arguments: &[&str], folder: &Path) {
    let output = Command::new("tar").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Bytes that no compression and no chance repeats.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(crate) fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().trim_start_matches('\\').to_owned()
}

/// A tar made by hand: of each entry its name, its kind, what it links to and its content.
fn archive(entries: &[(&str, u8, &str, &[u8])]) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, kind, link, content) in entries {
        let mut head = [0_u8; 512];
        let mut write = |at: usize, text: &[u8]| head[at..at + text.len()].copy_from_slice(text);
        write(0, name.as_bytes());
        write(100, b"0000644\0");
        write(108, b"0000000\0");
        write(116, b"0000000\0");
        write(124, format!("{:011o}\0", content.len()).as_bytes());
        write(136, b"00000000000\0");
        write(148, b"        ");
        write(156, &[*kind]);
        write(157, link.as_bytes());
        write(257, b"ustar\x0000");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        all.extend(head);
        all.extend(*content);
        all.resize(all.len().next_multiple_of(512), 0);
    }
    all.resize(all.len() + 1024, 0);
    all
}

/// Ends a child at the end of a test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_file_goes_there_and_back_whatever_its_name_and_each_is_in_the_audit_once() {
    let files = Files::new("names");
    let here = tempfile::tempdir().unwrap();
    let (sent, back) = (here.path().join("sent"), here.path().join("back"));
    fs::write(&sent, noise(3_000_001)).unwrap();
    let paths = ["/root/plain", "/root/with space", "/root/ñ á", "/root/100%25#x?&+", "/root/two\nlines"];
    for path in paths {
        assert_eq!(files.put(&sent, path, "&uid=12&gid=34&mode=640").is(200)["status"], "done", "{path:?}");
        files.fetch(path, "", &back);
        assert_eq!(sha256(&back), sha256(&sent), "{path:?}");
    }
    let told = |action: &str, path: &str| [action, path, "done"].map(str::to_owned);
    let wanted: Vec<_> =
        paths.iter().flat_map(|path| [told("file.push", path), told("file.pull", path)]).collect();
    until(|| files.audit(), |records| *records == wanted);

    let listed = files.get("/root").is(200);
    let entries = listed["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["name"] == "two\nlines").unwrap();
    assert_eq!(
        (&entry["size"], &entry["mode"], &entry["uid"], &entry["gid"], &entry["kind"]),
        (&json!(3_000_001), &json!("0640"), &json!(12), &json!(34), &json!("file"))
    );
    assert!(entry["modified"].as_u64().unwrap() > 1_700_000_000, "{entry}");
    let names = files.names("/root");
    assert!(names.is_sorted() && paths.iter().all(|path| names.contains(&path["/root/".len()..].to_owned())));

    // What a browser makes of it: it stores it under its name.
    let head = files.alice.ask(&files.url("/root/ñ á", ""), &["-I"]);
    assert_eq!((head.status, head.header("content-length")), (200, Some("3000001")));
    assert_eq!(head.header("content-type"), Some("application/octet-stream"));
    assert_eq!(head.header("content-security-policy"), Some("sandbox"));
    assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    let disposition = "attachment; filename=\"_ _\"; filename*=UTF-8''%C3%B1%20%C3%A1";
    assert_eq!(head.header("content-disposition"), Some(disposition));

    // Parts of it.
    let range = |range: &str, more: &[&str]| {
        let url = files.url("/root/plain", "");
        files
            .alice
            .ask(&url, &[&["-H", &format!("range: {range}"), "-o", back.to_str().unwrap()], more].concat())
    };
    let whole = fs::read(&sent).unwrap();
    let part = range("bytes=1000-1999", &[]);
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 1000-1999/3000001")));
    assert_eq!(part.header("content-length"), Some("1000"));
    assert!(fs::read(&back).unwrap() == whole[1000..2000]);
    assert_eq!(range("bytes=-5", &[]).status, 206);
    assert!(fs::read(&back).unwrap() == whole[whole.len() - 5..]);
    let tag = format!("if-range: {}", part.header("etag").unwrap());
    assert_eq!(range("bytes=2999999-", &["-H", &tag]).status, 206);
    assert_eq!(range("bytes=0-1", &["-H", "if-range: \"other\""]).status, 200);
    let beyond = range("bytes=3000001-", &[]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */3000001")));

    // Nobody else gets anything.
    let url = files.url("/root/plain", "");
    assert_eq!(files.bob.get(&url).is(403)["grant"]["grant"]["verbs"], json!(["files"]));
    assert_eq!(files.bob.ask(&url, &["-T", sent.to_str().unwrap()]).status, 403);
    assert_eq!(files.bob.ask(&url, &["-X", "DELETE"]).status, 403);
    let denied = files.alice.get("/api/v1/audit?result=denied").is(200);
    assert_eq!(denied["items"].as_array().unwrap().len(), 3, "{denied}");

    // What makes no sense.
    for (path, status) in [("root", 400), ("", 400), ("/a\0", 400), ("/nothing/here", 404)] {
        assert_eq!(files.get(path).status, status, "{path:?}");
    }
    assert_eq!(files.put(&sent, "/nothing/here", "").status, 404);
    assert_eq!(files.put(&sent, "/nothing/here", "&parents=true").status, 200);
    assert_eq!(files.put(&sent, "/root/x", "&mode=9").status, 400);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn files_folders_and_links_are_made_listed_and_deleted() {
    let files = Files::new("made");
    assert_eq!(files.make("/srv/a", &json!({"kind": "folder", "parents": true, "uid": 7})).status, 200);
    assert_eq!(files.make("/srv/a/empty", &json!({"kind": "file"})).status, 200);
    assert_eq!(files.make("/srv/a/link", &json!({"kind": "symlink", "target": "../b ñ"})).status, 200);
    assert_eq!(files.make("/srv/a/link", &json!({"kind": "file"})).status, 409);
    let listed = files.get("/srv/a").is(200);
    let link = &listed["entries"][1];
    assert_eq!((&link["kind"], &link["target"]), (&json!("symlink"), &json!("../b ñ")), "{listed}");
    assert_eq!(files.get("/srv").is(200)["entries"][0]["uid"], 7);
    assert_eq!(files.make("/srv/l", &json!({"kind": "symlink", "target": "a"})).status, 200);
    assert_eq!(files.names("/srv/l"), ["empty", "link"], "a link to a folder is followed");

    assert_ne!(files.delete("/srv/a", "").status, 200, "it is not empty");
    assert_eq!(files.delete("/srv/a", "&recursive=true").status, 200);
    assert_eq!(files.names("/srv"), ["l"]);
    assert_eq!(files.delete("/srv/l", "").status, 200);
    assert_eq!(files.delete("/srv/l", "").status, 404);
    let wanted = [
        ["file.create", "/srv/a as folder", "done"],
        ["file.create", "/srv/a/empty as file", "done"],
        ["file.create", "/srv/a/link as symlink", "done"],
        ["file.create", "/srv/a/link as file", "failed"],
        ["file.create", "/srv/l as symlink", "done"],
        ["file.delete", "/srv/a", "failed"],
        ["file.delete", "/srv/a with all that is in it", "done"],
        ["file.delete", "/srv/l", "done"],
        ["file.delete", "/srv/l", "failed"],
    ];
    until(|| files.audit(), |records| *records == wanted);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn files_and_folders_get_other_paths_and_replace_only_what_they_are_told_to() {
    let files = Files::new("moved");
    files.make("/srv/a", &json!({"kind": "folder", "parents": true}));
    files.make("/srv/a/link", &json!({"kind": "symlink", "target": "/nowhere"}));
    files.make("/srv/b", &json!({"kind": "file"}));
    let here = tempfile::tempdir().unwrap();
    let sent = here.path().join("sent");
    fs::write(&sent, "content").unwrap();
    assert_eq!(files.put(&sent, "/srv/a/ñ #", "&mode=640").status, 200);

    assert_eq!(files.give_path("/srv/a/ñ #", "/srv/c d", false).status, 200);
    assert_eq!(files.get("/srv/c d").body, "content");
    assert_eq!(files.give_path("/srv/a/link", "/srv/link", false).status, 200);
    assert_eq!(files.give_path("/srv/a", "/srv/z", false).status, 200, "a folder");
    assert_eq!(files.names("/srv"), ["b", "c d", "link", "z"]);
    // What is there stays, unless the caller says so; a folder in any case.
    let refused = files.give_path("/srv/c d", "/srv/b", false).is(409)["detail"].clone();
    assert!(refused.as_str().unwrap().contains("/srv/b: a file is there already"), "{refused}");
    assert_eq!(files.give_path("/srv/c d", "/srv/z", true).status, 409);
    assert_eq!(files.give_path("/srv/c d", "/srv/b", true).status, 200);
    assert_eq!(files.get("/srv/b").body, "content");
    assert_eq!(files.get("/srv").is(200)["entries"][0]["mode"], "0640", "it is the same file");

    assert_eq!(files.give_path("/srv/none", "/srv/x", false).status, 404);
    assert_eq!(files.give_path("/srv/b", "/none/x", false).status, 404);
    assert_eq!(files.give_path("/srv/b", "x", false).status, 400);
    assert_ne!(files.give_path("/srv/z", "/srv/z/inside", false).status, 200);
    assert_eq!(files.names("/srv"), ["b", "link", "z"], "nothing else has moved");
    let url = files.url("", "").replace("/files?path=", "/files/move");
    assert_eq!(files.bob.send("POST", &url, &json!({"from": "/srv/b", "to": "/srv/x"})).status, 403);
    let told = |path: &str, to: &str, result: &str| {
        ["file.move", &format!("{path} to {to}"), result].map(str::to_owned)
    };
    let wanted = [
        told("/srv/a/ñ #", "/srv/c d", "done"),
        told("/srv/a/link", "/srv/link", "done"),
        told("/srv/a", "/srv/z", "done"),
        told("/srv/c d", "/srv/b", "failed"),
        told("/srv/c d", "/srv/z", "failed"),
        told("/srv/c d", "/srv/b", "done"),
        told("/srv/none", "/srv/x", "failed"),
        told("/srv/b", "/none/x", "failed"),
        told("/srv/z", "/srv/z/inside", "failed"),
    ];
    let moves = || files.audit().into_iter().filter(|[action, ..]| action == "file.move").collect::<Vec<_>>();
    until(moves, |records| *records == wanted);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_folder_goes_there_and_back_as_tar_with_modes_owners_and_links() {
    let files = Files::new("tar");
    let here = tempfile::tempdir().unwrap();
    let tree = here.path().join("site");
    fs::create_dir_all(tree.join("deep/er/empty")).unwrap();
    fs::create_dir(tree.join("many")).unwrap();
    for number in 0..1000 {
        fs::write(tree.join(format!("many/f{number}")), format!("number {number}")).unwrap();
    }
    let long = format!("deep/{}", "l".repeat(200));
    fs::write(tree.join(&long), noise(300_000)).unwrap();
    fs::write(tree.join("deep/ñ #%\n"), "name").unwrap();
    fs::write(tree.join("nothing"), "").unwrap();
    fs::set_permissions(tree.join("many/f1"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(tree.join("deep/er"), fs::Permissions::from_mode(0o711)).unwrap();
    std::os::unix::fs::chown(tree.join("many/f2"), Some(1234), Some(567)).unwrap();
    symlink("../many/f1", tree.join("deep/link")).unwrap();
    symlink("/etc/passwd", tree.join("outside")).unwrap();
    symlink(format!("/{}", "t".repeat(150)), tree.join("long link")).unwrap();
    fs::hard_link(tree.join("many/f3"), tree.join("twin")).unwrap();
    let sent = here.path().join("sent.tar");
    for form in ["gnu", "pax"] {
        tar(&[&format!("--format={form}"), "-cf", "sent.tar", "site"], here.path());
        let told = files.put(&sent, &format!("/srv/{form}"), "&archive=tar&parents=true").is(200);
        assert_eq!(
            (&told["status"], &told["parts"][0]["result"]["entries"]),
            (&json!("done"), &json!(1012)),
            "{told}"
        );

        let (back, to) = (here.path().join("back.tar"), here.path().join(form));
        files.fetch(&format!("/srv/{form}/site"), "&archive=tar", &back);
        fs::create_dir(&to).unwrap();
        tar(&["-xpf", "../back.tar"], &to);
        let mut diff = Command::new("diff");
        let same = diff.args(["-r", "--no-dereference"]).arg(&tree).arg(to.join("site")).output().unwrap();
        assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
        for path in ["many/f1", "many/f2", "deep/er", "deep/er/empty", &long, "nothing", "deep/link"] {
            let about = |root: &Path| {
                let found = fs::symlink_metadata(root.join(path)).unwrap();
                (
                    found.mode(),
                    found.uid(),
                    found.gid(),
                    found.is_dir() || found.len() > 0 || path == "nothing",
                )
            };
            assert_eq!(about(&to.join("site")), about(&tree), "{path}");
        }
        let target = fs::read_link(to.join("site/long link")).unwrap();
        assert_eq!(target, fs::read_link(tree.join("long link")).unwrap());
    }
    // One file, too, and a folder once more over what is there.
    files.fetch("/srv/pax/site/many/f7", "&archive=tar", &here.path().join("one.tar"));
    tar(&["-xf", "one.tar"], here.path());
    assert_eq!(fs::read_to_string(here.path().join("f7")).unwrap(), "number 7");
    fs::write(tree.join("many/f7"), "another").unwrap();
    tar(&["-cf", "sent.tar", "site/many/f7", "site/deep"], here.path());
    assert_eq!(files.put(&sent, "/srv/pax", "&archive=tar").status, 200);
    assert_eq!(files.get("/srv/pax/site/many/f7").body, "another");
    let records = files.audit();
    let pulls =
        records.iter().filter(|[action, detail, _]| action == "file.pull" && detail.ends_with("as tar"));
    assert_eq!(pulls.count(), 3, "{records:?}");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_hostile_archive_writes_nothing_outside_its_folder() {
    let files = Files::new("hostile");
    let here = tempfile::tempdir().unwrap();
    let sent = here.path().join("sent.tar");
    files.make("/srv/in", &json!({"kind": "folder", "parents": true}));
    files.make("/srv/out", &json!({"kind": "folder"}));
    files.make("/srv/in/old", &json!({"kind": "symlink", "target": "/srv/out"}));
    files.make("/srv/in/file", &json!({"kind": "symlink", "target": "/srv/out/target"}));
    let bad = &b"bad"[..];
    let long = "n".repeat(99);
    for (entries, named) in [
        (&[("/srv/out/x", b'0', "", bad)][..], "/srv/out/x"),
        (&[("../out/x", b'0', "", bad)], "../out/x"),
        (&[("a/../../out/x", b'0', "", bad)], "a/../../out/x"),
        (&[("link", b'2', "../out", b""), ("link/x", b'0', "", bad)], "link/x"),
        (&[("abs", b'2', "/srv/out", b""), ("abs/x", b'0', "", bad)], "abs/x"),
        (&[("abs", b'2', "/srv/out", b""), ("abs/d", b'5', "", b"")], "abs/d"),
        (&[("abs", b'2', "/srv/out", b""), ("abs", b'5', "", b""), ("abs/x", b'0', "", bad)], "abs"),
        (&[("old/x", b'0', "", bad)], "old/x"),
        (&[("old/x", b'2', "/etc", b"")], "old/x"),
        (&[("hard", b'1', "../out/secret", b"")], "hard"),
        (&[("hard", b'1', "/srv/out/secret", b"")], "hard"),
        (&[("hard", b'1', "old/secret", b"")], "hard"),
        (&[("device", b'3', "", b"")], "device"),
        (&[("device", b'4', "", b"")], "device"),
        (&[("pipe", b'6', "", b"")], "pipe"),
        (&[("empty link", b'2', "", b"")], "empty link"),
        (&[(&long, b'L', "", &[b'a'; 5000]), ("x", b'0', "", bad)], "aaaa"),
        (&[(&long, b'L', "", &[b'a'; 3 << 20]), ("x", b'0', "", bad)], "too long"),
    ] {
        fs::write(&sent, archive(entries)).unwrap();
        let refused = files.put(&sent, "/srv/in", "&archive=tar");
        assert_eq!(refused.status, 409, "{named}: {refused:?}");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(named), "{named}: {detail}");
        assert_eq!(files.names("/srv/out"), Vec::<String>::new(), "{named}");
        files.delete("/srv/in/link", "");
        files.delete("/srv/in/abs", "");
    }
    // A link at an entry's own path is replaced, and what it leads to is not made.
    fs::write(&sent, archive(&[("file", b'0', "", b"good"), ("file", b'0', "", b"better")])).unwrap();
    assert_eq!(files.put(&sent, "/srv/in", "&archive=tar").status, 200);
    assert_eq!(files.get("/srv/in/file").body, "better");
    assert_eq!(files.names("/srv/out"), Vec::<String>::new());
    // What is no archive, and one that is cut.
    fs::write(&sent, noise(2000)).unwrap();
    assert_eq!(files.put(&sent, "/srv/in", "&archive=tar").status, 409);
    let whole = archive(&[("kept", b'0', "", b"kept"), ("cut", b'0', "", &[b'x'; 100_000])]);
    fs::write(&sent, &whole[..50_000]).unwrap();
    assert_eq!(files.put(&sent, "/srv/in", "&archive=tar").status, 409);
    assert_eq!(files.get("/srv/in/kept").body, "kept", "what is whole stays");
    assert_eq!(files.names("/srv/in"), ["file", "kept", "old"], "and nothing half");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_upload_that_is_cut_off_leaves_what_was_there() {
    let files = Files::new("cut");
    let here = tempfile::tempdir().unwrap();
    let old = here.path().join("old");
    fs::write(&old, "old").unwrap();
    assert_eq!(files.put(&old, "/root/file", "").status, 200);
    // Its bytes come from here, and its length is not told.
    let mut curl = files.alice.curl();
    curl.args(["-T", "-", &format!("http://{NODE}{}", files.url("/root/file", ""))]).stdin(Stdio::piped());
    let mut upload = curl.spawn().unwrap();
    let mut stdin = upload.stdin.take().unwrap();
    stdin.write_all(&noise(5_000_000)).unwrap();
    // All of it is under way, and its end never comes.
    until(|| files.moved(), |bytes| *bytes > 100_000);
    upload.kill().unwrap();
    upload.wait().unwrap();
    until(|| files.names("/root"), |names| *names == ["file"]);
    drop(stdin);
    assert!(files.get("/root/file").body == "old");
    let last = until(|| files.audit()[1].clone(), |[_, _, result]| result != "running");
    assert_eq!(last, ["file.push", "/root/file", "cancelled"]);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_right_that_is_taken_away_ends_transfers() {
    let files = Files::new("revoked");
    let here = tempfile::tempdir().unwrap();
    let big = here.path().join("big");
    fs::write(&big, noise(40_000_000)).unwrap();
    assert_eq!(files.put(&big, "/root/big", "").status, 200);

    let slowly = |arguments: &[&str], path: &str| {
        let mut curl = files.alice.curl();
        curl.args(["--limit-rate", "1M"])
            .args(arguments)
            .arg(format!("http://{NODE}{}", files.url(path, "")));
        Ends(curl.stdout(Stdio::piped()).spawn().unwrap())
    };
    let mut upload = slowly(&["-w", "%{http_code}", "-T", big.to_str().unwrap()], "/root/new");
    until(|| files.moved(), |bytes| *bytes > 100_000);
    let mut download = slowly(&["-o", "/dev/null"], "/root/big");
    until(|| files.audit().len(), |count| *count == 3);

    files.allow("view, admin");
    let mut answer = String::new();
    upload.0.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(answer.contains("was taken away") && answer.ends_with("403"), "{answer}");
    let ended = until(|| download.0.try_wait().unwrap(), Option::is_some).unwrap();
    assert!(!ended.success(), "it is not whole");
    let records = until(|| files.audit(), |records| records.iter().all(|[_, _, result]| result != "running"));
    assert_eq!(records[1..], [["file.push", "/root/new", "failed"], ["file.pull", "/root/big", "failed"]]);
    assert_eq!(files.get("/root/big").status, 403);

    files.allow(VERBS);
    assert_eq!(files.names("/root"), ["big"], "nothing half is left");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_memory_of_the_node_does_not_grow_with_a_file() {
    let files = Files::new("memory");
    let here = tempfile::tempdir().unwrap();
    let (small, big) = (here.path().join("small"), here.path().join("big"));
    fs::write(&small, noise(20_000_000)).unwrap();
    assert_eq!(files.put(&small, "/root/small", "").status, 200);
    files.fetch("/root/small", "", &here.path().join("back"));
    let before = memory(&files.service);
    let block = noise(1_000_000);
    let mut file = fs::File::create(&big).unwrap();
    for number in 0..300_u32 {
        file.write_all(&number.to_be_bytes()).unwrap();
        file.write_all(&block).unwrap();
    }
    let mut curl = files.alice.curl();
    curl.args(["--max-time", &HANG.as_secs().to_string(), "-f", "-o", "/dev/null", "-T"]).arg(&big);
    assert!(curl.arg(format!("http://{NODE}{}", files.url("/root/big", ""))).status().unwrap().success());
    files.fetch("/root/big", "&archive=tar", &here.path().join("back.tar"));
    let grown = memory(&files.service).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more for 300 MB there and back");
    let sent = sha256(&big);
    tar(&["-xf", "back.tar"], here.path());
    assert_eq!(sha256(&big), sent);
}
