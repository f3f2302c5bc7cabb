//! What differs between `lxc` and `incus`: their folders, their variables, and what is built in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Remote;
use crate::{Client, Error};

/// Whose configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `lxc`, the client of LXD.
    Lxc,
    /// `incus`.
    Incus,
}

pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Tool {
    pub(super) fn folder_variable(self) -> &'static str {
        match self {
            Tool::Lxc => "LXD_CONF",
            Tool::Incus => "INCUS_CONF",
        }
    }

    pub(super) fn folder(self, set: Environment<'_>) -> Option<PathBuf> {
        if let Some(folder) = set(self.folder_variable()) {
            return Some(folder.into());
        }
        let home = PathBuf::from(set("HOME")?);
        let snap = home.join("snap/lxd/common/config");
        Some(match self {
            Tool::Lxc if snap.join("config.yml").exists() => snap,
            Tool::Lxc => home.join(".config/lxc"),
            Tool::Incus => home.join(".config/incus"),
        })
    }

    pub(super) fn global_folder(self, set: Environment<'_>) -> PathBuf {
        let (variable, usual) = match self {
            Tool::Lxc => ("LXD_GLOBAL_CONF", "/etc/lxd"),
            Tool::Incus => ("INCUS_GLOBAL_CONF", "/etc/incus"),
        };
        set(variable).map_or_else(|| usual.into(), PathBuf::from)
    }

    /// The names of what the environment may choose: a remote, and a project. `lxc` itself reads `LXC_REMOTE`.
    pub(super) fn choices(self) -> (&'static [&'static str], &'static str) {
        match self {
            Tool::Lxc => (&["LXC_REMOTE", "LXD_REMOTE"], "LXD_PROJECT"),
            Tool::Incus => (&["INCUS_REMOTE"], "INCUS_PROJECT"),
        }
    }

    /// The remotes that cannot be removed, and are not in the file.
    pub(super) fn built_in(self) -> BTreeMap<String, Remote> {
        let local = ("local", Remote { addr: "unix://".to_owned(), ..Remote::default() });
        let images = |name, addr: &str| {
            let (addr, protocol) = (addr.to_owned(), "simplestreams".to_owned());
            (name, Remote { addr, protocol, public: true, ..Remote::default() })
        };
        let ubuntu = "https://cloud-images.ubuntu.com";
        let all = match self {
            Tool::Lxc => vec![
                local,
                images("ubuntu", &format!("{ubuntu}/releases")),
                images("ubuntu-daily", &format!("{ubuntu}/daily")),
            ],
            Tool::Incus => vec![local],
        };
        all.into_iter().map(|(name, remote)| (name.to_owned(), remote)).collect()
    }

    /// The remotes of one that was never configured.
    pub(super) fn defaults(self) -> BTreeMap<String, Remote> {
        let images = Remote {
            addr: "https://images.linuxcontainers.org".to_owned(),
            protocol: "simplestreams".to_owned(),
            public: true,
            ..Remote::default()
        };
        BTreeMap::from([("images".to_owned(), images)])
    }

    /// The server on this machine.
    pub(super) fn local(self, timeout: Duration, set: Environment<'_>) -> Result<Client, Error> {
        if self == Tool::Lxc {
            return Client::local(timeout);
        }
        let given = set("INCUS_SOCKET").map(PathBuf::from);
        let folders = match set("INCUS_DIR") {
            Some(folder) => vec![PathBuf::from(folder)],
            None => vec!["/run/incus".into(), "/var/lib/incus".into()],
        };
        // Who may not use the one of the administrators may use that of the users.
        let sockets = ["unix.socket", "unix.socket.user"];
        let usual = sockets.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let found = given.or_else(|| usual.into_iter().find(|path| usable(path)));
        match found {
            Some(path) => Client::unix(&path, timeout),
            None => Err(Error::config(
                "no Incus on this machine: INCUS_SOCKET and INCUS_DIR are not set, and there is no socket in \
                 /run/incus or /var/lib/incus that this user can open",
            )),
        }
    }
}

/// Whether this user may open a socket that is there: opening it as a file says so, and reaches nobody.
fn usable(socket: &Path) -> bool {
    let opened = std::fs::OpenOptions::new().write(true).open(socket);
    socket.exists() && !opened.is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied)
}

/// A variable that is set to something.
pub(super) fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
