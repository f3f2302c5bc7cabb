//! From an answer of the tailnet's WhoIs to a caller.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;
use tailnet::WhoIs;

use super::caller::{CallerNode, CallerUser};
use super::{CAPABILITY, Caller, CallerKind};

/// What WhoIs tells about an address.
#[derive(Debug)]
pub(super) struct Known {
    /// The caller, without rights.
    pub(super) caller: Caller,
    /// The values that the tailnet's policy gives the caller for the capability. None where they are another's: a router's,
    /// for an address behind it.
    pub(super) policy: Option<Vec<Value>>,
}

impl Known {
    /// Who has the address. `to_service` is the same question about the service, to which the policy may give more.
    pub(super) fn of(address: IpAddr, whois: WhoIs, to_service: Option<&WhoIs>) -> Known {
        let own_address = whois.node.ips().any(|ip| ip == address);
        let policy = own_address.then(|| {
            let answers = [Some(&whois), to_service];
            answers.into_iter().flatten().flat_map(values).cloned().collect()
        });
        let node = whois.node;
        let kind = if !own_address || node.routes().next().is_some() {
            CallerKind::Routed
        } else if node.is_foreign() {
            CallerKind::Foreign
        } else if !node.tags.is_empty() {
            CallerKind::Tagged
        } else {
            CallerKind::User
        };
        let masquerade = [node.masquerade_v4.map(IpAddr::from), node.masquerade_v6.map(IpAddr::from)];
        let user = node.tags.is_empty().then_some(CallerUser {
            id: whois.user.id,
            login: whois.user.login_name,
            display_name: whois.user.display_name,
        });
        let caller = Caller {
            address,
            node: CallerNode { id: node.id, name: node.name.trim_end_matches('.').to_ascii_lowercase() },
            tags: node.tags,
            user,
            kind,
            masquerade: masquerade.into_iter().flatten().collect(),
            rights: Arc::default(),
        };
        Known { caller, policy }
    }
}

fn values(whois: &WhoIs) -> impl Iterator<Item = &Value> {
    let values = whois.capabilities.as_ref().and_then(|all| all.get(CAPABILITY)?.as_array());
    values.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(address: &str, node: Value, capabilities: Value) -> Known {
        let mut whole = json!({
            "StableID": "n1", "Name": "Laptop.tail1.ts.net.", "Addresses": ["100.64.0.7/32", "fd7a::7/128"],
            "AllowedIPs": ["100.64.0.7/32", "fd7a::7/128"],
        });
        whole.as_object_mut().unwrap().extend(node.as_object().unwrap().clone());
        let whois = json!({
            "Node": whole, "CapMap": capabilities,
            "UserProfile": {"ID": 5, "LoginName": "alice@example.com", "DisplayName": "Alice"},
        });
        Known::of(address.parse().unwrap(), serde_json::from_value(whois).unwrap(), None)
    }

    #[test]
    fn a_caller_is_of_the_kind_for_which_the_fewest_rules_count() {
        let routes = json!(["100.64.0.7/32", "fd7a::7/128", "192.0.2.0/24"]);
        for (address, node, kind) in [
            ("100.64.0.7", json!({}), CallerKind::User),
            ("fd7a::7", json!({}), CallerKind::User),
            ("100.64.0.7", json!({"Tags": ["tag:ops"]}), CallerKind::Tagged),
            ("100.64.0.7", json!({"Sharer": 9}), CallerKind::Foreign),
            ("100.64.0.7", json!({"Sharer": 9, "Tags": ["tag:ops"]}), CallerKind::Foreign),
            ("100.64.0.7", json!({"AllowedIPs": routes}), CallerKind::Routed),
            ("100.64.0.7", json!({"AllowedIPs": routes, "Tags": ["tag:ops"]}), CallerKind::Routed),
            ("100.64.0.7", json!({"AllowedIPs": routes, "Sharer": 9}), CallerKind::Routed),
            ("192.0.2.5", json!({}), CallerKind::Routed),
        ] {
            assert_eq!(known(address, node.clone(), json!(null)).caller.kind, kind, "{address} {node}");
        }
    }

    #[test]
    fn the_caller_is_told_as_the_tailnet_knows_it() {
        let known = known("100.64.0.7", json!({"SelfNodeV4MasqAddrForThisPeer": "100.99.0.1"}), json!(null));
        let Caller { node, user, masquerade, .. } = &known.caller;
        assert_eq!((&*node.id, &*node.name), ("n1", "laptop.tail1.ts.net"));
        assert_eq!(user.as_ref().map(|user| (user.id, &*user.login)), Some((5, "alice@example.com")));
        assert_eq!(masquerade, &["100.99.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(self::known("100.64.0.7", json!({"Tags": ["tag:a"]}), json!(null)).caller.user, None);
    }

    #[test]
    fn capabilities_of_a_router_are_not_those_of_who_is_behind_it() {
        let capabilities = json!({CAPABILITY: [{"verbs": ["view"]}], "example.com/cap/other": [1]});
        let policy = |address| known(address, json!({}), capabilities.clone()).policy;
        assert_eq!(policy("100.64.0.7"), Some(vec![json!({"verbs": ["view"]})]));
        assert_eq!(policy("192.0.2.5"), None);
        assert_eq!(known("100.64.0.7", json!({}), json!(null)).policy, Some(vec![]));
    }
}
