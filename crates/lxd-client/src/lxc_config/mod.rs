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

mod error;
mod file;
mod remote;
#[cfg(test)]
mod tests;
mod tool;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use self::error::LxcConfigError;
pub use self::remote::Remote;
pub use self::tool::Tool;
use self::tool::{Environment, environment};

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

/// The value of a variable of the environment, where it is text.
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
        let own = file::config(folder)?;
        let mut remotes = match &own {
            Some(own) => own.remotes.clone().unwrap_or_default(),
            None => tool.defaults(),
        };
        let own = own.unwrap_or_default();
        for (name, mut remote) in
            file::config(&global_folder)?.unwrap_or_default().remotes.unwrap_or_default()
        {
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
}
