//! A state folder that cannot be written, is full, or belongs to another process: a clear error, and the identity
//! that it holds is kept.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tailnet::{Tailnet, UpError};
use tailnet_sandbox::Sandbox;

use crate::common::{builder, sandbox, soon};

/// Who has no privilege.
const NOBODY: u32 = 65534;

/// Runs the ignored test `joins_as_told` in a process of its own, behind `wrapper`, with the state folder.
async fn join_behind(wrapper: &[&str], sandbox: &Sandbox, folder: &Path) -> Output {
    let mut command = match wrapper {
        [] => Command::new(own_program()),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(own_program());
            command
        }
    };
    command
        .args(["--exact", "state_folder::joins_as_told", "--ignored", "--nocapture"])
        .env("TEST_CONTROL_URL", sandbox.control_url().to_string())
        .env("TEST_AUTH_KEY", sandbox.auth_key())
        .env("TEST_STATE_FOLDER", folder);
    soon(tokio::task::spawn_blocking(move || command.output())).await.unwrap().unwrap()
}

/// The test's own program, in a place that everybody can read.
fn own_program() -> PathBuf {
    static COPY: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let folder = COPY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(std::env::current_exe().unwrap(), folder.path().join("test")).unwrap();
        folder
    });
    folder.path().join("test")
}

/// What `joins_as_told` has printed: `joined` and its addresses, or the error.
fn said(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = stdout.lines().find_map(|line| line.strip_prefix("outcome: "));
    line.unwrap_or_else(|| panic!("{stdout}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[tokio::test]
#[ignore = "it is told what to do by the other tests here"]
async fn joins_as_told() {
    let told = |name: &str| std::env::var(name).unwrap();
    let node = Tailnet::builder()
        .hostname("node")
        .control_url(told("TEST_CONTROL_URL").parse().unwrap())
        .auth_key(told("TEST_AUTH_KEY").parse().unwrap())
        .state_dir(told("TEST_STATE_FOLDER"))
        .port_mapping(false);
    match soon(node.up()).await {
        Ok(node) => {
            println!("outcome: joined {:?}", node.status().await.unwrap().ips);
            soon(node.close()).await.unwrap();
        }
        Err(UpError::StateFolder { message, .. }) => println!("outcome: {message}"),
        Err(e) => println!("outcome: another error: {e:?}"),
    }
}

/// A folder in which a node has been, and what its identity is.
async fn used_folder(sandbox: &Sandbox) -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let node = soon(builder(sandbox).ephemeral(false).state_dir(folder.path()).up()).await.unwrap();
    soon(node.close()).await.unwrap();
    let identity = fs::read(folder.path().join("tailscaled.state")).unwrap();
    assert!(!identity.is_empty());
    (folder, identity)
}

#[tokio::test]
async fn a_second_process_on_the_same_state_folder_is_refused() {
    let sandbox = sandbox().await;
    let folder = tempfile::tempdir().unwrap();
    let node = soon(builder(&sandbox).ephemeral(false).state_dir(folder.path()).up()).await.unwrap();
    let refused = said(&join_behind(&[], &sandbox, folder.path()).await);
    assert!(refused.contains("in use by another node"), "{refused}");
    let ips = node.status().await.unwrap().ips;
    soon(node.close()).await.unwrap();
    // Afterwards it may, and is the same node.
    assert_eq!(said(&join_behind(&[], &sandbox, folder.path()).await), format!("joined {ips:?}"));
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_read_only_state_folder_is_told_and_kept() {
    let sandbox = sandbox().await;
    let (folder, identity) = used_folder(&sandbox).await;
    // Root may write in spite of the mode, so it becomes nobody, to whom the files belong.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        for entry in fs::read_dir(folder.path()).unwrap() {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut modes = Vec::new();
    for path in [folder.path().join("lock"), folder.path().join("tailscaled.state"), folder.path().to_owned()]
    {
        modes.push((path.clone(), fs::metadata(&path).unwrap().permissions()));
        let mode = if path == folder.path() { 0o555 } else { 0o444 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let nobody: &[&str] =
        &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"];
    let refused = said(&join_behind(if is_root { nobody } else { &[] }, &sandbox, folder.path()).await);
    assert!(refused.contains("cannot write to the state folder"), "{refused}");
    assert!(refused.contains(folder.path().to_str().unwrap()), "{refused}");
    // The lock alone may be written.
    fs::set_permissions(folder.path().join("lock"), fs::Permissions::from_mode(0o600)).unwrap();
    let refused = said(&join_behind(if is_root { nobody } else { &[] }, &sandbox, folder.path()).await);
    assert!(refused.contains("cannot write to the state folder"), "{refused}");
    assert_eq!(fs::read(folder.path().join("tailscaled.state")).unwrap(), identity);
    for (path, mode) in modes {
        fs::set_permissions(path, mode).unwrap();
    }
    sandbox.stop().await.unwrap();
}

#[tokio::test]
#[ignore = "needs root for a mount namespace: cargo test -p tailnet --test tailnet -- --ignored a_lossy a_full_state"]
async fn a_full_state_folder_is_told_and_kept() {
    let sandbox = sandbox().await;
    let (folder, identity) = used_folder(&sandbox).await;
    let mounted = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=64k none {mounted} && cp -a {used}/. {mounted}/ && {{ cat /dev/zero >{mounted}/fill 2>/dev/null; \"$@\"; \
         cmp {mounted}/tailscaled.state {used}/tailscaled.state && echo kept; }}",
        mounted = mounted.path().display(),
        used = folder.path().display()
    );
    let wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", &script, "sh"];
    let output = join_behind(&wrapper, &sandbox, mounted.path()).await;
    let text = String::from_utf8_lossy(&output.stdout);
    let refused = said(&output);
    assert!(refused.contains("state folder") && refused.contains("no space left"), "{refused}");
    assert!(text.lines().any(|line| line == "kept"), "{text}");
    assert_eq!(fs::read(folder.path().join("tailscaled.state")).unwrap(), identity);
    sandbox.stop().await.unwrap();
}
