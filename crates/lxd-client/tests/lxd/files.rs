use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lxd_client::{Entry, FileKind, FileOptions, PushOptions};
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
    // Those of four digits too, such as of a folder whose group is inherited.
    for mode in [0o2750, 0o1777, 0o4755, 0o7, 0] {
        let (path, options) = (format!("{path}-{mode:o}"), FileOptions::default().mode(mode));
        files.write(&path, &b""[..], &options).await.unwrap();
        assert_eq!(files.info(&path).await.unwrap().mode & 0o777, mode & 0o777, "{mode:o}");
        files.create_dir(&format!("{path}.d"), &options).await.unwrap();
        assert_eq!(files.info(&format!("{path}.d")).await.unwrap().mode & 0o777, mode & 0o777, "{mode:o}");
    }
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
    let again = files.push(&from, &remote_path, &PushOptions::default(), |_| ()).await.unwrap();
    assert_eq!(again.entries, pushed.entries);
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
    // A second time what is there is replaced.
    std::fs::write(to.join("a/f3"), "another").unwrap();
    std::fs::remove_file(to.join("outside")).unwrap();
    symlink("a", to.join("outside")).unwrap();
    files.pull(&remote_path, &to, |_| ()).await.unwrap();
    assert_eq!(std::fs::read(to.join("a/f3")).unwrap(), vec![3; 3000]);
    assert_eq!(std::fs::read_link(to.join("outside")).unwrap().to_str(), Some("/etc/passwd"));
    client.instance("c1").exec(["rm", "-r", &remote_path]).status().await.unwrap();
}

/// Runs a command of the shell in c1.
async fn sh(client: &lxd_client::Client, script: &str) -> String {
    let output = client.instance("c1").exec(["sh", "-c", script]).output().await.unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8(output.stdout.to_vec()).unwrap()
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_tree_is_sent_again_after_its_links_have_moved() {
    let client = remote().await;
    let files = client.instance("c1").files();
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    for folder in ["sub", "real"] {
        std::fs::create_dir(at(folder)).unwrap();
    }
    for (link, target) in [("moved", "sub"), ("same", "sub"), ("was-a-file", "x"), ("sub/deep", "/a")] {
        symlink(target, at(link)).unwrap();
    }
    let remote_path = format!("/root/{}", fresh("links"));
    let options = PushOptions::default();
    let push = || files.push(here.path(), &remote_path, &options, |_| ());
    push().await.unwrap();
    sh(&client, &format!("cd {remote_path}; rm was-a-file; echo x > was-a-file")).await;
    for (link, target) in [("moved", "real"), ("sub/deep", "../real")] {
        std::fs::remove_file(at(link)).unwrap();
        symlink(target, at(link)).unwrap();
    }
    push().await.unwrap();
    let links =
        format!("cd {remote_path}; readlink moved; readlink same; readlink was-a-file; readlink sub/deep");
    assert_eq!(sh(&client, &links).await, "real\nsub\nx\n../real\n");

    // A folder where a link is to be, and a file where a folder is to be: nothing is deleted for that.
    sh(&client, &format!("cd {remote_path}; rm moved; mkdir moved")).await;
    let error = push().await.unwrap_err().to_string();
    assert!(error.contains(&format!("{remote_path}/moved: a folder is in the way")), "{error}");
    sh(&client, &format!("cd {remote_path}; rmdir moved; rm -r sub")).await;
    for other in ["echo x > sub", "rm sub; ln -s nowhere sub"] {
        sh(&client, &format!("cd {remote_path}; {other}")).await;
        let error = push().await.unwrap_err().to_string();
        assert!(error.contains(&format!("{remote_path}/sub: a folder is to be here")), "{error}");
    }
    sh(&client, &format!("cd {remote_path}; rm sub; mkdir sub sub/f")).await;
    std::fs::write(at("sub/f"), "x").unwrap();
    let error = push().await.unwrap_err().to_string();
    assert!(error.contains(&format!("{remote_path}/sub/f: a folder is in the way")), "{error}");
    assert!(files.is_dir(&format!("{remote_path}/same")).await.unwrap());
    assert!(!files.is_dir(&format!("{remote_path}/sub/f/none")).await.unwrap_or_default());
    sh(&client, &format!("rm -r {remote_path}")).await;
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn one_path_that_is_a_link_is_fetched_and_sent_as_what_it_leads_to() {
    let client = remote().await;
    let files = client.instance("c1").files();
    let path = format!("/root/{}", fresh("linked"));
    sh(&client, &format!("mkdir {path}; cd {path}; echo text > file; mkdir folder; echo in > folder/x"))
        .await;
    for (link, target) in [("a", "file"), ("b", "a"), ("d", "folder"), ("self", "self"), ("n", "none")] {
        files.symlink(target, &format!("{path}/{link}"), &FileOptions::default()).await.unwrap();
    }
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    files.pull(&format!("{path}/b"), &at("b"), |_| ()).await.unwrap();
    assert!(std::fs::symlink_metadata(at("b")).unwrap().is_file());
    files.pull(&format!("{path}/d"), &at("d"), |_| ()).await.unwrap();
    assert_eq!(std::fs::read_to_string(at("d/x")).unwrap(), "in\n");
    let mut text = Vec::new();
    files.pull_to(&format!("{path}/b"), &mut text, |_| ()).await.unwrap();
    assert_eq!(text, b"text\n");
    for (link, error) in [("self", "without end"), ("n", "none")] {
        let told = files.pull(&format!("{path}/{link}"), &at(link), |_| ()).await.unwrap_err().to_string();
        assert!(told.contains(error), "{told}");
    }
    assert!(files.pull_to(&format!("{path}/d"), &mut text, |_| ()).await.is_err());
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 2);

    // What is replaced by a link of the user's own is what it leads to.
    symlink("b", at("mine")).unwrap();
    files.pull(&format!("{path}/folder/x"), &at("mine"), |_| ()).await.unwrap();
    assert_eq!(std::fs::read_to_string(at("b")).unwrap(), "in\n");
    files.pull(&format!("{path}/b"), "/dev/null".as_ref(), |_| ()).await.unwrap();
    files.push(&at("mine"), &format!("{path}/sent"), &PushOptions::default(), |_| ()).await.unwrap();
    assert_eq!(sh(&client, &format!("test ! -L {path}/sent && cat {path}/sent")).await, "in\n");
    sh(&client, &format!("rm -r {path}")).await;
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_has_no_end_is_left_out_and_said() {
    let client = remote().await;
    let files = client.instance("c1").files();
    let path = format!("/root/{}", fresh("special"));
    sh(
        &client,
        &format!("mkdir -p {path}/in; cd {path}; echo x > file; mkfifo pipe in/pipe; chmod 600 pipe"),
    )
    .await;
    let here = tempfile::tempdir().unwrap();
    let began = std::time::Instant::now();
    let pulled = files.pull(&path, &here.path().join("to"), |_| ()).await.unwrap();
    let mut left_out = pulled.left_out.clone();
    left_out.sort();
    assert_eq!(
        left_out,
        [format!("{path}/in/pipe: it is a named pipe"), format!("{path}/pipe: it is a named pipe")]
    );
    assert_eq!(std::fs::read_dir(here.path().join("to")).unwrap().count(), 2);
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    let error = files.pull(&format!("{path}/pipe"), &here.path().join("pipe"), |_| ()).await.unwrap_err();
    assert!(error.to_string().ends_with("/pipe is a named pipe, and no file"), "{error}");
    // Nothing waits at the server.
    files.read(&format!("{path}/file")).await.unwrap();

    std::process::Command::new("mkfifo").arg(here.path().join("to/mine")).status().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(here.path().join("to/socket")).unwrap();
    let pushed =
        files.push(&here.path().join("to"), &format!("{path}/back"), &PushOptions::default(), |_| ()).await;
    assert_eq!(pushed.unwrap().left_out.len(), 2);
    assert_eq!(sh(&client, &format!("cat {path}/back/file")).await, "x\n");
    sh(&client, &format!("rm -r {path}")).await;
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

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn raw_requests_carry_bytes_and_streams_and_headers_both_ways() {
    let client = remote().await;
    let prefix = if client.server().await.unwrap().is_incus() { "X-Incus-" } else { "X-LXD-" };
    let path = format!("/root/{}", fresh("raw"));
    let files = |method| client.request(method, ["instances", "c1", "files"]).query("path", &path);
    let push = |mode: &str| files(http::Method::POST).header(&format!("{prefix}mode"), mode);
    let pulled = async |limit| {
        let download = files(http::Method::GET).download().await.unwrap();
        let mode = download.headers()[&format!("{prefix}mode")].to_str().unwrap().to_owned();
        (mode, download.bytes(limit).await.unwrap())
    };
    push("0640").body("text").done().await.unwrap();
    assert_eq!(pulled(10).await, ("0640".to_owned(), "text".into()));
    assert_eq!(files(http::Method::GET).bytes().await.unwrap(), "text");

    let long: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    push("0600").body_from(std::io::Cursor::new(long.clone())).done().await.unwrap();
    assert!(pulled(long.len()).await.1 == long);

    files(http::Method::DELETE).done().await.unwrap();
    let gone = files(http::Method::GET).download().await.unwrap_err();
    assert!(gone.is_not_found(), "{gone:?}");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_list_tells_what_each_is_and_a_file_takes_the_place_of_a_link() {
    let client = remote().await;
    let (files, options) = (client.instance("c1").files(), FileOptions::default().owner(5, 6).mode(0o600));
    let folder = format!("/root/{}", fresh("list"));
    files.create_dir(&folder, &FileOptions::default().mode(0o700)).await.unwrap();
    files.write(&format!("{folder}/file ñ"), &b"12345"[..], &options).await.unwrap();
    files.create_dir(&format!("{folder}/below"), &FileOptions::default().mode(0o755)).await.unwrap();
    files.symlink("../list/target", &format!("{folder}/link"), &FileOptions::default()).await.unwrap();
    files.symlink("below", &format!("{folder}/to below"), &FileOptions::default()).await.unwrap();
    let pipe = format!("{folder}/pipe");
    assert!(client.instance("c1").exec(["mkfifo", &pipe]).output().await.unwrap().status.success());

    let mut listed = files.list(&folder).await.unwrap();
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    let told: Vec<_> = listed.iter().map(|listed| (listed.name.as_str(), listed.info.kind)).collect();
    let (link, directory) = (FileKind::Symlink, FileKind::Directory);
    let (file, special) = (FileKind::File, FileKind::Special);
    let wanted =
        [("below", directory), ("file ñ", file), ("link", link), ("pipe", special), ("to below", link)];
    assert_eq!(told, wanted);
    let info = listed[1].info;
    assert_eq!((info.size, info.uid, info.gid, info.mode), (Some(5), 5, 6, 0o600));
    assert!(info.modified.unwrap() > 1_700_000_000);
    assert_eq!(files.look(&format!("{folder}/file ñ")).await.unwrap(), info);
    assert_eq!(files.link(&format!("{folder}/link")).await.unwrap(), "../list/target");
    let (path, info) = files.follow(&format!("{folder}/to below")).await.unwrap();
    assert_eq!((path, info.kind), (format!("{folder}/below"), directory));
    for missing in [format!("{folder}/nothing"), format!("{folder}/link")] {
        assert!(files.list(&missing).await.unwrap_err().is_not_found(), "{missing}");
        assert!(files.follow(&missing).await.unwrap_err().is_not_found(), "{missing}");
    }

    let here = format!("{folder}/link");
    files.put(&here, &b"new"[..], &options).await.unwrap();
    assert_eq!(files.look(&here).await.unwrap().size, Some(3));
    let in_the_way = files.put(&format!("{folder}/below"), &b"new"[..], &options).await.unwrap_err();
    assert!(in_the_way.to_string().contains("a folder is in the way"), "{in_the_way}");
    assert!(files.clean_up().await.is_empty());
    files.delete_all(&folder).await.unwrap();
}
