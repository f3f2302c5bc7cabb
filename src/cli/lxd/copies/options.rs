//! The flags that `lxd copy` and `lxd move` have in common.

use std::collections::BTreeMap;

use crate::actions::copy::{Mode, Overrides, Profiles, Wanted};
use crate::cli::exit::usage;

/// Shown below the long help.
pub(in crate::cli::lxd) const WAYS: &str = "\
Between clouds the bytes take one of three ways (--mode):
  pull   the target fetches them from the source
  push   the source sends them to the target
  relay  this node carries them; it always works
By default (auto) each is tried in this order. A server is told the other one's address in the tailnet, and no other: a cloud
that has none, such as one behind a subnet router, is reached by relay only. A server that cannot reach the other says so
after up to 10 seconds; --mode relay saves that time.

A copy is compared with its source: settings, devices, profiles, and the names, times and kinds of its snapshots. Between clouds
the files of a container that does not run are counted at both, and their lengths added up. Of a volume the names of the
snapshots are compared.";

/// How the bytes of a copy between clouds travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ModeArg {
    /// The first of the others that works.
    Auto,
    /// The target fetches them.
    Pull,
    /// The source sends them.
    Push,
    /// This node carries them.
    Relay,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A setting of the new instance.
    #[arg(short = 'c', long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// A setting of a device of the new instance.
    #[arg(short, long, value_name = "DEVICE,KEY=VALUE")]
    pub(crate) device: Vec<String>,
    /// A profile of the new instance, instead of those of the source.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) profile: Vec<String>,
    /// The new instance has no profiles.
    #[arg(long, conflicts_with = "profile")]
    pub(crate) no_profiles: bool,
    /// A profile of the source that has another name at the target.
    #[arg(long, value_name = "OLD=NEW", conflicts_with_all = ["profile", "no_profiles"])]
    pub(crate) map_profile: Vec<String>,
    /// The instance without its snapshots.
    #[arg(long)]
    pub(crate) instance_only: bool,
    /// Which way the bytes take between clouds.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) mode: ModeArg,
    /// Without the state of what runs: a running instance is copied as its disk is.
    #[arg(long)]
    pub(crate) stateless: bool,
    /// The storage pool.
    #[arg(short, long, value_name = "POOL")]
    pub(crate) storage: Option<String>,
    /// The member of the target's cluster.
    #[arg(long, value_name = "MEMBER")]
    pub(crate) target: Option<String>,
    /// The project at the target, instead of the one that the configuration names for that cloud.
    #[arg(long, value_name = "NAME")]
    pub(crate) target_project: Option<String>,
    /// Pass over files that change while they are copied.
    #[arg(long)]
    pub(crate) allow_inconsistent: bool,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Mode {
        match mode {
            ModeArg::Auto => Mode::Auto,
            ModeArg::Pull => Mode::Pull,
            ModeArg::Push => Mode::Push,
            ModeArg::Relay => Mode::Relay,
        }
    }
}

impl Options {
    /// What they ask for, under this name.
    pub(super) fn wanted(&self, name: &str) -> anyhow::Result<Wanted> {
        Ok(Wanted {
            name: name.to_owned(),
            mode: self.mode.into(),
            overrides: Overrides {
                profiles: self.profiles()?,
                config: pairs(&self.settings)?,
                devices: self.devices()?,
                pool: self.storage.clone(),
                ephemeral: None,
            },
            instance_only: self.instance_only,
            stateless: self.stateless,
            refresh: false,
            allow_inconsistent: self.allow_inconsistent,
            member: self.target.clone(),
        })
    }

    fn profiles(&self) -> anyhow::Result<Profiles> {
        Ok(match &self.profile[..] {
            [] if self.no_profiles => Profiles::Only(Vec::new()),
            [] => Profiles::Kept(pairs(&self.map_profile)?),
            profiles => Profiles::Only(profiles.to_vec()),
        })
    }

    fn devices(&self) -> anyhow::Result<BTreeMap<String, BTreeMap<String, String>>> {
        let mut devices = BTreeMap::<String, BTreeMap<String, String>>::new();
        for text in &self.device {
            let (device, setting) =
                text.split_once(',').ok_or_else(|| usage(format!("{text:?} is not DEVICE,KEY=VALUE")))?;
            let (key, value) = pair(setting)?;
            devices.entry(device.to_owned()).or_default().insert(key, value);
        }
        Ok(devices)
    }
}

fn pairs(texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    texts.iter().map(|text| pair(text)).collect()
}

/// `KEY=VALUE`.
fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = text.split_once('=').ok_or_else(|| usage(format!("{text:?} is not KEY=VALUE")))?;
    Ok((key.to_owned(), value.to_owned()))
}
