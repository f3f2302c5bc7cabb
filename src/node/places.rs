//! Finds out whether two clouds are served at the same socket or port.

use std::path::Path;

use crate::config::CloudConfig;

/// Whether the two clouds cannot be served at the same time: at one socket or port, or at ports that exclude each other.
pub(super) fn conflict(one: &CloudConfig, other: &CloudConfig) -> bool {
    let unix = match (&one.proxy_unix, &other.proxy_unix) {
        (Some(one), Some(other)) => is_same_file(one, other),
        _ => false,
    };
    let tcp = match (one.proxy_listen, other.proxy_listen) {
        (Some(one), Some(other)) => {
            let all = one.ip().is_unspecified() || other.ip().is_unspecified();
            one.port() == other.port() && (all || one.ip() == other.ip())
        }
        _ => false,
    };
    unix || tcp
}

/// Whether two paths name the same file, however they are written.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| path.parent().and_then(|folder| folder.canonicalize().ok());
    one == other
        || (one.file_name() == other.file_name() && folder(one).is_some_and(|f| Some(f) == folder(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_exclude_each_other_are_known_however_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let cloud = |unix: Option<&str>, listen: Option<&str>| {
            let mut cloud = CloudConfig::new("a", crate::config::CloudKind::Lxd, "a:1".parse().unwrap());
            cloud.proxy_unix = unix.map(|path| folder.path().join(path));
            cloud.proxy_listen = listen.map(|address| address.parse().unwrap());
            cloud
        };
        let unix = |path| cloud(Some(path), None);
        let tcp = |address| cloud(None, Some(address));
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::os::unix::fs::symlink("b", folder.path().join("c")).unwrap();
        for (one, other, shares) in [
            (unix("b/s"), unix("b/s"), true),
            (unix("b/s"), unix("b/../b/s"), true),
            (unix("b/s"), unix("c/s"), true),
            (unix("b/s"), unix("b/t"), false),
            (unix("b/s"), unix("s"), false),
            (tcp("127.0.0.1:1"), tcp("127.0.0.1:1"), true),
            (tcp("127.0.0.1:1"), tcp("[::]:1"), true),
            (tcp("0.0.0.0:1"), tcp("127.0.0.1:1"), true),
            (tcp("127.0.0.1:1"), tcp("127.0.0.2:1"), false),
            (tcp("127.0.0.1:1"), tcp("[::]:2"), false),
            (unix("b/s"), tcp("[::]:2"), false),
        ] {
            assert_eq!(conflict(&one, &other), shares, "{one:?} {other:?}");
        }
    }
}
