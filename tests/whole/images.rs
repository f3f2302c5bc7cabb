//! `lxd image`, `publish`, `export` and `import` beside `lxc` on two real LXDs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::pair::{Pair, Server, in_own_network};
use crate::program::finish;

/// What `lxc image list` prints, a line for each image.
pub(crate) fn images(server: &Server) -> String {
    server.lxc(&["image", "list", "--format", "csv", "-c", "lFp"])
}

/// The fingerprint of an alias.
pub(crate) fn fingerprint(server: &Server, alias: &str) -> String {
    let list = server.lxc(&["image", "alias", "list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let alias = list.as_array().unwrap().iter().find(|a| a["name"] == alias).unwrap();
    alias["target"].as_str().unwrap().to_owned()
}

/// The files in a folder, in their order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// How many files a server has of what was sent to it.
pub(crate) fn uploads(server: &Server) -> usize {
    ["images", "backups"].iter().map(|folder| files(&server.dir().join(folder)).len()).sum()
}

fn sh(folder: &Path, script: &str) {
    let status = Command::new("sh").args(["-ec", script]).current_dir(folder).status().unwrap();
    assert!(status.success(), "{script}");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn images_are_shown_and_changed_as_lxc_does_it() {
    in_own_network("images::images_are_shown_and_changed_as_lxc_does_it", || {
        let pair = Pair::apart(None);
        let (world, oslo) = (&pair.world, &pair.oslo);
        let image = |arguments: &[&str]| world.good(&[&["lxd", "image"], arguments].concat());
        let fails = |arguments: &[&str]| world.run(&[&["lxd", "image"], arguments].concat());
        let id = fingerprint(oslo, "busybox");

        for columns in ["lfpdatsu", "lF", "L,a"] {
            let theirs = oslo.lxc(&["image", "list", "--format", "csv", "-c", columns]);
            assert_eq!(image(&["list", "oslo:", "--format", "csv", "-c", columns]), theirs);
        }
        for (filter, shown) in [
            ("busy", true),
            (&id[..5], true),
            ("os=busybox", true),
            ("o=busybox", true),
            ("os=debian", false),
        ] {
            let theirs = oslo.lxc(&["image", "list", filter, "--format", "csv"]);
            assert_eq!(
                (theirs.is_empty(), theirs.as_str()),
                (!shown, &*image(&["list", "oslo", filter, "-f", "csv", "-c", "lfpdatsu"]))
            );
            let of_cloud = format!("oslo:{filter}");
            assert_eq!(image(&["list", &of_cloud, "-f", "csv", "-c", "lfpdatsu"]), theirs, "{of_cloud}");
        }
        let everywhere = world.json(&["lxd", "image", "list"]);
        assert_eq!((&everywhere[0]["cloud"], &everywhere[1]), (&"oslo".into(), &Value::Null), "{everywhere}");
        assert_eq!(everywhere[0]["fingerprint"], id.as_str());
        assert!(image(&["list", "rome"]).contains("no images"));
        let short = format!("oslo:{}", &id[..8]);
        for name in ["oslo:busybox", &short] {
            // Properties come in any order there.
            assert_eq!(sorted(&image(&["info", name])), sorted(&oslo.lxc(&["image", "info", "busybox"])));
            assert_eq!(image(&["show", name]), oslo.lxc(&["image", "show", "busybox"]));
        }
        assert_eq!(image(&["get-property", "oslo:busybox", "os"]), "busybox\n");
        image(&["set-property", "oslo:busybox", "user.mark", "a b"]);
        assert_eq!(oslo.lxc(&["image", "get-property", "busybox", "user.mark"]), "a b\n");
        image(&["unset-property", "oslo:busybox", "user.mark"]);
        let mut edit = world.program();
        let mut edit =
            edit.args(["lxd", "image", "edit", "oslo:busybox"]).stdin(Stdio::piped()).spawn().unwrap();
        let text = image(&["show", "oslo:busybox"]).replace("public: false", "public: true");
        edit.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert_eq!(finish(edit).code, Some(0));
        assert!(images(oslo).ends_with(",yes\n"));
        for (arguments, words) in [
            (&["info", "oslo:none"][..], "Image not found"),
            (&["get-property", "oslo:busybox", "user.mark"], "Property not found"),
            (&["delete", "oslo:none"], "Image not found"),
            (&["alias", "delete", "oslo:none"], "Image alias not found"),
        ] {
            let told = fails(arguments);
            assert!(told.code == Some(5) && told.stderr.contains(words), "{arguments:?}: {}", told.stderr);
        }

        image(&["alias", "create", "oslo:second", &id[..12], "--description", "d"]);
        image(&["alias", "rename", "oslo:second", "a/b"]);
        let theirs = oslo.lxc(&["image", "alias", "list", "--format", "csv"]);
        let ours = image(&["alias", "list", "oslo:", "--format", "csv"]);
        assert_eq!(ours.replace("oslo,", ""), theirs);
        assert_eq!(ours.lines().count(), 2);
        assert!(fails(&["alias", "create", "oslo:a/b", &id]).stderr.contains("already exists"));
        image(&["alias", "delete", "oslo:a/b"]);
        let told = fails(&["refresh", "oslo:busybox"]);
        assert!(told.code != Some(0) && told.stderr.contains("Image source not found"), "{}", told.stderr);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn images_go_into_files_and_come_back() {
    in_own_network("images::images_go_into_files_and_come_back", || {
        let pair = Pair::apart(None);
        let (world, oslo, rome) = (&pair.world, &pair.oslo, &pair.rome);
        let image = |arguments: &[&str]| world.good(&[&["lxd", "image"], arguments].concat());
        let id = fingerprint(oslo, "busybox");
        for folder in ["ours", "theirs"] {
            std::fs::create_dir(world.path(folder)).unwrap();
        }
        let theirs = world.path("theirs");
        let same = |name: &str| {
            let read = |folder: &str| std::fs::read(world.path(folder).join(name)).unwrap();
            assert!(read("ours") == read("theirs"), "{name}");
        };

        // The names are those of lxc.
        assert_eq!(image(&["export", "oslo:busybox", "ours"]), "Image exported successfully!\n");
        image(&["export", "oslo:busybox", "ours/named"]);
        oslo.lxc(&["image", "export", "busybox", theirs.to_str().unwrap()]);
        oslo.lxc(&["image", "export", "busybox", theirs.join("named").to_str().unwrap()]);
        assert_eq!(files(&world.path("ours")), files(&theirs));
        files(&theirs).iter().for_each(|name| same(name));
        let piped = crate::program::command(env!("CARGO_BIN_EXE_kolaboree-node"), world.home.path())
            .args(["lxd", "image", "export", "oslo:busybox", "-"])
            .output()
            .unwrap();
        assert!(piped.stdout == std::fs::read(theirs.join("named.tar.gz")).unwrap());

        // Whole, by the standard input, from a folder, and in two files.
        let told =
            image(&["import", "ours/named.tar.gz", "rome:", "--alias", "one", "--public", "user.a=b c"]);
        assert_eq!(told, format!("Image imported with fingerprint: {id}\n"));
        assert_eq!(images(rome), format!("one,{id},yes\n"));
        assert_eq!(image(&["get-property", "rome:one", "user.a"]), "b c\n");
        let again = world.run(&["lxd", "image", "import", "ours/named.tar.gz", "rome:"]);
        assert!(again.code == Some(1) && again.stderr.contains("same fingerprint"), "{}", again.stderr);
        image(&["delete", "rome:one"]);
        let mut import = world.program();
        let mut import =
            import.args(["lxd", "image", "import", "-", "rome:"]).stdin(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(&piped.stdout).unwrap();
        assert_eq!(finish(import).stdout, format!("Image imported with fingerprint: {id}\n"));
        sh(world.home.path(), "mkdir x && tar -C x -xzf ours/named.tar.gz");
        image(&["import", "x", "rome:", "--alias", "folder"]);
        rome.lxc(&["init", "folder", "made"]);
        assert!(rome.root("made").join("bin/busybox").exists());
        sh(
            world.home.path(),
            "tar -C x -czf meta.tar.gz metadata.yaml && tar -C x/rootfs -czf root.tar.gz .",
        );
        image(&["import", "meta.tar.gz", "root.tar.gz", "rome:", "--alias", "split", "--alias", "folder"]);
        let split = fingerprint(rome, "split");
        assert_eq!(fingerprint(rome, "folder"), split, "an alias goes over, as with lxc");
        image(&["export", "rome:split", "ours"]);
        image(&["export", "rome:split", "ours/two"]);
        rome.lxc(&["image", "export", "split", theirs.to_str().unwrap()]);
        rome.lxc(&["image", "export", "split", theirs.join("two").to_str().unwrap()]);
        assert_eq!(files(&world.path("ours")), files(&theirs));
        files(&theirs).iter().for_each(|name| same(name));
        let told = world.run(&["lxd", "image", "export", "rome:split", "-"]);
        assert!(
            told.code == Some(2)
                && told.stderr.contains("name a folder") | told.stderr.contains("into a folder"),
            "{}",
            told.stderr
        );
        for (arguments, words) in [
            (&["nofile", "rome:"][..], "nofile"),
            (&["http://example.invalid/x", "rome:"], "Only https://"),
            (&["ours", "rome:"], "metadata.yaml"),
        ] {
            let told = world.run(&[&["lxd", "image", "import"], arguments].concat());
            assert!(told.code != Some(0) && told.stderr.contains(words), "{}", told.stderr);
        }
        image(&["delete", "rome:split", &format!("rome:{}", &id[..10])]);
        assert_eq!(images(rome).lines().count(), 1);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_image_is_copied_each_way_and_verified() {
    in_own_network("images::an_image_is_copied_each_way_and_verified", || {
        let pair = Pair::start();
        let (world, oslo, rome) = (&pair.world, &pair.oslo, &pair.rome);
        let id = fingerprint(oslo, "busybox");
        oslo.lxc(&["image", "set-property", "busybox", "user.mark", "a b"]);
        for (mode, way) in [("auto", "pull"), ("pull", "pull"), ("push", "push"), ("relay", "relay")] {
            let mode = format!("--mode={mode}");
            let copy = [
                "lxd",
                "image",
                "copy",
                "oslo:busybox",
                "rome:",
                "--alias",
                "new",
                "--copy-aliases",
                "--public",
                &mode,
            ];
            let told = world.json(&copy);
            assert_eq!((&told["way"], &told["fingerprint"]), (&way.into(), &id.as_str().into()), "{told}");
            assert_eq!(images(rome), format!("new (1 more),{id},yes\n"), "{mode}");
            assert_eq!(rome.lxc(&["image", "get-property", "busybox", "user.mark"]), "a b\n");
            // Again, where it is there already: nothing is sent, and a name that another has goes over.
            let told =
                world.json(&["lxd", "image", "copy", "oslo:busybox", "rome:", "--alias", "more", &mode]);
            assert_eq!(told["way"], Value::Null, "{told}");
            assert_eq!(fingerprint(rome, "more"), id);
            rome.lxc(&["image", "delete", &id]);
        }
        oslo.lxc(&["image", "edit", "busybox"]);
        let told = world.run(&["lxd", "image", "copy", "oslo:none", "rome:"]);
        assert!(told.code == Some(5) && told.stderr.contains("Image not found"), "{}", told.stderr);
        let told = world.run(&["lxd", "image", "copy", "oslo:busybox", "oslo:"]);
        assert!(told.code == Some(2) && told.stderr.contains("must be different"), "{}", told.stderr);

        // Into another project, of the same server and of the other one.
        for server in [oslo, rome] {
            server.lxc(&["project", "create", "other", "-c", "features.images=true"]);
        }
        for (to, way) in [("oslo:", "server"), ("rome:", "pull")] {
            let told = world.json(&["lxd", "image", "copy", "oslo:busybox", to, "--target-project", "other"]);
            assert_eq!(told["way"], way, "{told}");
        }
        for server in [oslo, rome] {
            assert!(server.lxc(&["image", "list", "--project", "other", "-f", "csv"]).contains(&id[..12]));
        }
        let back = ["lxd", "--project", "other", "image", "copy", "rome:", "oslo:"];
        let name = format!("rome:{}", &id[..12]);
        let copy = |mode| {
            let mut back = back;
            back[5] = &name;
            world.json(&[&back[..], &["--mode", mode, "--target-project", "default"]].concat())
        };
        assert_eq!(copy("relay")["way"], Value::Null);
        oslo.lxc(&["image", "delete", "busybox"]);
        assert_eq!(copy("pull")["way"], "pull");

        // In two files, and kept new.
        sh(world.home.path(), "mkdir x");
        world.good(&["lxd", "image", "export", &format!("oslo:{id}"), "whole"]);
        sh(
            world.home.path(),
            "tar -C x -xzf whole.tar.gz && tar -C x -czf meta.tar.gz metadata.yaml && tar -C x/rootfs -czf root.tar.gz .",
        );
        world.good(&[
            "lxd",
            "image",
            "import",
            "meta.tar.gz",
            "root.tar.gz",
            "oslo:",
            "--alias",
            "split",
            "--public",
        ]);
        for mode in ["relay", "pull"] {
            let told = world.json(&[
                "lxd",
                "image",
                "copy",
                "oslo:split",
                "rome:",
                "--copy-aliases",
                "--mode",
                mode,
            ]);
            assert_eq!(fingerprint(rome, "split"), told["fingerprint"].as_str().unwrap());
            rome.lxc(&["image", "delete", "split"]);
        }
        world.json(&["lxd", "image", "copy", "oslo:split", "rome:", "--auto-update", "--alias", "kept"]);
        assert!(rome.lxc(&["image", "info", "kept"]).contains("Auto update: enabled"));
        assert_eq!(world.good(&["lxd", "image", "refresh", "rome:kept"]), "Image already up to date.\n");
        let told =
            world.run(&["lxd", "image", "copy", "oslo:split", "rome:", "--auto-update", "--mode", "relay"]);
        assert!(told.code == Some(2) && told.stderr.contains("pull mode"), "{}", told.stderr);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn instances_are_published_exported_and_imported() {
    in_own_network("images::instances_are_published_exported_and_imported", || {
        let pair = Pair::apart(None);
        let (world, oslo, rome) = (&pair.world, &pair.oslo, &pair.rome);
        oslo.make("web", 2);
        oslo.lxc(&["snapshot", "web", "s0"]);
        let told = world.good(&[
            "lxd",
            "publish",
            "oslo:web",
            "--alias",
            "pub",
            "--public",
            "os=mine",
            "--compression",
            "none",
        ]);
        let id = fingerprint(oslo, "pub");
        assert_eq!(told, format!("Instance published with fingerprint: {id}\n"));
        assert!(oslo.lxc(&["image", "info", "pub"]).contains("os: mine"));
        let taken = world.run(&["lxd", "publish", "oslo:web/s0", "--alias", "pub"]);
        assert!(
            taken.code == Some(2) && taken.stderr.contains("Aliases already exists: pub"),
            "{}",
            taken.stderr
        );
        world.good(&["lxd", "publish", "oslo:web/s0", "--alias", "pub", "--reuse"]);
        assert!(!images(oslo).contains(&id), "the old one is deleted");
        oslo.lxc(&["start", "web"]);
        let told = world.run(&["lxd", "publish", "oslo:web"]);
        assert!(told.stderr.contains("Use --force to have it stopped"), "{}", told.stderr);
        world.good(&["lxd", "publish", "oslo:web", "rome:", "--force", "--alias", "there"]);
        assert_eq!(oslo.lxc(&["list", "-f", "csv", "-c", "ns"]), "web,RUNNING\n");
        let id = fingerprint(rome, "there");
        assert!(!images(oslo).contains(&id), "it is left at the source");
        oslo.lxc(&["stop", "--force", "web"]);

        let told = world.good(&["lxd", "export", "oslo:web", "--compression", "none"]);
        assert_eq!(told, "Backup exported successfully!\n");
        assert_eq!(oslo.lxc(&["query", "/1.0/instances/web/backups"]).trim(), "[]");
        world.good(&["lxd", "import", "rome:", "backup.tar.gz", "--storage", "other"]);
        world.good(&["lxd", "import", "backup.tar.gz", "rome:second", "-s", "other"]);
        assert_eq!(rome.instances(), ["second", "web"]);
        assert!(rome.lxc(&["info", "web"]).contains("s0"));
        let read = |server: &Server, name| std::fs::read(server.root(name).join("root/big")).unwrap();
        assert!(read(oslo, "web") == read(rome, "second"));
        for arguments in [&["backup.tar.gz", "rome:second"][..], &["rome:", "backup.tar.gz", "-s", "other"]] {
            let told = world.run(&[&["lxd", "import"], arguments].concat());
            assert!(
                told.code == Some(2) && told.stderr.contains("already"),
                "{:?} {}",
                told.code,
                told.stderr
            );
        }
        rome.lxc(&["delete", "web", "second"]);

        // By pipes, and without snapshots.
        let pipe = "\"$0\" lxd export oslo:web - --instance-only | \"$0\" lxd import rome: - piped -s other";
        let mut piped = Command::new("sh");
        piped.args(["-c", pipe, env!("CARGO_BIN_EXE_kolaboree-node")]).current_dir(world.home.path());
        assert!(piped.env("HOME", world.home.path()).stdout(Stdio::null()).status().unwrap().success());
        assert!(!rome.lxc(&["info", "piped"]).contains("s0"));
        assert!(read(oslo, "web") == read(rome, "piped"));

        // What fails leaves nothing.
        world.write("junk", "junk");
        for (arguments, words) in [
            (&["rome:", "junk"][..], "compression"),
            (&["rome:", "backup.tar.gz", "x", "-s", "none"], "Storage pool not found"),
            (
                &["rome:", "backup.tar.gz", "x", "-s", "other", "-d", "root,size=10GB"],
                "import_instance_devices",
            ),
            (&["rome:", "nofile"], "nofile"),
        ] {
            let told = world.run(&[&["lxd", "import"], arguments].concat());
            assert!(told.code != Some(0) && told.stderr.contains(words), "{arguments:?}: {}", told.stderr);
        }
        assert_eq!(rome.instances(), ["piped"]);
        let told = world.run(&["lxd", "export", "oslo:none", "file"]);
        assert!(told.code == Some(5) && !world.path("file").exists(), "{}", told.stderr);
    });
}

/// The names of a test's images and instances on a server that others use too.
struct Own(String);

impl Own {
    fn lxc(&self, arguments: &[&str]) -> std::process::Output {
        Command::new("lxc").args(arguments).output().expect("lxc is installed")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let name = &self.0;
        self.lxc(&["delete", "--force", name, &format!("{name}-back")]);
        for image in ["", "-split", "-pub"] {
            for project in ["default", name] {
                self.lxc(&["image", "delete", &format!("{name}{image}"), "--project", project]);
            }
        }
        self.lxc(&["project", "delete", name]);
    }
}

#[test]
#[ignore = "needs a real Incus: .ci/with-incus cargo test -p kolaboree-node --test whole -- --ignored incus"]
fn images_and_backups_work_on_a_real_incus() {
    let (world, service) = crate::clouds::with_server();
    let own = Own(format!("images-{}", std::process::id()));
    let name = own.0.as_str();
    let of = |more: &str| format!("real:{name}{more}");
    let image = |arguments: &[&str]| world.good(&[&["lxd", "image"], arguments].concat());
    let lxc = crate::real_lxd::lxc;

    // One that no other test has.
    // Incus 6.0 falls when an image without properties is given one.
    let about = format!(
        "architecture: x86_64\ncreation_date: {}\nproperties: {{os: none}}\n",
        1_700_000_000 + std::process::id()
    );
    std::fs::create_dir_all(world.path("x/rootfs/etc")).unwrap();
    world.write("x/metadata.yaml", &about);
    sh(world.home.path(), "cp /bin/busybox x/rootfs/ && tar -C x -czf whole.tar.gz metadata.yaml rootfs");
    let told = image(&["import", "whole.tar.gz", "real:", "--alias", name, "user.a=b c"]);
    let id = told.trim().rsplit(' ').next().unwrap().to_owned();
    for columns in ["lfpdatsu", "LF"] {
        let theirs = lxc(&["image", "list", name, "--format", "csv", "-c", columns]);
        assert_eq!(image(&["list", "real:", name, "-f", "csv", "-c", columns]), theirs);
        assert!(theirs.contains(&id[..12]), "{theirs}");
    }
    assert_eq!(sorted(&image(&["info", &of("")])), sorted(&lxc(&["image", "info", name])));
    assert_eq!(image(&["show", &of("")]), lxc(&["image", "show", name]));
    assert_eq!(image(&["get-property", &of(""), "user.a"]), "b c\n");
    image(&["set-property", &of(""), "user.a", "d"]);
    image(&["alias", "create", &of("-x"), &id[..12]]);
    image(&["alias", "rename", &of("-x"), &format!("{name}/y")]);
    assert!(image(&["alias", "list", "real:", "-f", "csv"]).contains(&format!("{name}/y")));
    image(&["alias", "delete", &of("/y")]);

    // Out, and back in two files; and into another project of the server.
    image(&["export", &of(""), "out"]);
    let read = |file: &str| std::fs::read(world.path(file)).unwrap();
    assert!(read("out.tar.gz") == read("whole.tar.gz"));
    sh(world.home.path(), "tar -C x -czf m.tar.gz metadata.yaml && tar -C x/rootfs -czf r.tar.gz .");
    image(&["import", "m.tar.gz", "r.tar.gz", "real:", "--alias", &format!("{name}-split")]);
    image(&["export", &of("-split"), "two"]);
    assert!(read("two.root") == read("r.tar.gz"));
    lxc(&["project", "create", name, "-c", "features.images=true"]);
    let told =
        world.json(&["lxd", "image", "copy", &of(""), "real:", "--target-project", name, "--copy-aliases"]);
    assert_eq!((&told["way"], &told["fingerprint"]), (&"server".into(), &id.as_str().into()), "{told}");
    assert!(lxc(&["image", "list", "--project", name, "-f", "csv", "-c", "l"]).contains(name));

    // An instance as an image and as a file.
    world.good(&["lxd", "init", &of(""), &of("")]);
    world.good(&["lxd", "snapshot", &of(""), "s0"]);
    world.good(&["lxd", "publish", &of(""), "--alias", &format!("{name}-pub"), "os=mine"]);
    assert_eq!(image(&["get-property", &of("-pub"), "os"]), "mine\n");
    assert_eq!(world.good(&["lxd", "export", &of(""), "b.tar.gz"]), "Backup exported successfully!\n");
    world.good(&["lxd", "import", "b.tar.gz", &of("-back")]);
    let snapshots = |of: &str| world.json(&["lxd", "info", of])["snapshots"][0]["name"].clone();
    assert!(snapshots(&of("-back")).as_str().unwrap().ends_with("s0"));
    for image_name in ["", "-split", "-pub"] {
        image(&["delete", &of(image_name)]);
    }
    assert_eq!(lxc(&["image", "list", name, "--format", "csv"]), "");
    service.ends_on("TERM");
}
