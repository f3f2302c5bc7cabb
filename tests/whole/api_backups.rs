//! Backups of instances by the API, over a real server, LXD or Incus: the one of `LXD_DIR`.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Stdio;

use lxd_client::{FileOptions, NewSnapshot};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::api::{NODE, Person};
use crate::api_files::{memory, moved, noise, sha256};
use crate::api_real::{Own, PROJECT, world};
use crate::clouds::{block_on, local};
use crate::node::until;
use crate::real_lxd::lxd_dir;

/// Writes a file of noise into an instance.
fn fill(instance: &str, length: usize) {
    let content = Cursor::new(noise(length));
    let files = local().instance(instance).files();
    block_on(files.write("/root/noise", content, &FileOptions::default())).unwrap();
}

/// What the server says of an instance's noise.
fn noise_in(instance: &str) -> Vec<u8> {
    block_on(async {
        let mut content = Vec::new();
        let read = local().instance(instance).files().read("/root/noise").await.unwrap();
        let lxd_client::Entry::File(_, mut download) = read else { panic!("no file") };
        download.read_to_end(&mut content).await.unwrap();
        content
    })
}

/// Makes a backup, and gives its name.
fn back_up(person: &Person, own: &Own, wanted: &Value) -> Value {
    let begun = person.send("POST", &format!("{}/backups", own.path()), wanted);
    let made = person.outcome(&begun);
    assert_eq!(made["status"], "done", "{made}");
    made["result"]["name"].clone()
}

/// Fetches a backup to a file, whole.
fn fetch(person: &Person, own: &Own, backup: &str, to: &Path) {
    let mut curl = person.curl();
    curl.args(["--max-time", "300", "-f", "-o"]).arg(to);
    curl.arg(format!("http://{NODE}{}/backups/{backup}/export", own.path()));
    assert!(curl.status().unwrap().success(), "{backup}");
}

fn told(action: &str, detail: &str, result: &str) -> [String; 3] {
    [action, detail, result].map(str::to_owned)
}

/// An instance that a test makes by the API. It goes at the end.
fn restored(own: &Own) -> Own {
    Own(format!("{}-back", own.0))
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_backup_is_made_fetched_brought_back_under_another_name_and_deleted() {
    let (_world, _service, alice, bob) = world();
    let own = Own::new("backup");
    let (name, back) = (&own.0, restored(&own));
    fill(name, 3_000_001);
    let snapshot = NewSnapshot { name: Some("s0".to_owned()), ..NewSnapshot::default() };
    block_on(async {
        local().instance(name).create_snapshot_as(&snapshot).await.unwrap().wait().await.unwrap()
    });

    let wanted = json!({"name": "b0", "compression": "none", "expires_at": "2099-01-02T03:04:05Z"});
    assert_eq!(back_up(&alice, &own, &wanted), "b0");
    let chosen = back_up(&alice, &own, &json!({"instance_only": true, "compression": "gzip"}));
    let chosen = chosen.as_str().unwrap();
    let kept = alice.get(&own.path()).is(200)["instance"]["backups"].clone();
    let find = |backup: &str| {
        let mut all = kept.as_array().unwrap().iter();
        all.find(|kept| kept["name"].as_str().unwrap().rsplit('/').next() == Some(backup)).cloned().unwrap()
    };
    assert_eq!(find("b0")["instance_only"], false);
    assert!(find("b0")["expires_at"].as_str().unwrap().starts_with("2099-01-02"), "{kept}");
    assert_eq!(find(chosen)["instance_only"], true);
    let taken = alice.send("POST", &format!("{}/backups", own.path()), &wanted);
    assert!(taken.status >= 400 || alice.outcome(&taken)["status"] == "failed", "{taken:?}");

    // A browser stores it under a name that says what it is.
    let here = tempfile::tempdir().unwrap();
    let (sent, theirs) = (here.path().join("b0"), here.path().join("theirs"));
    fetch(&alice, &own, "b0", &sent);
    block_on(async {
        let mut download = local().instance(name).backup("b0").export().await.unwrap();
        let mut file = tokio::fs::File::create(&theirs).await.unwrap();
        tokio::io::copy(&mut download, &mut file).await.unwrap();
    });
    assert_eq!(sha256(&sent), sha256(&theirs));
    let length = fs::metadata(&sent).unwrap().len().to_string();
    let export = |backup: &str| format!("{}/backups/{backup}/export", own.path());
    let head = alice.ask(&export("b0"), &["-I"]);
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*length)));
    assert_eq!(head.header("content-type"), Some("application/octet-stream"));
    assert_eq!(head.header("content-security-policy"), Some("sandbox"));
    let disposition = format!("attachment; filename=\"{name}-b0.tar\"");
    assert_eq!(head.header("content-disposition"), Some(&*disposition));
    let head = alice.ask(&export(chosen), &["-I"]);
    assert!(head.header("content-disposition").unwrap().ends_with(".tar.gz\""), "{head:?}");

    // Back as another instance, with what was in it.
    let import = |name: &str| format!("{PROJECT}/backups?name={name}");
    let made = alice.outcome(&alice.upload(&format!("{}&pool=default", import(&back.0)), &sent));
    assert_eq!((&made["status"], &made["result"]["name"]), (&json!("done"), &json!(back.0)), "{made}");
    assert!(noise_in(&back.0) == noise(3_000_001));
    let snapshots = alice.get(&back.path()).is(200)["instance"]["snapshots"].clone();
    assert_eq!(snapshots.as_array().unwrap().len(), 1, "{snapshots}");
    let again = alice.upload(&import(&back.0), &sent).is(409)["detail"].clone();
    assert!(again.as_str().unwrap().contains("already exists"), "{again}");
    let unnamed = alice.upload(&format!("{PROJECT}/backups"), &sent);
    let why =
        if unnamed.status == 202 { alice.outcome(&unnamed)["problem"].clone() } else { unnamed.is(409) };
    assert!(why["detail"].as_str().unwrap().contains("give another name"), "{why}");
    let junk = here.path().join("junk");
    fs::write(&junk, noise(100_000)).unwrap();
    let refused = alice.upload(&import(&format!("{name}-junk")), &junk);
    assert!(refused.status >= 400 && !refused.json()["detail"].as_str().unwrap().is_empty(), "{refused:?}");

    // Whoever may only look gets nothing of it.
    let denied = [
        bob.get(&export("b0")),
        bob.ask(&export("b0"), &["-I"]),
        bob.upload(&import("bobs"), &sent),
        bob.send("POST", &format!("{}/backups", own.path()), &json!({})),
        bob.ask(&format!("{}/backups/b0", own.path()), &["-X", "DELETE"]),
    ];
    assert!(denied.iter().all(|answer| answer.status == 403), "{denied:?}");
    assert_eq!(denied[0].json()["grant"]["grant"]["verbs"], json!(["edit"]));
    let records = alice.get("/api/v1/audit?result=denied").is(200)["items"].clone();
    let count: u64 = records.as_array().unwrap().iter().map(|record| record["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 5, "{records}");

    for (backup, status) in [("b0", 200), ("b0", 404), (chosen, 200)] {
        let url = format!("{}/backups/{backup}", own.path());
        assert_eq!(alice.ask(&url, &["-X", "DELETE", "-H", "prefer: wait=60"]).status, status, "{backup}");
    }
    assert_eq!(alice.get(&export("b0")).is(404)["cloud"], "real");
    let left = alice.get(&own.path()).is(200)["instance"]["backups"].clone();
    assert!(left.as_array().is_none_or(Vec::is_empty), "{left}");

    let audit = |object: &str| alice.audit(&format!("instances/{object}"));
    let wanted = [
        told("backup.create", "b0", "done"),
        told("backup.create", "", "done"),
        told("backup.create", "b0", "failed"),
    ];
    assert_eq!(audit(name), wanted);
    let wanted = [
        told("backup.export", "", "done"),
        told("backup.delete", "", "done"),
        told("backup.delete", "", "failed"),
    ];
    assert_eq!(audit(&format!("{name}/backups/b0")), wanted);
    let wanted = [told("backup.import", "", "done"), told("backup.import", "", "failed")];
    assert_eq!(audit(&back.0), wanted);
}

/// What a server has in its folders of what is being sent to it.
fn half_sent() -> Vec<String> {
    let folders = ["backups", "images"].map(|folder| fs::read_dir(lxd_dir().join(folder)).unwrap());
    let names = folders.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains('_')).collect()
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_is_cut_off_on_its_way_to_a_cloud_leaves_nothing() {
    let (_world, _service, alice, _bob) = world();
    let own = Own::new("cut");
    let back = restored(&own);
    fill(&own.0, 20_000_000);
    back_up(&alice, &own, &json!({"name": "b0", "compression": "none"}));
    let here = tempfile::tempdir().unwrap();
    let backup = here.path().join("b0");
    fetch(&alice, &own, "b0", &backup);
    let begin = fs::read(&backup).unwrap()[..10_000_000].to_vec();
    let alias = format!("cut-{}", own.0);
    let there =
        || (alice.get(&back.path()).status, alice.get(&format!("{PROJECT}/images/{alias}/export")).status);
    for (url, object) in [
        (format!("{PROJECT}/backups?name={}", back.0), format!("instances/{}", back.0)),
        (format!("{PROJECT}/image-files?alias={alias}"), format!("images/{alias}")),
    ] {
        for by_job in [false, true] {
            // Its bytes come from here, and its length is not told.
            let mut curl = alice.curl();
            curl.args(["-X", "POST", "-H", "content-type: application/octet-stream", "-T", "-"]);
            curl.arg(format!("http://{NODE}{url}")).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut upload = curl.spawn().unwrap();
            let mut stdin = upload.stdin.take().unwrap();
            stdin.write_all(&begin).unwrap();
            // Most of it is under way, and its end never comes.
            until(|| moved(&alice), |bytes| *bytes > 5_000_000);
            until(half_sent, |names| !names.is_empty());
            if by_job {
                let job = alice.get("/api/v1/jobs").is(200)[0]["id"].as_str().unwrap().to_owned();
                assert_eq!(alice.ask(&format!("/api/v1/jobs/{job}"), &["-X", "DELETE"]).status, 202);
                drop(stdin);
                let answer = upload.wait_with_output().unwrap();
                assert!(String::from_utf8_lossy(&answer.stdout).contains("\"cancelled\""), "{answer:?}");
            } else {
                upload.kill().unwrap();
                upload.wait().unwrap();
            }
            let last = || alice.audit(&object).pop().unwrap();
            assert_eq!(until(last, |[_, _, result]| result != "running")[2], "cancelled");
            until(half_sent, Vec::is_empty);
            assert_eq!(there(), (404, 404), "{url}");
        }
        assert_eq!(alice.audit(&object).len(), 2, "{object}");
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn the_memory_of_the_node_does_not_grow_with_a_backup() {
    let (_world, service, alice, _bob) = world();
    let (small, big) = (Own::new("small"), Own::new("big"));
    let here = tempfile::tempdir().unwrap();
    let there_and_back = |own: &Own, length: usize| {
        fill(&own.0, length);
        back_up(&alice, own, &json!({"name": "b0", "compression": "none"}));
        let (file, back) = (here.path().join(&own.0), restored(own));
        fetch(&alice, own, "b0", &file);
        let answer = alice.upload(&format!("{PROJECT}/backups?name={}", back.0), &file);
        assert_eq!(alice.outcome(&answer)["status"], "done");
        let is_same = noise_in(&back.0) == noise(length);
        assert!(is_same, "{} has lost something", back.0);
    };
    there_and_back(&small, 5_000_000);
    let before = memory(&service);
    there_and_back(&big, 200_000_000);
    let grown = memory(&service).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more for 200 MB there and back");
}
