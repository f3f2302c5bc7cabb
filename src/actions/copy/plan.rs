//! What a copy is to be, and whether the target has all that it needs. Nothing is changed here.

use std::collections::{BTreeMap, BTreeSet};

use lxd_client::{Client, Error, Instance, InstanceHandle, Network, Profile, Snapshot};

use super::{Mode, Place, Source, Wanted};
use crate::actions::{ActionError, Job};

/// What differs between a copy and its source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    /// Its profiles.
    pub(crate) profiles: Profiles,
    /// Settings.
    pub(crate) config: BTreeMap<String, String>,
    /// Settings of devices, by the device's name.
    pub(crate) devices: BTreeMap<String, BTreeMap<String, String>>,
    /// The pool of its root disk.
    pub(crate) pool: Option<String>,
    /// Whether it is deleted when it stops; a move keeps that by itself.
    pub(crate) ephemeral: Option<bool>,
}

/// The profiles of a copy.
#[derive(Clone, Debug)]
pub(crate) enum Profiles {
    /// Those of the source, some under another name.
    Kept(BTreeMap<String, String>),
    /// These.
    Only(Vec<String>),
}

impl Default for Profiles {
    fn default() -> Profiles {
        Profiles::Kept(BTreeMap::new())
    }
}

/// A copy that can be begun.
pub(super) struct Plan {
    pub(super) source: Source,
    pub(super) handle: InstanceHandle,
    pub(super) name: String,
    /// The source as it is.
    pub(super) original: Instance,
    /// The copy as it is to be.
    pub(super) instance: Instance,
    /// The snapshots that the copy is to have; none where it is to have none.
    pub(super) snapshots: Option<Vec<Snapshot>>,
    pub(super) mode: Mode,
    pub(super) live: bool,
    pub(super) instance_only: bool,
    pub(super) allow_inconsistent: bool,
    /// Whether it is to refresh an instance that may be there.
    pub(super) refresh: bool,
    /// Whether there was an instance of its name.
    pub(super) existed: bool,
    pub(super) member: Option<String>,
    /// The pool of its root disk, where the target's profiles or its devices name one.
    pub(super) pool: Option<String>,
}

impl Plan {
    /// The mark by which an instance at the target is known as the one that this plan has made.
    pub(super) fn mark(&self) -> &str {
        self.instance.config.get(MARK).map_or("", String::as_str)
    }
}

/// A number that a server keeps with an instance and never changes. The copy is given its own from the start.
pub(super) const MARK: &str = "volatile.uuid";

/// Incus and newer LXDs note this with each instance and snapshot. Older servers refuse what has it, and what a snapshot
/// has is sent by its server.
const GENERATION: &str = "volatile.uuid.generation";

pub(super) async fn plan(
    from: &Place,
    source: &Source,
    to: &Place,
    wanted: &Wanted,
    moving: bool,
    job: &Job,
) -> Result<Plan, ActionError> {
    job.stage("looking at both sides");
    let handle = from.client.instance(&source.instance);
    let alone = source.snapshot.is_some() || wanted.instance_only;
    let snapshots = async { if alone { Ok(None) } else { handle.snapshots().await.map(Some) } };
    // All at once: with servers far away each request is mostly waited for.
    let both = async {
        Ok::<_, Error>(tokio::join!(read(&from.client, source), snapshots, Target::look(to, &wanted.name)))
    };
    let (original, snapshots, target) = job.run(both).await?;
    let original =
        original.map_err(|error| named(error.into(), || format!("{}:{}", from.cloud, source.text())))?;
    let (snapshots, target) = (snapshots?, target?);
    if target.existed && !wanted.refresh {
        return Err(ActionError::Refused(format!("{} has an instance {} already", to.cloud, wanted.name)));
    }
    // What does not run has no state to copy; a snapshot may have one.
    let has_state = match source.snapshot {
        None => original.status == "Running",
        Some(_) => original.rest.get("stateful").is_some_and(|stateful| stateful == true),
    };
    let mut instance = target.instance(&original, wanted, moving)?;
    if from.cloud != to.cloud && original.config.contains_key(GENERATION) {
        let server = job.run(to.client.server()).await?;
        if !server.has_extension("instance_generation_id") {
            if snapshots.as_ref().is_some_and(|snapshots| !snapshots.is_empty()) {
                return Err(ActionError::Refused(format!(
                    "{} cannot take the snapshots, whose setting {GENERATION} it does not know: copy without them (--instance-only)",
                    to.cloud
                )));
            }
            instance.config.remove(GENERATION);
        }
    }
    target.check(to, &instance, job).await?;
    let inherited = target.devices_of(&instance.profiles);
    let root = instance.devices.values().chain(inherited.values()).find(|device| is_root(device));
    Ok(Plan {
        pool: root.map(|device| field(device, "pool").to_owned()).filter(|pool| !pool.is_empty()),
        source: source.clone(),
        handle,
        name: wanted.name.clone(),
        original,
        instance,
        snapshots,
        mode: wanted.mode,
        live: has_state && !wanted.stateless && !wanted.refresh,
        instance_only: wanted.instance_only,
        allow_inconsistent: wanted.allow_inconsistent,
        refresh: wanted.refresh,
        existed: target.existed,
        member: wanted.member.clone(),
    })
}

impl Source {
    /// As people write it.
    pub(crate) fn text(&self) -> String {
        match &self.snapshot {
            Some(snapshot) => format!("{}/{snapshot}", self.instance),
            None => self.instance.clone(),
        }
    }
}

/// What is not there is named.
pub(super) fn named(error: ActionError, what: impl FnOnce() -> String) -> ActionError {
    match error {
        ActionError::Cloud(error) if error.is_not_found() => {
            ActionError::NotFound(format!("{}: {}", what(), error))
        }
        error => error,
    }
}

async fn read(client: &Client, source: &Source) -> Result<Instance, Error> {
    match &source.snapshot {
        None => Ok(client.instance(&source.instance).get().await?.value),
        // A snapshot has the fields of an instance.
        Some(snapshot) => client.get(["instances", &source.instance, "snapshots", snapshot]).fetch().await,
    }
}

/// What is at the target.
#[derive(Default)]
struct Target {
    existed: bool,
    profiles: Vec<Profile>,
    things: Things,
}

impl Target {
    async fn look(to: &Place, name: &str) -> Result<Target, Error> {
        let instance = to.client.instance(name);
        let existed = async {
            match instance.get().await {
                Ok(_) => Ok(true),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        };
        let profiles = to.client.profiles().into_future();
        let (existed, profiles, things) = tokio::try_join!(existed, profiles, Things::look(to))?;
        Ok(Target { existed, profiles, things })
    }

    /// The copy as it is to be.
    fn instance(&self, original: &Instance, wanted: &Wanted, moving: bool) -> Result<Instance, ActionError> {
        let overrides = &wanted.overrides;
        let mut instance = original.clone();
        if !moving && !wanted.refresh {
            // The others are the source's own, such as addresses.
            instance.config.retain(|key, _| !key.starts_with("volatile.") || key == "volatile.base_image");
        }
        // What it did last; and servers refuse what they do not know.
        for key in ["volatile.last_state.power", "volatile.last_state.ready"] {
            instance.config.remove(key);
        }
        instance.config.extend(overrides.config.clone());
        if !instance.config.contains_key(MARK) {
            instance.config.insert(MARK.to_owned(), random_uuid());
        }
        instance.profiles = match &overrides.profiles {
            Profiles::Only(profiles) => profiles.clone(),
            Profiles::Kept(renamed) => {
                let mut new = Vec::new();
                // Servers refuse a profile that is there twice; the last one counts, as later profiles win.
                for name in original.profiles.iter().map(|name| renamed.get(name).unwrap_or(name)) {
                    new.retain(|before| before != name);
                    new.push(name.clone());
                }
                new
            }
        };
        instance.ephemeral = match overrides.ephemeral {
            Some(ephemeral) => ephemeral,
            None => moving && original.ephemeral,
        };
        let inherited = self.devices_of(&instance.profiles);
        for (name, settings) in &overrides.devices {
            let device = instance.devices.entry(name.clone());
            device
                .or_insert_with(|| inherited.get(name).cloned().unwrap_or_default())
                .extend(settings.clone());
        }
        if let Some(pool) = &overrides.pool {
            let local = instance.devices.iter().find(|(_, device)| is_root(device));
            let name = local.or_else(|| inherited.iter().find(|(_, device)| is_root(device)));
            let name = name.map_or_else(|| "root".to_owned(), |(name, _)| name.clone());
            let device = inherited.get(&name).filter(|device| is_root(device)).cloned();
            let device = instance.devices.entry(name).or_insert(device.unwrap_or_default());
            device
                .extend([("type", "disk"), ("path", "/"), ("pool", pool)].map(|(k, v)| (k.into(), v.into())));
        }
        Ok(instance)
    }

    /// The devices that come from these profiles; a later one wins.
    fn devices_of(&self, names: &[String]) -> BTreeMap<String, BTreeMap<String, String>> {
        let profiles = names.iter().filter_map(|name| self.profiles.iter().find(|p| p.name == *name));
        profiles.flat_map(|profile| profile.devices.clone()).collect()
    }

    /// Refuses a copy for which the target lacks something.
    async fn check(&self, to: &Place, instance: &Instance, job: &Job) -> Result<(), ActionError> {
        let mut lacks = Vec::new();
        for name in &instance.profiles {
            if !self.profiles.iter().any(|profile| profile.name == *name) {
                lacks.push(format!("no profile {name}: map it to another one, or copy without profiles"));
            }
        }
        let inherited = self.devices_of(&instance.profiles);
        let root = instance.devices.values().chain(inherited.values()).any(is_root);
        let things = &self.things;
        if !root && lacks.is_empty() {
            lacks.push(format!(
                "no root disk for it in these profiles: name a storage pool{}",
                offer(things.pools.as_ref())
            ));
        }
        for (name, device) in &instance.devices {
            if let Some(lack) = things.lack(to, device, job).await? {
                lacks.push(format!("{lack} (device {name})"));
            }
        }
        if lacks.is_empty() {
            return Ok(());
        }
        Err(ActionError::Refused(format!("{} has {}", to.cloud, lacks.join("; it has "))))
    }
}

/// The networks and pools of the target; nothing of what it does not tell.
#[derive(Default)]
struct Things {
    /// Its own.
    networks: Option<BTreeSet<String>>,
    /// All interfaces of its machine, its own among them.
    interfaces: Option<BTreeSet<String>>,
    pools: Option<BTreeSet<String>>,
}

impl Things {
    async fn look(to: &Place) -> Result<Things, Error> {
        let networks = async { told(to.client.networks().await) };
        let pools = async { told(to.client.storage_pools().names().await) };
        let (networks, pools) = tokio::try_join!(networks, pools)?;
        let named = |all: &Vec<Network>, managed: bool| -> BTreeSet<String> {
            all.iter().filter(|n| n.managed || !managed).map(|network| network.name.clone()).collect()
        };
        Ok(Things {
            networks: networks.as_ref().map(|all| named(all, true)),
            interfaces: networks.as_ref().map(|all| named(all, false)),
            pools: pools.map(|pools| pools.into_iter().collect()),
        })
    }

    /// What the target lacks for a device.
    async fn lack(
        &self,
        to: &Place,
        device: &BTreeMap<String, String>,
        job: &Job,
    ) -> Result<Option<String>, ActionError> {
        let missing = |all: &Option<BTreeSet<String>>, name: &str| {
            !name.is_empty() && all.as_ref().is_some_and(|all| !all.contains(name))
        };
        let (pool, volume) = (field(device, "pool"), field(device, "source"));
        Ok(match field(device, "type") {
            "nic" => {
                let (network, parent) = (field(device, "network"), field(device, "parent"));
                if missing(&self.networks, network) {
                    Some(format!("no network {network}"))
                } else {
                    missing(&self.interfaces, parent).then(|| format!("no interface {parent}"))
                }
            }
            "disk" if missing(&self.pools, pool) => {
                Some(format!("no storage pool {pool}{}", offer(self.pools.as_ref())))
            }
            "disk" if !pool.is_empty() && !volume.is_empty() && !is_root(device) => {
                let name = volume.split('/').next().unwrap_or(volume);
                match job.run(to.client.storage_pool(pool).custom_volume(name).get()).await {
                    Err(ActionError::Cloud(error)) if error.is_not_found() => {
                        Some(format!("no volume {name} in the pool {pool}: copy it there first"))
                    }
                    Err(error @ ActionError::Cancelled(_)) => return Err(error),
                    _ => None, // the server says the rest
                }
            }
            _ => None,
        })
    }
}

/// What a server lists. One that does not let this client see it decides by itself.
fn told<T>(things: Result<Vec<T>, Error>) -> Result<Option<Vec<T>>, Error> {
    match things {
        Ok(things) => Ok(Some(things)),
        Err(Error::NotAllowed { .. } | Error::Api { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn offer(pools: Option<&BTreeSet<String>>) -> String {
    match pools {
        Some(pools) if !pools.is_empty() => {
            let pools: Vec<&str> = pools.iter().map(String::as_str).collect();
            format!(", such as {}", pools.join(" or "))
        }
        _ => String::new(),
    }
}

fn field<'a>(device: &'a BTreeMap<String, String>, key: &str) -> &'a str {
    device.get(key).map_or("", String::as_str)
}

fn is_root(device: &BTreeMap<String, String>) -> bool {
    field(device, "type") == "disk" && field(device, "path") == "/"
}

/// A UUID of version 4.
fn random_uuid() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(profiles: &[(&str, &str)]) -> Target {
        let profile = |(name, pool): &(&str, &str)| {
            let mut profile = Profile::new(name);
            let disk = [("type", "disk"), ("path", "/"), ("pool", pool)];
            let disk = disk.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
            profile.devices.insert("disk0".to_owned(), disk);
            profile
        };
        Target { profiles: profiles.iter().map(profile).collect(), ..Target::default() }
    }

    fn original() -> Instance {
        let mut instance = Instance::default();
        instance.profiles = vec!["web".to_owned(), "default".to_owned()];
        instance.ephemeral = true;
        for (key, value) in [("user.a", "1"), ("volatile.eth0.hwaddr", "x"), ("volatile.base_image", "f")] {
            instance.config.insert(key.to_owned(), value.to_owned());
        }
        instance
    }

    #[test]
    fn a_copy_leaves_behind_what_is_the_sources_own_and_a_move_keeps_it() {
        let wanted = Wanted::default();
        let made = |moving| target(&[]).instance(&original(), &wanted, moving).unwrap();
        let (copy, moved) = (made(false), made(true));
        assert_eq!(
            copy.config.keys().collect::<Vec<_>>(),
            ["user.a", "volatile.base_image", "volatile.uuid"]
        );
        assert!(moved.config.contains_key("volatile.eth0.hwaddr") && moved.config.contains_key(MARK));
        assert_eq!((copy.ephemeral, moved.ephemeral), (false, true));
    }

    #[test]
    fn profiles_are_mapped_and_the_pool_is_that_of_the_root_disk_whatever_its_name() {
        let mut wanted = Wanted::default();
        wanted.overrides.pool = Some("other".to_owned());
        wanted.overrides.profiles =
            Profiles::Kept([("web".to_owned(), "www".to_owned())].into_iter().collect());
        let copy = target(&[("www", "fast")]).instance(&original(), &wanted, false).unwrap();
        assert_eq!(copy.profiles, ["www", "default"]);
        assert_eq!(copy.devices["disk0"]["pool"], "other");
        wanted.overrides.profiles =
            Profiles::Kept([("web".to_owned(), "default".to_owned())].into_iter().collect());
        let copy = target(&[("default", "fast")]).instance(&original(), &wanted, false).unwrap();
        assert_eq!(copy.profiles, ["default"]);
        wanted.overrides.profiles = Profiles::Only(Vec::new());
        let copy = target(&[("www", "fast")]).instance(&original(), &wanted, false).unwrap();
        assert_eq!((copy.profiles.len(), &*copy.devices["root"]["path"]), (0, "/"));
    }

    #[test]
    fn a_random_uuid_is_one() {
        let uuid = random_uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        assert_ne!(uuid, random_uuid());
    }
}
