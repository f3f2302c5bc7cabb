//! Debug for types that may hold secrets: what is set shows, and not to what.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// Implements `Debug` for a struct: the first fields as they are, of the others no values.
macro_rules! debug {
    ($type:ident { $($shown:ident),* } hides { $($hidden:ident),* }) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($shown), &self.$shown))*
                    $(.field(stringify!($hidden), &$crate::redacted::Hidden(&self.$hidden)))*
                    .finish()
            }
        }
    };
}

pub(crate) use debug;

/// Shows the names of settings, without their values.
pub(crate) struct Hidden<'a, T>(pub(crate) &'a T);

impl fmt::Debug for Hidden<'_, Map<String, Value>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<V> fmt::Debug for Hidden<'_, BTreeMap<String, V>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<V> fmt::Debug for Hidden<'_, Vec<(String, V)>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The body of a request, or a part of one.
impl fmt::Debug for Hidden<'_, Value> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Object(map) => Hidden(map).fmt(f),
            _ => f.write_str("[redacted]"),
        }
    }
}

/// A command: its arguments may be secrets, its name is none.
impl fmt::Debug for Hidden<'_, Vec<String>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => f.write_str("[]"),
            [first] => write!(f, "[{first:?}]"),
            [first, rest @ ..] => write!(f, "[{first:?} and {} more]", rest.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::*;

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let thing = json!({
            "name": "shown", "id": "shown", "auth": "trusted", "server_name": "shown", "status": "shown", "type": "shown",
            "config": {"environment.TOKEN": "hush"}, "devices": {"disk": {"ceph.key": "hush"}},
            "metadata": {"fds": {"0": "hush"}, "secret": "hush"}, "context": {"TOKEN": "hush"},
            "environment": {"certificate": "hush"}, "another.TOKEN": "hush",
        });
        macro_rules! hides {
            ($($type:ty),+) => {$(
                let value: $type =
                    serde_json::from_value(thing.clone()).unwrap_or_else(|e| panic!("{}: {e}", stringify!($type)));
                let shown = format!("{value:?}");
                assert!(!shown.contains("hush"), "{shown}");
                assert!(shown.contains("TOKEN"), "{shown}");
            )+};
        }
        hides!(
            OperationState,
            Instance,
            Snapshot,
            Profile,
            Project,
            Server,
            StoragePool,
            Volume,
            VolumeSnapshot,
            Bucket,
            Network,
            NetworkAcl,
            NetworkForward,
            NetworkLoadBalancer,
            NetworkPeer,
            NetworkZone,
            ZoneRecord,
            ClusterMember,
            Lifecycle
        );
        let state: OperationState = serde_json::from_value(thing).unwrap();
        for event in [
            format!("{:?}", Event::Operation(state.clone())),
            format!(
                "{:?}",
                Event::Other(json!({"metadata": {"secret": "hush"}}).as_object().unwrap().clone())
            ),
            format!("{:?}", Message::Text("hush".to_owned())),
            format!("{:?}", Message::Binary("hush".into())),
            format!(
                "{:?}",
                Error::Operation {
                    id: String::new(),
                    message: "it failed".to_owned(),
                    state: Some(Box::new(state))
                }
            ),
        ] {
            assert!(!event.contains("hush"), "{event}");
        }
    }

    #[tokio::test]
    async fn what_is_sent_is_not_shown() {
        let client = Client::unix("/nowhere".as_ref(), std::time::Duration::from_secs(1)).unwrap();
        let body = json!({"password": "hush"});
        let requests = [
            client.post(["certificates"]).json(&body),
            client.get(["operations", "shown", "websocket"]).query("secret", "hush"),
            client.get("/1.0/operations/shown/websocket?secret=hush"),
            client.post(["images"]).header("x-lxd-secret", "hush").header("authorization", "Bearer hush"),
        ];
        for request in requests {
            let shown = format!("{request:?}");
            assert!(!shown.contains("hush") && !shown.contains("104, 117"), "{shown}");
            assert!(shown.contains("/1.0/"), "{shown}");
        }
        let exec = client.instance("c1").exec(["mysql", "-phush"]).env("TOKEN", "hush").stdin("hush");
        let source = ImageSource::url("https://user:hush@example.com/image");
        let new = NewInstance::from_alias("c1", "debian").config("user.user-data", "hush");
        let options = ImageOptions::default().property("TOKEN", "hush");
        for shown in [format!("{exec:?}"), format!("{source:?}"), format!("{new:?}"), format!("{options:?}")]
        {
            assert!(!shown.contains("hush"), "{shown}");
        }
        assert!(format!("{exec:?}").contains("mysql") && format!("{exec:?}").contains("TOKEN"));
    }

    #[test]
    fn what_lets_somebody_in_has_no_way_into_json() {
        // Two traits would fit a type that has, and the compiler could not tell which is meant.
        trait NotInJson<Kind> {
            fn holds() {}
        }
        struct InJson;
        impl<T> NotInJson<()> for T {}
        impl<T: serde::Serialize> NotInJson<InJson> for T {}
        <TrustToken as NotInJson<_>>::holds();
        <JoinToken as NotInJson<_>>::holds();
        <Identity as NotInJson<_>>::holds();
        <Client as NotInJson<_>>::holds();
        <ClientBuilder as NotInJson<_>>::holds();
    }

    /// Holds for structs that are yet to be written.
    #[test]
    fn no_struct_with_settings_has_a_debug_that_shows_them() {
        fn sources(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    sources(&path, found);
                } else {
                    found.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut all = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let secret = [
            " config: BTreeMap",
            " config: Map",
            " metadata: Map",
            " environment: BTreeMap",
            " headers: HeaderMap",
        ];
        let mut structs = 0;
        for source in all {
            for definition in source.split("#[derive(").skip(1) {
                let (derived, rest) = definition.split_once(")]").unwrap();
                let Some((_, fields)) = rest.split_once('{') else { continue };
                let fields = fields.split_once("\n}").map_or("", |(fields, _)| fields);
                if secret.iter().any(|field| fields.contains(field)) {
                    structs += 1;
                    assert!(!derived.contains("Debug"), "{derived}{}", rest.split('{').next().unwrap());
                }
            }
        }
        assert!(structs > 15, "{structs}");
    }
}
