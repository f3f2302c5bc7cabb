use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lxd_client::{Entry, FileOptions, PushOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{fresh, remote};

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_file_keeps_its_bytes_its_owner_and_its_mode() {
    let files = remote().await.instance("c1").files();
    let path = format!("/root/{}", fresh("file"));
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 253) as u8).collect();
    let options = FileOptions::default().owner(12, 34).mode(0o640);
    files.write(&path, std::io::Cursor::new(bytes.clone()), &options).await.unwrap();
    let Entry::File(info, download) = files.read(&path).await.unwrap() else { panic!("no file") };
    assert_eq!((info.uid, info.gid, info.mode, info.size), (12, 34, 0o640, Some(5_000_000)));
    assert!(download.bytes(10 << 20).await.unwrap() == bytes);
    let part = files.read_range(&path, 1000..1010).await.unwrap().bytes(100).await.unwrap();
    assert_eq!(part, bytes[1000..1010]);
    assert!(matches!(files.read_range(&path, 7..7).await, Err(lxd_client::Error::Config { .. })));
    let info = files.info(&path).await.unwrap();
    assert_eq!((info.uid, info.gid, info.mode), (12, 34, 0o640));
    files.write(&path, &b"and more"[..], &FileOptions::default().append()).await.unwrap();
    let tail = files.read_range(&path, 5_000_000..).await.unwrap().bytes(100).await.unwrap();
    assert_eq!(tail, "and more");
    files.delete(&path).await.unwrap();
    assert!(files.read(&path).await.unwrap_err().is_not_found());
    assert!(files.info(&path).await.unwrap_err().is_not_found());
    assert!(
        files.write("/no/such/folder/x", &b""[..], &FileOptions::default()).await.unwrap_err().is_not_found()
    );
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_folder_goes_there_and_comes_back_the_same() {
    let client = remote().await;
    let files = client.instance("c1").files();
    let here = tempfile::tempdir().unwrap();
    let (from, to) = (here.path().join("from"), here.path().join("to"));
    std::fs::create_dir_all(from.join("a/deep er")).unwrap();
    std::fs::create_dir(from.join("empty")).unwrap();
    for n in 0..30 {
        std::fs::write(from.join(format!("a/f{n}")), vec![n; usize::from(n) * 1000]).unwrap();
    }
    std::fs::write(from.join("a/deep er/ü?&#"), "name").unwrap();
    std::fs::set_permissions(from.join("a/f1"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(from.join("empty"), std::fs::Permissions::from_mode(0o500)).unwrap();
    symlink("../a/f2", from.join("a/link")).unwrap();
    symlink("/etc/passwd", from.join("outside")).unwrap();

    let seen = Arc::new(AtomicU64::new(0));
    let remote_path = format!("/root/{}", fresh("tree"));
    let count = Arc::clone(&seen);
    let tell = move |p: &lxd_client::Progress| {
        count.fetch_max(p.bytes, Ordering::Relaxed);
    };
    let pushed = files.push(&from, &remote_path, &PushOptions::default(), tell).await.unwrap();
    assert_eq!((pushed.bytes, pushed.total), (435_004, 435_004));
    assert_eq!(seen.load(Ordering::Relaxed), 435_004);
    let again = files.push(&from, &remote_path, &PushOptions::default(), |_| ()).await;
    assert!(again.is_ok() || again.as_ref().is_err_and(|e| e.is_conflict()), "{again:?}");
    let link = format!("{remote_path}/a/link");
    let output = client.instance("c1").exec(["readlink", &link]).output().await.unwrap();
    assert_eq!(output.stdout, "../a/f2\n");

    let pulled = files.pull(&remote_path, &to, |_| ()).await.unwrap();
    assert_eq!(pulled.entries, pushed.entries);
    for n in 0..30 {
        assert_eq!(std::fs::read(to.join(format!("a/f{n}"))).unwrap(), vec![n; usize::from(n) * 1000]);
    }
    assert_eq!(std::fs::read_to_string(to.join("a/deep er/ü?&#")).unwrap(), "name");
    let mode = |name: &str| std::fs::metadata(to.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a/f1"), mode("a/f3"), mode("empty")), (0o755, 0o644, 0o500));
    assert_eq!(std::fs::read(to.join("a/link")).unwrap(), vec![2; 2000]);
    assert_eq!(std::fs::read_link(to.join("outside")).unwrap().to_str(), Some("/etc/passwd"));
    assert!(files.pull(&remote_path, &to, |_| ()).await.is_err(), "files that are there are not overwritten");
    client.instance("c1").exec(["rm", "-r", &remote_path]).status().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_large_file_goes_both_ways_by_connections_that_are_kept() {
    let client = remote().await;
    let files = client.instance("c1").files();
    let path = format!("/root/{}", fresh("large"));
    for _ in 0..3 {
        let zeros = tokio::io::repeat(7).take(30_000_000);
        files.write(&path, zeros, &FileOptions::default()).await.unwrap();
        let Entry::File(_, mut download) = files.read(&path).await.unwrap() else { panic!("no file") };
        let copied = tokio::io::copy(&mut download, &mut tokio::io::sink()).await.unwrap();
        assert_eq!(copied, 30_000_000);
    }
    assert!(client.connections_made() <= 3, "{}", client.connections_made());
    files.delete(&path).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn the_sftp_stream_speaks_version_3() {
    let mut sftp = remote().await.instance("c1").sftp().await.unwrap();
    sftp.write_all(&[0, 0, 0, 5, 1, 0, 0, 0, 3]).await.unwrap(); // SSH_FXP_INIT, version 3
    let mut version = [0; 9];
    sftp.read_exact(&mut version).await.unwrap();
    assert_eq!((version[4], &version[5..]), (2, &[0, 0, 0, 3][..])); // SSH_FXP_VERSION
}

/// The memory that this process has in use, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn memory_is_flat_while_a_long_file_goes_both_ways() {
    use tokio::io::AsyncReadExt;
    const LENGTH: u64 = 400_000_000;
    let files = remote().await.instance("c1").files();
    let path = format!("/root/{}", fresh("long"));
    let before = resident();
    let most = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let watch = || {
        let most = std::sync::Arc::clone(&most);
        move |_| {
            most.fetch_max(resident(), std::sync::atomic::Ordering::Relaxed);
        }
    };
    let source = lxd_client::with_progress(tokio::io::repeat(3).take(LENGTH), watch());
    files.write(&path, source, &FileOptions::default()).await.unwrap();
    let lxd_client::Entry::File(_, file) = files.read(&path).await.unwrap() else { panic!("no file") };
    let mut file = lxd_client::with_progress(file, watch());
    assert_eq!(tokio::io::copy(&mut file, &mut tokio::io::sink()).await.unwrap(), LENGTH);
    files.delete(&path).await.unwrap();
    let grown = most.load(std::sync::atomic::Ordering::Relaxed).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
}
