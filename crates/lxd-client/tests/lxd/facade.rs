use std::path::Path;
use std::time::Duration;

use lxd_client::{Client, Facade};
use tokio::process::Command;

use crate::common::{fresh, remote};

/// A façade of the remote server, in a folder for `LXD_DIR`.
async fn facade() -> (tempfile::TempDir, tokio::task::JoinHandle<()>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unix.socket");
    let facade = Facade::new(remote().await);
    let socket = path.clone();
    let serving = tokio::spawn(async move { facade.serve_unix(&socket).await.unwrap() });
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (folder, serving)
}

/// What the stock `lxc` prints, through the façade, with no configuration of its own.
async fn lxc(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new("lxc");
    command.args(args).env("LXD_DIR", folder).env("LXD_CONF", folder.join("conf")).kill_on_drop(true);
    command.stdin(std::process::Stdio::null());
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("lxc {args:?} hangs")).unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

#[tokio::test]
#[cfg_attr(any(not(real_lxd), real_incus), ignore = "needs a real LXD and its lxc: see .ci/with-lxd")]
async fn the_stock_lxc_works_through_the_facade() {
    let (folder, serving) = facade().await;
    let lxc = async |args: &[&str]| lxc(folder.path(), args).await;
    let (code, listed) = lxc(&["list", "--format", "csv", "--columns", "ns"]).await;
    assert!(code == 0 && listed.contains("c1,RUNNING"), "{listed}");
    let (code, output) = lxc(&["exec", "c1", "--", "sh", "-c", "echo through; exit 9"]).await;
    assert_eq!((code, &*output), (9, "through\n"));

    let name = fresh("facade");
    let (code, output) = lxc(&["launch", "busybox", &name]).await;
    assert_eq!(code, 0, "{output}");
    let file = folder.path().join("file");
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|n| (n % 241) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let there = format!("{name}/root/file");
    let (code, output) = lxc(&["file", "push", file.to_str().unwrap(), &there]).await;
    assert_eq!(code, 0, "{output}");
    let back = folder.path().join("back");
    let (code, output) = lxc(&["file", "pull", &there, back.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{output}");
    assert!(std::fs::read(&back).unwrap() == bytes);
    let (code, output) = lxc(&["delete", "--force", &name]).await;
    assert_eq!(code, 0, "{output}");
    let (code, output) = lxc(&["info", &name]).await;
    assert!(code != 0 && output.contains("not found"), "{output}");
    serving.abort();
    let _ = serving.await;
    assert!(!folder.path().join("unix.socket").exists(), "the socket is left behind");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn this_client_works_through_the_facade_and_only_its_owner_may() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _serving) = facade().await;
    let path = folder.path().join("unix.socket");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let client = Client::unix(&path, Duration::from_secs(20)).unwrap();
    let output =
        client.instance("c1").exec(["sh", "-c", "head -c 5000000 /dev/zero"]).output().await.unwrap();
    assert_eq!(output.stdout.len(), 5_000_000);
    let c1 = client.instance("c1");
    let many = (0..32).map(|_| c1.exec(["true"]).status());
    for status in futures_util::future::join_all(many).await {
        assert!(status.unwrap().success());
    }
}
