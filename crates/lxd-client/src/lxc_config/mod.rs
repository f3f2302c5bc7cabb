//! The configuration of the command-line clients `lxc` and `incus`: `config.yml` with what lies beside it.
//!
//! | in the folder | what |
//! |---|---|
//! | `config.yml` | the remotes, their default, and aliases of commands |
//! | `client.crt`, `client.key` | the client's certificate |
//! | `clientcerts/NAME.crt`, `.key`, `.ca` | another for one remote (`incus`) |
//! | `client.ca`, `client.crl` | the authority that vouches for all servers, and what it has revoked |
//! | `servercerts/NAME.crt` | the certificate by which a server is known |
//! | `oidctokens/NAME.json` | the login at a remote with `auth_type: oidc` |
//!
//! The folder of the machine has remotes for all its users, with their `servercerts` and `clientcerts`.

mod tool;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Serialize};

pub use self::tool::Tool;
use self::tool::{Environment, environment};
use crate::{Authorities, Client, Connect, Error, Identity, IdentityError, KnownServers, ServerTrust};

/// What `lxc` or `incus` knows: its remotes, its certificate and those of the servers.
///
/// ```no_run
/// # async fn example(connector: impl lxd_client::Connect) -> Result<(), Box<dyn std::error::Error>> {
/// use lxd_client::{LxcConfig, Tool};
///
/// let config = LxcConfig::usual(Tool::Lxc)?;
/// let client = config.client("berlin", connector, std::time::Duration::from_secs(30))?;
/// println!("{}", client.instances().await?.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LxcConfig {
    tool: Tool,
    folder: PathBuf,
    /// That of the machine.
    global_folder: PathBuf,
    remotes: BTreeMap<String, Remote>,
    default_remote: String,
    aliases: BTreeMap<String, String>,
    /// The project that the environment chooses.
    project: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Parsed {
    default_remote: Option<String>,
    remotes: Option<BTreeMap<String, Remote>>,
    aliases: Option<BTreeMap<String, String>>,
}

/// A server that `lxc` has a name for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Remote {
    /// `https://host:port`, or `unix:` with or without a path. Without a port it is 443, as for `lxc`.
    pub addr: String,
    /// `lxd`, `incus`, `oci` or `simplestreams`; nothing is `lxd`.
    pub protocol: String,
    /// `tls`, `oidc` or `candid`; nothing is `tls`.
    pub auth_type: String,
    /// Whether it is used without a certificate.
    pub public: bool,
    /// The project to use there.
    pub project: String,
    /// How many seconds `incus` keeps a connection in the background; a client here keeps its own.
    pub keepalive: u64,
    /// Whether it comes from the folder of the machine.
    #[serde(skip)]
    pub global: bool,
}

/// Why a configuration of `lxc` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LxcConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what `lxc` writes.
    #[error("{path}: {message}")]
    Malformed {
        /// Which file.
        path: String,
        /// What is wrong, and where.
        message: String,
    },
    /// There is no remote of that name, or it is none that this client can talk to.
    #[error("the remote {name:?}: {reason}")]
    Remote {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// There is no place where the configuration could be.
    #[error("HOME is not set: set {variable} to the folder of the configuration")]
    NoHome {
        /// The variable that names the folder.
        variable: &'static str,
    },
    /// A client's certificate cannot be used.
    #[error("{path}: {source}")]
    Identity {
        /// The certificate's file.
        path: String,
        /// Why.
        source: IdentityError,
    },
    /// A client could not be made.
    #[error(transparent)]
    Client(#[from] Error),
}

/// What the process's environment says.
fn text(value: OsString) -> Option<String> {
    value.into_string().ok()
}

impl LxcConfig {
    /// Where `lxc` keeps it: `$LXD_CONF`, the snap's folder when there is one, or `~/.config/lxc`; and `incus`:
    /// `$INCUS_CONF`, or `~/.config/incus`.
    #[must_use]
    pub fn usual_folder(tool: Tool) -> Option<PathBuf> {
        tool.folder(&environment)
    }

    /// Reads the configuration in its [usual folder](LxcConfig::usual_folder). This waits for the disk.
    ///
    /// # Errors
    /// Those of [`load`](LxcConfig::load), and when there is no home folder.
    pub fn usual(tool: Tool) -> Result<LxcConfig, LxcConfigError> {
        let no_home = LxcConfigError::NoHome { variable: tool.folder_variable() };
        LxcConfig::load(tool, &LxcConfig::usual_folder(tool).ok_or(no_home)?)
    }

    /// Reads the configuration in a folder, and that of the machine: `/etc/lxd` or `/etc/incus`, or
    /// `$LXD_GLOBAL_CONF` or `$INCUS_GLOBAL_CONF`. `$LXC_REMOTE`, `$LXD_REMOTE` or `$INCUS_REMOTE` chooses the default
    /// remote, `$LXD_PROJECT` or `$INCUS_PROJECT` the project. A folder without `config.yml` is one that was never
    /// configured. This waits for the disk.
    ///
    /// # Errors
    /// When a `config.yml` cannot be read, or is not what `lxc` writes.
    pub fn load(tool: Tool, folder: &Path) -> Result<LxcConfig, LxcConfigError> {
        LxcConfig::read(tool, folder, &environment)
    }

    fn read(tool: Tool, folder: &Path, set: Environment<'_>) -> Result<LxcConfig, LxcConfigError> {
        let global_folder = tool.global_folder(set);
        let own = parsed(folder)?;
        let mut remotes = match &own {
            Some(own) => own.remotes.clone().unwrap_or_default(),
            None => tool.defaults(),
        };
        let own = own.unwrap_or_default();
        for (name, mut remote) in parsed(&global_folder)?.unwrap_or_default().remotes.unwrap_or_default() {
            remote.global = true;
            remotes.entry(name).or_insert(remote);
        }
        for (name, mut remote) in tool.built_in() {
            if let Some(written) = remotes.get(&name) {
                remote.project.clone_from(&written.project);
            }
            remotes.insert(name, remote);
        }
        let (remote, project) = tool.choices();
        let chosen = remote.iter().find_map(|name| set(name)).and_then(text);
        Ok(LxcConfig {
            tool,
            folder: folder.to_owned(),
            global_folder,
            remotes,
            default_remote: chosen.or(own.default_remote).unwrap_or_else(|| "local".to_owned()),
            aliases: own.aliases.unwrap_or_default(),
            project: set(project).and_then(text),
        })
    }

    /// The remotes by name, the built-in ones among them.
    #[must_use]
    pub fn remotes(&self) -> &BTreeMap<String, Remote> {
        &self.remotes
    }

    /// The remote that `lxc` uses when none is named.
    #[must_use]
    pub fn default_remote(&self) -> &str {
        &self.default_remote
    }

    /// The names that the user has for commands of `lxc`. Nothing here uses them.
    #[must_use]
    pub fn aliases(&self) -> &BTreeMap<String, String> {
        &self.aliases
    }

    /// A client of a remote, in its project, with the certificate or the login that `lxc` has for it, to the
    /// certificate that `lxc` knows it by, or else to one for which the authority of `client.ca` vouches, or those of
    /// the system where there is no such file. This waits for the disk.
    ///
    /// # Errors
    /// When there is no such remote, or a file is not what it should be.
    pub fn client(
        &self,
        name: &str,
        connector: impl Connect,
        timeout: Duration,
    ) -> Result<Client, LxcConfigError> {
        let refuse = |reason: String| LxcConfigError::Remote { name: name.to_owned(), reason };
        let remote = self.remotes.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.remotes.keys().map(String::as_str).collect();
            refuse(format!("there is none of that name; there are {}", known.join(", ")))
        })?;
        match remote.protocol.as_str() {
            "" | "lxd" | "incus" => {}
            images @ ("simplestreams" | "oci") => {
                return Err(refuse(format!("it is a server of images ({images}), which has no instances")));
            }
            other => return Err(refuse(format!("it speaks {other}, which is no API of LXD"))),
        }
        let client = if let Some(path) = remote.addr.strip_prefix("unix:") {
            match path.strip_prefix("//").unwrap_or(path) {
                "" => self.tool.local(timeout, &environment)?,
                path => Client::unix(Path::new(path), timeout)?,
            }
        } else {
            let uri: Uri = remote.addr.parse().map_err(|_| refuse("its address is not a URL".to_owned()))?;
            let mut builder =
                Client::builder(uri, connector).trust(self.trust(name, remote)?).timeout(timeout);
            match remote.auth_type.as_str() {
                "oidc" => {
                    if let Some(token) = self.oidc_token(name)? {
                        builder = builder.bearer(&token);
                    }
                }
                "candid" => {
                    let reason = "it wants a login by Candid, which is not done here: use a certificate";
                    return Err(refuse(reason.to_owned()));
                }
                _ if remote.public => {}
                _ => {
                    if let Some(identity) = self.identity(name, remote)? {
                        builder = builder.identity(identity);
                    }
                }
            }
            builder.build()?
        };
        let project = self.project.as_deref().unwrap_or(&remote.project);
        Ok(if project.is_empty() { client } else { client.project(project) })
    }

    /// The folder that has what belongs to a remote.
    fn home(&self, remote: &Remote) -> &Path {
        if remote.global { &self.global_folder } else { &self.folder }
    }

    fn trust(&self, name: &str, remote: &Remote) -> Result<ServerTrust, LxcConfigError> {
        if let Some(pin) = KnownServers::new(&self.home(remote).join("servercerts")).get(name)? {
            return Ok(ServerTrust::Fingerprint(pin));
        }
        let own = self.home(remote).join("clientcerts").join(format!("{name}.ca"));
        let Some((path, authority)) = first_of([own, self.folder.join("client.ca")])? else {
            return Ok(ServerTrust::SystemRoots);
        };
        let revoked = read(&self.folder.join("client.crl"))?;
        let authorities = Authorities::from_pem(&authority, revoked.as_deref())
            .map_err(|message| LxcConfigError::Malformed { path: path.display().to_string(), message })?;
        Ok(ServerTrust::Authorities(authorities))
    }

    /// The certificate for a remote, where there is one.
    fn identity(&self, name: &str, remote: &Remote) -> Result<Option<Identity>, LxcConfigError> {
        let own = self.home(remote).join("clientcerts").join(format!("{name}.crt"));
        let Some((path, certificate)) = first_of([own, self.folder.join("client.crt")])? else {
            return Ok(None);
        };
        let key = path.with_extension("key");
        let key = std::fs::read_to_string(&key).map_err(file_error(&key))?;
        let failed = |source| LxcConfigError::Identity { path: path.display().to_string(), source };
        Identity::from_pem(&certificate, &zeroize::Zeroizing::new(key)).map(Some).map_err(failed)
    }

    /// The token of the last login, which may have expired.
    fn oidc_token(&self, name: &str) -> Result<Option<String>, LxcConfigError> {
        #[derive(Deserialize)]
        struct Tokens {
            #[serde(default)]
            access_token: String,
        }

        let path = self.folder.join("oidctokens").join(format!("{name}.json"));
        let Some(json) = read(&path)? else { return Ok(None) };
        // Without what is in it, which is secret.
        let malformed = |_| LxcConfigError::Malformed {
            path: path.display().to_string(),
            message: "it is not the JSON of a login: log in again".to_owned(),
        };
        let tokens: Tokens = serde_json::from_str(&json).map_err(malformed)?;
        Ok(Some(tokens.access_token).filter(|token| !token.is_empty()))
    }
}

/// The `config.yml` of a folder, where there is one.
fn parsed(folder: &Path) -> Result<Option<Parsed>, LxcConfigError> {
    let path = folder.join("config.yml");
    let Some(text) = read(&path)? else { return Ok(None) };
    let parsed: Option<Parsed> = serde_yaml::from_str(&text).map_err(|e| LxcConfigError::Malformed {
        path: path.display().to_string(),
        message: e.to_string(),
    })?;
    Ok(Some(parsed.unwrap_or_default()))
}

/// A file's text, where there is one.
fn read(path: &Path) -> Result<Option<String>, LxcConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(path)(error)),
    }
}

fn first_of<const N: usize>(paths: [PathBuf; N]) -> Result<Option<(PathBuf, String)>, LxcConfigError> {
    for path in paths {
        if let Some(text) = read(&path)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> LxcConfigError {
    let path = path.display().to_string();
    move |source| LxcConfigError::File { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
        write(
            "client.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        );
        let error = config.identity("v6", &remote("v6")).unwrap_err().to_string();
        assert!(error.contains("client.crt") && error.contains("encrypted"), "{error}");
    }
}
