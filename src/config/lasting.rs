//! Whether a state folder outlives its container, from what is mounted where.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the kernel lists what is mounted (proc_pid_mountinfo(5)).
const MOUNTS: &str = "/proc/self/mountinfo";

/// Why what is written into the folder will be lost; `None` where it lasts, or that cannot be told.
pub(super) fn trouble(folder: &Path) -> Option<&'static str> {
    let mounts = fs::read_to_string(MOUNTS).ok()?;
    let in_container = ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
        || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    trouble_in(&mounts, &real(folder)?, in_container)
}

/// The folder without symbolic links, whose last parts may still be to make.
fn real(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find_map(|part| Some((part, fs::canonicalize(part).ok()?)))?;
    let (part, real) = there;
    Some(real.join(folder.strip_prefix(part).ok()?))
}

fn trouble_in(mounts: &str, folder: &Path, in_container: bool) -> Option<&'static str> {
    // A later mount on a place hides the earlier one.
    let mounts = mounts.lines().filter_map(Mount::parse).filter(|mount| folder.starts_with(&mount.at));
    let mount = mounts.max_by_key(|mount| mount.at.as_os_str().len())?;
    if matches!(mount.kind, "tmpfs" | "ramfs") {
        return Some("it is in memory");
    }
    if mount.at == Path::new("/") && in_container {
        return Some("it is in the container itself, on no volume");
    }
    if in_container && is_anonymous(mount.root) {
        return Some("it is on a volume without a name, of which each new container gets another one");
    }
    if mount.root.contains("/volumes/kubernetes.io~empty-dir/") {
        return Some("it is on a volume that goes with its pod (emptyDir)");
    }
    None
}

struct Mount<'a> {
    /// Which folder of its file system is mounted.
    root: &'a str,
    at: PathBuf,
    kind: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (place, system) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, at) = (place.next()?, place.next()?);
        Some(Mount { root, at: at.replace("\\040", " ").into(), kind: system.split(' ').next()? })
    }
}

/// Docker and podman name such a volume by 64 hexadecimal digits.
fn is_anonymous(root: &str) -> bool {
    let mut parts = root.rsplit('/');
    let data = parts.next() == Some("_data");
    let name = parts.next().unwrap_or_default();
    data && name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit()) && parts.next() == Some("volumes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_goes_with_its_container_is_known() {
        let digits = "0f".repeat(32);
        let mounts = format!(
            "100 99 0:50 / / rw,relatime shared:1 - overlay overlay rw\n\
             101 100 0:51 / /run rw - tmpfs tmpfs rw\n\
             102 100 8:1 /var/lib/docker/volumes/shop_state/_data /state rw - ext4 /dev/sda1 rw\n\
             103 100 8:1 /var/lib/docker/volumes/{digits}/_data /nameless rw - ext4 /dev/sda1 rw\n\
             104 100 8:1 /var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/s /empty rw - ext4 /dev/sda1 rw\n\
             105 100 8:1 /home/ana/my\\040state /my\\040state rw - ext4 /dev/sda1 rw\n"
        );
        let trouble = |folder: &str, inside| trouble_in(&mounts, Path::new(folder), inside);
        for (folder, expected) in [
            ("/var/lib/kolaboree-node", Some("on no volume")),
            ("/run/state", Some("in memory")),
            ("/state/a", None),
            ("/nameless", Some("without a name")),
            ("/empty/state", Some("emptyDir")),
            ("/my state/a", None),
        ] {
            let told = trouble(folder, true);
            assert_eq!(told.is_some(), expected.is_some(), "{folder}: {told:?}");
            assert!(told.unwrap_or_default().contains(expected.unwrap_or_default()), "{folder}: {told:?}");
        }
        assert_eq!(trouble("/var/lib/kolaboree-node", false), None, "a machine whose root is an overlay");
        assert!(trouble("/run/state", false).is_some());
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_looked_for_by_its_parents() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        let there = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(real(&folder.path().join("link/a/b")), Some(there.join("a/b")));
    }
}
