use std::time::Duration;

use lxd_client::{Error, KnownServers, LxcConfig, LxcConfigError, Tool, fetch_fingerprint};

use crate::common::{address, local, remote};
use crate::to::To;

#[tokio::test]
#[cfg_attr(any(not(real_lxd), real_incus), ignore = "needs a real LXD and its lxc: see .ci/with-lxd")]
async fn a_remote_that_the_stock_lxc_added_works_at_once() {
    let (addr, _) = address().await;
    let folder = tempfile::tempdir().unwrap();
    let lxc = |args: &[&str]| {
        let output =
            std::process::Command::new("lxc").args(args).env("LXD_CONF", folder.path()).output().unwrap();
        assert!(output.status.success(), "lxc {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let token = lxc(&["config", "trust", "add", "--name", "from-lxc"]);
    let token = token.lines().last().unwrap();
    lxc(&["remote", "add", "berlin", &addr.to_string(), "--password", token, "--accept-certificate"]);
    let config = LxcConfig::load(Tool::Lxc, folder.path()).unwrap();
    let client = config.client("berlin", To(addr), Duration::from_secs(10)).unwrap();
    assert!(client.instances().await.unwrap().iter().any(|i| i.name == "c1"));
    let local = config.client("local", To(addr), Duration::from_secs(10)).unwrap();
    assert_eq!(local.server().await.unwrap().fingerprint(), client.server().await.unwrap().fingerprint());
    let error = config.client("nowhere", To(addr), Duration::from_secs(10)).unwrap_err();
    assert!(error.to_string().contains("berlin"), "{error}");
    let error = config.client("images", To(addr), Duration::from_secs(10)).unwrap_err();
    assert!(matches!(error, LxcConfigError::Remote { .. }), "{error}");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_server_is_asked_about_once_and_known_from_then_on() {
    let (addr, _) = address().await;
    let folder = tempfile::tempdir().unwrap();
    let known = KnownServers::new(&folder.path().join("servercerts"));
    let uri = || "https://cloud.example.ts.net:8443".parse().unwrap();
    let soon = Duration::from_secs(10);
    let shown = fetch_fingerprint(uri(), To(addr), soon).await.unwrap();
    let refused = known.trust("berlin", uri(), To(addr), soon, async |_| false).await.unwrap_err();
    assert!(matches!(refused, Error::NotTrusted { .. }), "{refused:?}");
    assert_eq!(known.get("berlin").unwrap(), None);
    let trust = known.trust("berlin", uri(), To(addr), soon, async |f| f == shown).await.unwrap();
    let again = known.trust("berlin", uri(), To(addr), soon, async |_| panic!("asked again")).await.unwrap();
    assert_eq!((&trust, known.get("berlin").unwrap()), (&again, Some(shown)));
    known.forget("berlin").unwrap();
    assert_eq!(known.get("berlin").unwrap(), None);
    assert!(known.get("../berlin").is_err());
    assert_eq!(local().server().await.unwrap().fingerprint(), Some(shown));
    assert!(remote().await.server().await.is_ok());
}
