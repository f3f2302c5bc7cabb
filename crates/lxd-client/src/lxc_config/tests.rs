use std::fs;
use std::path::Path;
use std::time::Duration;

use http::Uri;

use super::tool::Tool;
use super::{LxcConfig, LxcConfigError};
use crate::{Client, Identity, ServerTrust};

/// As people have it after some years; `local`, `ubuntu` and `ubuntu-daily` are built in and never written.
const CONFIG: &str = r#"
default-remote: berlin
remotes:
  berlin: {addr: "https://lxd-berlin.tail1234.ts.net:8443", auth_type: tls, project: web, protocol: lxd, public: false}
  oidc: {addr: "https://lxd-oidc.tail1234.ts.net:8443", auth_type: oidc, keepalive: 30, protocol: lxd, public: false}
  v6: {addr: "https://[fd7a:115c:a1e0::1]:8443", protocol: lxd, public: false}
  webpki: {addr: "https://lxd.example.com", protocol: lxd, public: false}
  sock: {addr: "unix:///var/snap/lxd/common/lxd/unix.socket", public: false}
  user: {addr: "unix:/var/snap/lxd/common/lxd-user/unix.socket", public: false}
  old: {addr: "https://old:8443", auth_type: candid, domain: example}
  docker: {addr: "https://docker.io", protocol: oci, public: true, credentials_helper: pass}
  images: {addr: "https://images.linuxcontainers.org", protocol: simplestreams, public: true}
aliases:
  ls: list -c ns4
  shell: exec @ARGS@ -- su -l ubuntu
what-comes-next: {a: 1}
"#;

#[derive(Clone)]
struct Nowhere;

impl tower_service::Service<Uri> for Nowhere {
    type Response = hyper_util::rt::TokioIo<tokio::net::UnixStream>;
    type Error = std::io::Error;
    type Future = std::future::Pending<std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::pending()
    }
}

fn read_with(tool: Tool, folder: &Path, set: &[(&str, &str)]) -> Result<LxcConfig, LxcConfigError> {
    // No folder of this machine.
    let usual = [("LXD_GLOBAL_CONF", "/nowhere"), ("INCUS_GLOBAL_CONF", "/nowhere")];
    let all: Vec<_> = set.iter().chain(&usual).collect();
    LxcConfig::read(tool, folder, &|name| {
        all.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    })
}

fn client(config: &LxcConfig, name: &str) -> Result<Client, LxcConfigError> {
    config.client(name, Nowhere, Duration::from_secs(1))
}

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.yml"), config).unwrap();
    folder
}

#[test]
fn each_remote_of_an_old_configuration_is_used_or_refused_with_its_reason() {
    let folder = folder(CONFIG);
    let config = read_with(Tool::Lxc, folder.path(), &[]).unwrap();
    assert_eq!(config.default_remote(), "berlin");
    assert_eq!(config.aliases()["ls"], "list -c ns4");
    for (name, server) in [
        ("berlin", "lxd-berlin.tail1234.ts.net:8443"),
        ("oidc", "lxd-oidc.tail1234.ts.net:8443"),
        ("v6", "[fd7a:115c:a1e0::1]:8443"),
        ("webpki", "lxd.example.com"),
        ("sock", "/var/snap/lxd/common/lxd/unix.socket"),
        ("user", "/var/snap/lxd/common/lxd-user/unix.socket"),
    ] {
        assert_eq!(client(&config, name).unwrap().name(), server);
    }
    for (name, reason) in [
        ("docker", "a server of images (oci)"),
        ("images", "a server of images (simplestreams)"),
        ("ubuntu", "a server of images (simplestreams)"),
        ("ubuntu-daily", "a server of images (simplestreams)"),
        ("old", "Candid"),
        ("nowhere", "there are berlin, docker, images, local,"),
    ] {
        let error = client(&config, name).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains(name), "{error}");
    }
    let incus = read_with(Tool::Incus, folder.path(), &[]).unwrap();
    assert!(incus.remotes().contains_key("local") && !incus.remotes().contains_key("ubuntu"));
}

#[test]
fn a_folder_that_was_never_configured_has_what_is_built_in() {
    let empty = tempfile::tempdir().unwrap();
    let names = |tool| {
        let config = read_with(tool, empty.path(), &[]).unwrap();
        assert_eq!(config.default_remote(), "local");
        config.remotes().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(Tool::Lxc), "images local ubuntu ubuntu-daily");
    assert_eq!(names(Tool::Incus), "images local");
    for nothing in ["", "---\n", "remotes:\naliases:\n"] {
        let folder = folder(nothing);
        let config = read_with(Tool::Lxc, folder.path(), &[]).unwrap();
        assert!(config.remotes().contains_key("local"), "{nothing:?}");
    }
    let broken = folder("remotes: [");
    let error = read_with(Tool::Lxc, broken.path(), &[]).unwrap_err().to_string();
    assert!(error.contains("config.yml"), "{error}");
}

#[test]
fn the_environment_chooses_folder_remote_and_project() {
    let home = tempfile::tempdir().unwrap();
    let at = home.path().to_str().unwrap();
    let folder_of = |tool: Tool, set: &[(&str, &str)]| {
        tool.folder(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, v)| v.into()))
    };
    let below = |path: &str| Some(home.path().join(path));
    assert_eq!(folder_of(Tool::Lxc, &[("HOME", at)]), below(".config/lxc"));
    assert_eq!(folder_of(Tool::Incus, &[("HOME", at)]), below(".config/incus"));
    let both = [("HOME", at), ("LXD_CONF", "/l"), ("INCUS_CONF", "/i")];
    assert_eq!(folder_of(Tool::Lxc, &both), Some("/l".into()));
    assert_eq!(folder_of(Tool::Incus, &both), Some("/i".into()));
    fs::create_dir_all(home.path().join("snap/lxd/common/config")).unwrap();
    fs::write(home.path().join("snap/lxd/common/config/config.yml"), "").unwrap();
    assert_eq!(folder_of(Tool::Lxc, &[("HOME", at)]), below("snap/lxd/common/config"));
    assert_eq!(folder_of(Tool::Lxc, &[]), None);

    let folder = folder(CONFIG);
    for (tool, set, remote, project) in [
        (Tool::Lxc, ("LXC_REMOTE", "v6"), "v6", None),
        (Tool::Lxc, ("LXD_REMOTE", "v6"), "v6", None),
        (Tool::Lxc, ("LXD_PROJECT", "other"), "berlin", Some("other")),
        (Tool::Incus, ("INCUS_REMOTE", "v6"), "v6", None),
        (Tool::Incus, ("INCUS_PROJECT", "other"), "berlin", Some("other")),
        (Tool::Incus, ("LXC_REMOTE", "v6"), "berlin", None),
    ] {
        let config = read_with(tool, folder.path(), &[set]).unwrap();
        assert_eq!(config.default_remote(), remote, "{set:?}");
        let berlin = client(&config, "berlin").unwrap();
        let expected = project.unwrap_or("web");
        assert_eq!(berlin.scope_query(false).next(), Some(("project", expected)), "{set:?}");
    }
}

#[test]
fn the_machine_has_remotes_for_all_its_users() {
    let global =
        folder("remotes: {berlin: {addr: 'https://not-this:1'}, shared: {addr: 'https://shared:8443'}}");
    let own = folder(CONFIG);
    let set = [("LXD_GLOBAL_CONF", global.path().to_str().unwrap())];
    let config = read_with(Tool::Lxc, own.path(), &set).unwrap();
    assert_eq!(client(&config, "berlin").unwrap().name(), "lxd-berlin.tail1234.ts.net:8443");
    assert!(config.remotes()["shared"].global && !config.remotes()["berlin"].global);
    fs::create_dir(global.path().join("servercerts")).unwrap();
    let (certificate, _) = Identity::generate_pem("server").unwrap();
    fs::write(global.path().join("servercerts/shared.crt"), &certificate).unwrap();
    let trust = config.trust("shared", &config.remotes()["shared"]).unwrap();
    assert!(matches!(trust, ServerTrust::Fingerprint(_)), "{trust:?}");
    assert_eq!(config.trust("v6", &config.remotes()["v6"]).unwrap(), ServerTrust::SystemRoots);
}

#[test]
fn certificates_authorities_and_logins_are_found_where_they_lie() {
    let folder = folder(CONFIG);
    let config = read_with(Tool::Incus, folder.path(), &[]).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let remote = |name: &str| config.remotes()[name].clone();
    assert_eq!(config.identity("v6", &remote("v6")).unwrap(), None);
    for name in ["client", "clientcerts/berlin"] {
        let (certificate, key) = Identity::generate_pem(name).unwrap();
        write(&format!("{name}.crt"), &certificate);
        write(&format!("{name}.key"), &key);
    }
    let of = |name: &str| config.identity(name, &remote(name)).unwrap().unwrap().fingerprint();
    assert_ne!(of("berlin"), of("v6"));
    assert_eq!(of("webpki"), of("v6"));

    let (authority, _) = Identity::generate_pem("authority").unwrap();
    write("client.ca", &authority);
    let trust = config.trust("v6", &remote("v6")).unwrap();
    assert!(matches!(trust, ServerTrust::Authorities(_)), "{trust:?}");
    write("client.crl", "no list");
    let error = config.trust("v6", &remote("v6")).unwrap_err().to_string();
    assert!(error.contains("revoked"), "{error}");
    fs::remove_file(folder.path().join("client.crl")).unwrap();

    assert_eq!(config.oidc_token("oidc").unwrap(), None);
    write(
        "oidctokens/oidc.json",
        r#"{"access_token":"hush","token_type":"Bearer","expiry":"2026-01-01T00:00:00Z"}"#,
    );
    assert_eq!(config.oidc_token("oidc").unwrap().as_deref(), Some("hush"));
    client(&config, "oidc").unwrap();
    write("oidctokens/oidc.json", "hush");
    let error = config.oidc_token("oidc").unwrap_err().to_string();
    assert!(error.contains("log in again") && !error.contains("hush"), "{error}");
    write("client.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let error = config.identity("v6", &remote("v6")).unwrap_err().to_string();
    assert!(error.contains("client.crt") && error.contains("encrypted"), "{error}");
}
