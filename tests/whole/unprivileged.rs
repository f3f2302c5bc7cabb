//! The service needs no capability, no TUN device and no particular user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::program::{command, lxd_ping, run};

/// As nobody, without a single capability, and with nothing behind /dev/net. Where the tests do not run as root
/// they have no capability anyway.
#[test]
fn it_joins_and_pings_without_capabilities_and_without_a_tun_device() {
    // Both are linked to a place that everybody can read.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = folder.path().join("lxd_ping");
    fs::copy(lxd_ping(), &program).unwrap();
    let sandbox = folder.path().join("sandbox");
    fs::copy(tailnet_sandbox::program(), &sandbox).unwrap();

    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut ping = if is_root {
        let mut unshare = command("unshare", folder.path());
        let script = "mount -t tmpfs none /dev/net 2>/dev/null || test ! -e /dev/net/tun || exit 99
            exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \"$@\"";
        unshare.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
        unshare.arg(&program);
        unshare
    } else {
        command(&program, folder.path())
    };
    let home = Path::new("/nonexistent");
    let printed = run(ping
        .args(["--lxd", "lxd", "--json", "-c", "2", "-i", "0.01"])
        .env("TAILNET_SANDBOX_PROGRAM", &sandbox)
        .env("HOME", home));
    assert_eq!(printed.event_names(), ["joined", "reply", "reply", "summary"], "{}", printed.stderr);
    assert_eq!(printed.events()[2]["path"], "direct", "{}", printed.stdout);
}
