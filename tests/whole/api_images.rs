//! Images that come and go as files by the API, over a real server, LXD or Incus: the one of `LXD_DIR`.

use std::fs;
use std::path::{Path, PathBuf};

use lxd_client::ImageOptions;
use serde_json::{Value, json};

use crate::api::{NODE, Person};
use crate::api_files::{noise, sha256, tar};
use crate::api_real::{Own, PROJECT, fresh, world};
use crate::clouds::{block_on, is_incus, local};
use crate::node::until;

/// The files of an image, which no other test has: whole, its metadata and its root disk.
struct Made {
    folder: tempfile::TempDir,
    /// Its name, and that of all that a test makes of it.
    name: String,
}

impl Made {
    fn new(name: &str) -> Made {
        let made = Made { folder: tempfile::tempdir().unwrap(), name: fresh(name) };
        let here = made.folder.path();
        fs::create_dir_all(here.join("rootfs/etc")).unwrap();
        fs::copy("/bin/busybox", here.join("rootfs/busybox")).unwrap();
        fs::write(here.join("rootfs/etc/mark"), &made.name).unwrap();
        fs::write(here.join("rootfs/noise"), noise(2_000_000)).unwrap();
        let about = format!(
            "architecture: {}\ncreation_date: 1700000000\nproperties: {{os: busybox, user.mark: '{}'}}\n",
            std::env::consts::ARCH,
            made.name
        );
        fs::write(here.join("metadata.yaml"), about).unwrap();
        tar(&["-czf", "whole.tar.gz", "metadata.yaml", "rootfs"], here);
        tar(&["-czf", "metadata.tar.gz", "metadata.yaml"], here);
        tar(&["-czf", "rootfs.tar.gz", "-C", "rootfs", "."], here);
        made
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn url(&self) -> String {
        format!("{PROJECT}/images/{}", self.name)
    }
}

impl Drop for Made {
    /// Deletes the image, where a test has not.
    fn drop(&mut self) {
        let _ = block_on(async {
            let client = local();
            let alias = client.image_alias(&self.name).get().await?;
            client.image(&alias.value.target).delete().await?.wait().await
        });
    }
}

/// Fetches what is there to a file, whole.
fn fetch(person: &Person, url: &str, to: &Path) {
    let mut curl = person.curl();
    curl.args(["-f", "-o"]).arg(to).arg(format!("http://{NODE}{url}"));
    assert!(curl.status().unwrap().success(), "{url}");
}

fn told(action: &str, detail: &str, result: &str) -> [String; 3] {
    [action, detail, result].map(str::to_owned)
}

/// The result of a job that has done it.
#[track_caller]
fn done(person: &Person, begun: &crate::api::Answer) -> Value {
    let part = person.outcome(begun);
    assert_eq!(part["status"], "done", "{part}");
    part["result"].clone()
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_image_is_sent_used_fetched_and_deleted() {
    let (_world, _service, alice, bob) = world();
    let made = Made::new("image");
    let (name, whole) = (&made.name, made.path("whole.tar.gz"));
    let upload = format!("{PROJECT}/image-files?alias={name}");
    let sent =
        done(&alice, &alice.upload(&format!("{upload}&public=true&filename=m%20%C3%B1.tar.gz"), &whole));
    let fingerprint = sha256(&whole);
    assert_eq!(sent["fingerprint"], *fingerprint);
    let listed = alice.get(&format!("{PROJECT}/images")).is(200);
    let image = listed.as_array().unwrap().iter().find(|image| image["fingerprint"] == *fingerprint).unwrap();
    assert_eq!((&image["public"], &image["aliases"][0]["name"]), (&json!(true), &json!(name)), "{image}");

    // Used, as any image of the cloud.
    let own = Own(name.clone());
    let new = json!({"name": name, "origin": {"image": name}});
    done(&alice, &alice.send("POST", &format!("{PROJECT}/instances"), &new));
    assert_eq!(alice.get(&own.path()).is(200)["instance"]["config"]["image.os"], "busybox");

    // Fetched, by a name or the begin of the fingerprint.
    let back = made.path("back");
    for image in [name.as_str(), &fingerprint[..12]] {
        fetch(&alice, &format!("{PROJECT}/images/{image}/export"), &back);
        assert_eq!(sha256(&back), fingerprint);
    }
    let export = format!("{}/export", made.url());
    let head = alice.ask(&export, &["-I"]);
    let length = fs::metadata(&whole).unwrap().len().to_string();
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*length)));
    assert_eq!(head.header("content-security-policy"), Some("sandbox"));
    let disposition = head.header("content-disposition").unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"") && disposition.contains(".tar.gz"),
        "{disposition}"
    );
    let refused = alice.get(&format!("{export}?part=rootfs")).is(409)["remedy"].clone();
    assert!(refused.as_str().unwrap().contains("without a part"), "{refused}");
    assert_eq!(alice.get(&format!("{export}?part=other")).status, 400);

    // The same once more, and what is no image.
    let again = alice.upload(&upload, &whole);
    assert!(again.status >= 400 || alice.outcome(&again)["status"] == "failed", "{again:?}");
    let junk = made.path("junk");
    fs::write(&junk, noise(100_000)).unwrap();
    let refused = alice.upload(&format!("{PROJECT}/image-files?alias={name}-junk"), &junk);
    let status =
        if refused.status == 202 { alice.outcome(&refused)["status"].clone() } else { json!("failed") };
    assert!(refused.status != 200 && status == "failed", "{refused:?}");

    let import = json!({"server": {"url": "https://h", "protocol": "lxd", "image": "x"}});
    let denied = [
        bob.get(&export),
        bob.upload(&upload, &whole),
        bob.send("POST", &format!("{PROJECT}/image-imports"), &import),
    ];
    assert!(denied.iter().all(|answer| answer.status == 403), "{denied:?}");
    let records = alice.get("/api/v1/audit?result=denied").is(200)["items"].clone();
    assert_eq!(records.as_array().unwrap().len(), 3, "{records}");

    let gone = alice.ask(&made.url(), &["-X", "DELETE", "-H", "prefer: wait=60"]);
    done(&alice, &gone);
    assert_eq!(alice.get(&export).is(404)["code"], "not_found");
    let object = format!("images/{name}");
    let wanted = [
        told("upload", "m ñ.tar.gz", "done"),
        told("export", "", "done"),
        told("upload", "", "failed"),
        told("delete", "", "done"),
    ];
    until(|| alice.audit(&object), |records| *records == wanted);
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_image_in_two_files_is_fetched_file_by_file() {
    let (_world, _service, alice, _bob) = world();
    let made = Made::new("split");
    let (metadata, rootfs) = (made.path("metadata.tar.gz"), made.path("rootfs.tar.gz"));
    block_on(async {
        let open = |path: PathBuf| tokio::fs::File::open(path);
        let (first, second) = (open(metadata.clone()).await.unwrap(), open(rootfs.clone()).await.unwrap());
        let client = local();
        let mut sent = client.import_split_image(first, second, &ImageOptions::default()).await.unwrap();
        let ended = sent.wait().await.unwrap();
        let fingerprint = ended.metadata["fingerprint"].as_str().unwrap();
        client.create_image_alias(&lxd_client::Alias::new(&made.name, fingerprint)).await.unwrap();
    });
    let export = format!("{}/export", made.url());
    let refused = alice.get(&export).is(409);
    assert!(refused["detail"].as_str().unwrap().contains("two files"), "{refused}");
    assert!(refused["remedy"].as_str().unwrap().contains("part=metadata and part=rootfs"), "{refused}");
    let back = made.path("back");
    for (part, file) in [("metadata", &metadata), ("rootfs", &rootfs)] {
        let url = format!("{export}?part={part}");
        let head = alice.ask(&url, &["-I"]);
        assert!(
            head.header("content-disposition").unwrap().starts_with("attachment; filename=\""),
            "{head:?}"
        );
        fetch(&alice, &url, &back);
        assert_eq!(sha256(&back), sha256(file), "{part}");
    }
    let wanted = [told("export", "metadata", "done"), told("export", "rootfs", "done")];
    until(|| alice.audit(&format!("images/{}", made.name)), |records| *records == wanted);
}

/// A project with images of its own. It goes at the end.
struct Project(String);

impl Project {
    fn new(name: &str) -> Project {
        let project = Project(fresh(name));
        let mut new = lxd_client::Project::new(&project.0);
        new.config.insert("features.images".to_owned(), "true".to_owned());
        block_on(local().create_project(&new)).unwrap();
        project
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = block_on(async {
            let client = local().project(&self.0);
            for image in client.images().names().await? {
                client.image(&image).delete().await?.wait().await?;
            }
            local().project_named(&self.0).delete().await
        });
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_cloud_fetches_an_image_from_an_image_server() {
    let (_world, _service, alice, _bob) = world();
    let (made, project) = (Made::new("fetched"), Project::new("fetched"));
    let (name, whole) = (&made.name, made.path("whole.tar.gz"));
    done(&alice, &alice.upload(&format!("{PROJECT}/image-files?alias={name}&public=true"), &whole));
    // The server is an image server, too, for its other projects.
    let (address, certificate) = block_on(async {
        let server = local().server().await.unwrap();
        let certificate =
            server.environment.as_ref().unwrap().rest["certificate"].as_str().unwrap().to_owned();
        (server.config["core.https_address"].as_str().unwrap().to_owned(), certificate)
    });
    let protocol = if is_incus() { "incus" } else { "lxd" };
    let url = format!("https://user:hush@{address}");
    let import = |image: &str, url: &str, certificate: Option<&str>| {
        let server = json!({"url": url, "protocol": protocol, "image": image, "certificate": certificate});
        let body =
            json!({"server": server, "aliases": ["mine", "mine too"], "auto_update": true, "public": true});
        alice.send("POST", &format!("/api/v1/clouds/real/projects/{}/image-imports", project.0), &body)
    };
    let fetched = done(&alice, &import(name, &url, Some(&certificate)));
    assert_eq!(fetched["fingerprint"], *sha256(&whole));
    let image = block_on(local().project(&project.0).image(&sha256(&whole)).get()).unwrap().value;
    let mut aliases: Vec<&str> = image.aliases.iter().map(|alias| alias.name.as_str()).collect();
    aliases.sort_unstable();
    assert_eq!((aliases, image.auto_update, image.public), (vec!["mine", "mine too"], true, true));

    let failed = |begun: &crate::api::Answer| match begun.status {
        202 => alice.outcome(begun)["problem"].clone(),
        _ => begun.json(),
    };
    let missing = failed(&import("none", &url, Some(&certificate)));
    assert!(missing["detail"].as_str().unwrap().to_lowercase().contains("not found"), "{missing}");
    let strange = failed(&import(name, &url, None));
    assert!(strange["detail"].as_str().unwrap().contains("certificate"), "{strange}");
    assert!(import(name, "no address", None).is(400)["detail"].as_str().unwrap().contains("no address"));

    let records = alice.audit("images/mine");
    let detail = |image: &str| format!("{image} of {}", address.rsplit_once(':').unwrap().0);
    let wanted = [
        told("import", &detail(name), "done"),
        told("import", &detail("none"), "failed"),
        told("import", &detail(name), "failed"),
    ];
    assert_eq!(records, wanted);
}
