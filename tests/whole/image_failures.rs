//! What goes wrong while images and backups are sent leaves nothing half-made, on two real LXDs.

use std::path::Path;
use std::process::Command;

use crate::images::{files, fingerprint, images, uploads};
use crate::node::until;
use crate::pair::{Pair, Server, end, in_own_network};
use crate::program::finish;

/// The files that a program is writing in a folder.
fn half_made(folder: &Path) -> Vec<String> {
    files(folder)
        .into_iter()
        .filter(|name| name.starts_with(".kolaboree-") || name.starts_with(".tmp"))
        .collect()
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_is_interrupted_leaves_nothing_on_either_side() {
    in_own_network("image_failures::what_is_interrupted_leaves_nothing_on_either_side", || {
        let pair = Pair::apart(None);
        let (world, oslo, rome) = (&pair.world, &pair.oslo, &pair.rome);
        oslo.make("web", 300);
        let backups = || oslo.lxc(&["query", "/1.0/instances/web/backups"]).trim().to_owned();
        world.good(&["lxd", "publish", "oslo:web", "--alias", "big", "--compression", "none"]);
        world.good(&["lxd", "export", "oslo:web", "--compression", "none"]);
        world.good(&["lxd", "image", "export", "oslo:big", "big"]);
        let before = (images(rome), uploads(rome), files(world.home.path()));
        for arguments in [
            &["export", "oslo:web", "half", "--compression", "none"][..],
            &["import", "rome:", "backup.tar.gz", "half", "-s", "other"],
            &["image", "export", "oslo:big", "half"],
            &["image", "import", "big.tar", "rome:"],
            &["image", "copy", "oslo:big", "rome:", "--mode", "relay"],
        ] {
            for _ in 0..2 {
                let mut command = pair.spawn(&[&["lxd"], arguments].concat());
                let begun = || {
                    backups() != "[]" || uploads(rome) > before.1 || !half_made(world.home.path()).is_empty()
                };
                until(|| begun() || command.try_wait().unwrap().is_some(), |begun| *begun);
                let told = end(command, "INT");
                if told.code == Some(0) {
                    // It was faster: its result is whole, and not what this is about.
                    let _ = Command::new("sh")
                        .args(["-c", "rm -f half*"])
                        .current_dir(world.home.path())
                        .status();
                    let _ = world.run(&["lxd", "delete", "rome:half"]);
                    let _ =
                        world.run(&["lxd", "image", "delete", &format!("rome:{}", fingerprint(oslo, "big"))]);
                    continue;
                }
                assert_eq!(told.code, Some(130), "{arguments:?}: {}", told.stderr);
                assert!(!told.stderr.contains("left behind"), "{arguments:?}: {}", told.stderr);
                assert_eq!(backups(), "[]", "{arguments:?}");
                until(|| (images(rome), uploads(rome), files(world.home.path())), |now| *now == before);
                assert_eq!(rome.instances(), [""; 0], "{arguments:?}");
                assert!(half_made(world.home.path()).is_empty(), "{arguments:?}");
            }
        }
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_full_disk_on_either_side_leaves_nothing() {
    in_own_network("image_failures::a_full_disk_on_either_side_leaves_nothing", || {
        let pair = Pair::apart(Some(30));
        let (world, oslo, rome) = (&pair.world, &pair.oslo, &pair.rome);
        oslo.make("web", 60);
        world.good(&["lxd", "publish", "oslo:web", "--alias", "big", "--compression", "none"]);
        world.good(&["lxd", "export", "oslo:web", "--compression", "none"]);
        world.good(&["lxd", "image", "export", "oslo:big", "big"]);
        let small = |folder: &Path| {
            let mut mount = Command::new("mount");
            let mount = mount.args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"]).arg(folder).status();
            assert!(mount.unwrap().success());
        };
        std::fs::create_dir(world.path("small")).unwrap();
        small(&world.path("small"));
        for arguments in [
            &["export", "oslo:web", "small/x", "--compression", "none"][..],
            &["image", "export", "oslo:big", "small"],
        ] {
            let told = world.run(&[&["lxd"], arguments].concat());
            let words = told.stderr.contains("small") && told.stderr.contains("No space left");
            assert!(told.code == Some(1) && words, "{:?} {}", told.code, told.stderr);
            assert_eq!(files(&world.path("small")), [""; 0]);
        }
        assert_eq!(oslo.lxc(&["query", "/1.0/instances/web/backups"]).trim(), "[]");

        // The pool at the target, and then where it keeps what is sent to it.
        let told = world.run(&["lxd", "import", "rome:", "backup.tar.gz", "-s", "other"]);
        assert!(told.code == Some(1) && told.stderr.contains("o space left"), "{}", told.stderr);
        assert_eq!(rome.instances(), [""; 0]);
        assert!(!rome.root("web").exists());
        for folder in ["images", "backups"] {
            small(&rome.dir().join(folder));
        }
        for arguments in [
            &["import", "rome:", "backup.tar.gz", "-s", "other"][..],
            &["image", "import", "big.tar", "rome:"],
            &["image", "copy", "oslo:big", "rome:", "--mode", "relay"],
        ] {
            let told = world.run(&[&["lxd"], arguments].concat());
            let words = told.stderr.contains("o space left");
            assert!(told.code == Some(1) && words, "{:?} {}", told.code, told.stderr);
            assert_eq!((rome.instances(), images(rome).as_str()), (Vec::new(), ""));
            for folder in ["images", "backups"] {
                let folder = rome.dir().join(folder);
                until(|| files(&folder), |left| left.iter().all(|name| !name.contains("lxd_")));
            }
        }
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_export_goes_on_after_the_node_was_killed_and_a_killed_server_is_told() {
    in_own_network(
        "image_failures::an_export_goes_on_after_the_node_was_killed_and_a_killed_server_is_told",
        || {
            let mut pair = Pair::apart(None);
            pair.oslo.make("web", 400);
            let home = pair.world.home.path().to_owned();
            let fetched = || {
                let half = half_made(&home);
                let size = half
                    .first()
                    .map(|name| std::fs::metadata(home.join(name)).map_or(0, |about| about.len()));
                size.unwrap_or_default()
            };
            let export = pair.spawn(&["lxd", "export", "oslo:web", "whole", "--compression", "none"]);
            until(fetched, |bytes| *bytes > 1 << 20);
            pair.service.take().unwrap().signal("KILL");
            let mut service = pair.world.start();
            service.joins();
            let told = finish(export);
            assert_eq!(told.code, Some(0), "{}", told.stderr);
            pair.world.good(&["lxd", "import", "rome:", "whole", "-s", "other"]);
            let read = |server: &Server| std::fs::read(server.root("web").join("root/big")).unwrap();
            assert!(read(&pair.oslo) == read(&pair.rome));
            pair.rome.lxc(&["delete", "web"]);

            pair.world.good(&["lxd", "publish", "oslo:web", "--alias", "big", "--compression", "none"]);
            for arguments in [
                &["lxd", "import", "rome:", "whole", "-s", "other"][..],
                &["lxd", "image", "copy", "oslo:big", "rome:", "--mode", "relay"],
            ] {
                let before = uploads(&pair.rome);
                let command = pair.spawn(arguments);
                until(|| uploads(&pair.rome), |now| *now > before);
                pair.rome.kill();
                let told = finish(command);
                assert!(
                    told.code != Some(0) && told.stderr.contains("rome"),
                    "{:?} {}",
                    told.code,
                    told.stderr
                );
                pair.rome.run();
                assert_eq!((pair.rome.instances(), images(&pair.rome).as_str()), (Vec::new(), ""));
            }
            assert_eq!(pair.oslo.instances(), ["web"]);
        },
    );
}
