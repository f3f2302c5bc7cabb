//! The arguments that name a thing: which arguments a kind has is a row here.

use lxd_client::Client;

use crate::actions::objects::*;
use crate::cli::lxd::fleet::Fleet;

/// The arguments that name a thing.
pub(super) trait Names {
    /// Its kind.
    fn kind(&self) -> &'static Kind;

    /// The first argument, which has the cloud in it.
    fn first(&self) -> &str;

    /// All names, of which the first one is given without its cloud.
    fn names<'a>(&'a self, first: &'a str) -> Vec<&'a str>;

    /// The member of a cluster that is asked.
    fn member(&self) -> Option<&str>;

    /// Its own name.
    fn name(&self) -> &str {
        self.names(self.first()).pop().unwrap_or_default()
    }

    /// All names in one, for messages.
    fn label(&self) -> String {
        self.names(self.first()).join("/")
    }

    /// The thing.
    async fn object(&self, fleet: &Fleet) -> anyhow::Result<Object> {
        let (client, first) = self.client(fleet).await?;
        Ok(Object::new(&client, self.kind(), &self.names(first)))
    }

    /// The client of its cloud, and the first name without the cloud.
    async fn client<'a>(&'a self, fleet: &'a Fleet) -> anyhow::Result<(Client, &'a str)> {
        let (cloud, first) = fleet.thing(self.first(), self.kind().one)?;
        let client = fleet.client(cloud).await?;
        let client = self.member().map(|member| client.target(member)).unwrap_or(client);
        Ok((client, first))
    }
}

/// A thing that every member of a cluster has alike.
#[derive(Debug, clap::Args)]
pub(crate) struct AnyMember {}

/// A thing whose settings differ among the members of a cluster, or that is on one of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Member {
    /// Ask this member of the cluster.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
}

impl AnyMember {
    fn name(&self) -> Option<&str> {
        None
    }
}

impl Member {
    pub(super) fn name(&self) -> Option<&str> {
        self.target.as_deref()
    }
}

macro_rules! names {
    ($($names:ident of $kind:ident at $member:ident { $(#[$doc:meta])* $first:ident $(, $(#[$more_doc:meta])* $more:ident)* })+) => {$(
        #[derive(Debug, clap::Args)]
        pub(crate) struct $names {
            $(#[$doc])*
            $first: String,
            $($(#[$more_doc])* pub(super) $more: String,)*
            #[command(flatten)]
            member: $member,
        }

        impl Names for $names {
            fn kind(&self) -> &'static Kind {
                &$kind
            }

            fn first(&self) -> &str {
                &self.$first
            }

            fn names<'a>(&'a self, first: &'a str) -> Vec<&'a str> {
                vec![first $(, &self.$more)*]
            }

            fn member(&self) -> Option<&str> {
                self.member.name()
            }
        }
    )+};
}

names! {
    InstanceName of INSTANCE at AnyMember {
        /// The instance, such as berlin:c1.
        instance
    }
    ProfileName of PROFILE at AnyMember {
        /// The profile, such as berlin:web.
        profile
    }
    ProjectName of PROJECT at AnyMember {
        /// The project, such as berlin:shop.
        #[arg(value_name = "PROJECT")]
        project_name
    }
    NetworkName of NETWORK at Member {
        /// The network, such as berlin:br0.
        network
    }
    ForwardName of FORWARD at Member {
        /// The network, such as berlin:br0.
        network,
        /// The outside address.
        listen_address
    }
    LoadBalancerName of LOAD_BALANCER at Member {
        /// The network, such as berlin:ovn0.
        network,
        /// The outside address.
        listen_address
    }
    PeerName of PEER at AnyMember {
        /// The network, such as berlin:ovn0.
        network,
        /// The name of the peering.
        peer
    }
    AclName of ACL at AnyMember {
        /// The ACL, such as berlin:web.
        acl
    }
    ZoneName of ZONE at AnyMember {
        /// The zone, such as berlin:lxd.example.net.
        zone
    }
    RecordName of RECORD at AnyMember {
        /// The zone, such as berlin:lxd.example.net.
        zone,
        /// The record: its name without the zone's.
        record
    }
    MemberName of CLUSTER_MEMBER at AnyMember {
        /// The member, such as berlin:m1.
        #[arg(value_name = "MEMBER")]
        member_name
    }
    GroupName of CLUSTER_GROUP at AnyMember {
        /// The group, such as berlin:fast.
        group
    }
    PoolName of POOL at Member {
        /// The storage pool, such as berlin:default.
        pool
    }
    BucketName of BUCKET at Member {
        /// The storage pool, such as berlin:default.
        pool,
        /// The bucket.
        bucket
    }
    BucketKeyName of BUCKET_KEY at Member {
        /// The storage pool, such as berlin:default.
        pool,
        /// The bucket.
        bucket,
        /// The key.
        #[arg(value_name = "KEY")]
        key_name
    }
}

/// A volume or a snapshot of one.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeName {
    /// The storage pool, such as berlin:default.
    pool: String,
    /// The volume: data, data/snap0 for a snapshot, container/c1 for that of an instance.
    volume: String,
    #[command(flatten)]
    member: Member,
}

impl VolumeName {
    /// The argument as it was given.
    pub(super) fn text(&self) -> &str {
        &self.volume
    }

    /// Its type, its name, and that of the snapshot.
    pub(super) fn parts(&self) -> (&str, &str, Option<&str>) {
        volume_parts(&self.volume)
    }
}

/// A volume's type, its name, and that of the snapshot, from a text such as `container/c1/snap0`.
pub(super) fn volume_parts(text: &str) -> (&str, &str, Option<&str>) {
    let (kind, rest) = match text.split_once('/') {
        Some((kind @ ("custom" | "container" | "virtual-machine" | "image"), rest)) => (kind, rest),
        _ => ("custom", text),
    };
    match rest.split_once('/') {
        Some((volume, snapshot)) => (kind, volume, Some(snapshot)),
        None => (kind, rest, None),
    }
}

impl Names for VolumeName {
    fn kind(&self) -> &'static Kind {
        if self.parts().2.is_some() { &VOLUME_SNAPSHOT } else { &VOLUME }
    }

    fn first(&self) -> &str {
        &self.pool
    }

    fn names<'a>(&'a self, first: &'a str) -> Vec<&'a str> {
        let (kind, volume, snapshot) = self.parts();
        [first, kind, volume].into_iter().chain(snapshot).collect()
    }

    fn member(&self) -> Option<&str> {
        self.member.name()
    }

    fn label(&self) -> String {
        format!("{}/{}", self.pool, self.volume)
    }
}

#[cfg(test)]
mod tests {
    use super::volume_parts;

    #[test]
    fn a_volume_is_custom_where_no_type_is_before_it() {
        assert_eq!(volume_parts("data"), ("custom", "data", None));
        assert_eq!(volume_parts("data/snap0"), ("custom", "data", Some("snap0")));
        assert_eq!(volume_parts("container/c1"), ("container", "c1", None));
        assert_eq!(volume_parts("container/c1/snap0"), ("container", "c1", Some("snap0")));
    }
}
