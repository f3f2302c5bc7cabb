//! The kinds of things that a server has beside instances and images: a row each.

/// A kind of thing that a server keeps by name, with settings that are read and replaced as a whole.
#[derive(Debug)]
pub(crate) struct Kind {
    /// One of it, in sentences.
    pub(crate) one: &'static str,
    /// Many of it, in sentences.
    pub(crate) many: &'static str,
    /// The path of the list, below `/1.0`; each `*` stands for the name of what its things belong to.
    pub(super) place: &'static [&'static str],
    /// The field that has the name.
    pub(super) key: &'static str,
    /// The API extension that it came with, where LXD 5.0 lacks it.
    pub(super) needs: Option<&'static str>,
    /// Of the settings of a project that say whether it has its own of this kind, the first one that it has decides.
    pub(super) features: &'static [&'static str],
    /// Whether it belongs to the server, and to no project.
    pub(super) server_wide: bool,
}

impl Kind {
    const fn new(one: &'static str, many: &'static str, place: &'static [&'static str]) -> Kind {
        Kind { one, many, place, key: "name", needs: None, features: &[], server_wide: false }
    }

    const fn needs(self, extension: &'static str) -> Kind {
        Kind { needs: Some(extension), ..self }
    }

    const fn known_by(self, key: &'static str) -> Kind {
        Kind { key, ..self }
    }

    const fn of_projects_with(self, features: &'static [&'static str]) -> Kind {
        Kind { features, ..self }
    }

    const fn server_wide(self) -> Kind {
        Kind { server_wide: true, ..self }
    }
}

pub(crate) static INSTANCE: Kind = Kind::new("instance", "instances", &["instances"]);

pub(crate) static PROFILE: Kind =
    Kind::new("profile", "profiles", &["profiles"]).of_projects_with(&["features.profiles"]);

pub(crate) static PROJECT: Kind = Kind::new("project", "projects", &["projects"]).server_wide();

pub(crate) static NETWORK: Kind =
    Kind::new("network", "networks", &["networks"]).of_projects_with(&["features.networks"]);

pub(crate) static FORWARD: Kind =
    Kind::new("network forward", "network forwards", &["networks", "*", "forwards"])
        .known_by("listen_address");

pub(crate) static LOAD_BALANCER: Kind =
    Kind::new("load balancer", "load balancers", &["networks", "*", "load-balancers"])
        .known_by("listen_address")
        .needs("network_load_balancer");

pub(crate) static PEER: Kind = Kind::new("network peering", "network peerings", &["networks", "*", "peers"]);

pub(crate) static ACL: Kind =
    Kind::new("network ACL", "network ACLs", &["network-acls"]).of_projects_with(&["features.networks"]);

pub(crate) static ZONE: Kind = Kind::new("network zone", "network zones", &["network-zones"])
    .of_projects_with(&["features.networks.zones", "features.networks"]);

pub(crate) static RECORD: Kind = Kind::new("zone record", "zone records", &["network-zones", "*", "records"]);

pub(crate) static POOL: Kind = Kind::new("storage pool", "storage pools", &["storage-pools"]);

pub(crate) static VOLUME: Kind =
    Kind::new("storage volume", "storage volumes", &["storage-pools", "*", "volumes", "*"])
        .of_projects_with(&["features.storage.volumes"]);

/// The volumes of a pool, of all their types.
pub(crate) static POOL_VOLUME: Kind =
    Kind::new("storage volume", "storage volumes", &["storage-pools", "*", "volumes"]);

pub(crate) static VOLUME_SNAPSHOT: Kind = Kind::new(
    "volume snapshot",
    "volume snapshots",
    &["storage-pools", "*", "volumes", "*", "*", "snapshots"],
);

pub(crate) static BUCKET: Kind =
    Kind::new("storage bucket", "storage buckets", &["storage-pools", "*", "buckets"])
        .needs("storage_buckets")
        .of_projects_with(&["features.storage.buckets"]);

pub(crate) static BUCKET_KEY: Kind =
    Kind::new("bucket key", "bucket keys", &["storage-pools", "*", "buckets", "*", "keys"])
        .needs("storage_buckets");

pub(crate) static CLUSTER_MEMBER: Kind =
    Kind::new("cluster member", "cluster members", &["cluster", "members"])
        .known_by("server_name")
        .server_wide();

pub(crate) static CLUSTER_GROUP: Kind =
    Kind::new("cluster group", "cluster groups", &["cluster", "groups"]).server_wide();

pub(crate) static CERTIFICATE: Kind =
    Kind::new("certificate", "certificates", &["certificates"]).known_by("fingerprint").server_wide();

pub(crate) static IMAGE: Kind = Kind::new("image", "images", &["images"]).known_by("fingerprint");

pub(crate) static WARNING: Kind =
    Kind::new("warning", "warnings", &["warnings"]).known_by("uuid").server_wide();
