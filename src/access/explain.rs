//! Why a caller may do something or not, and the grant that is missing.

use serde_json::json;

use super::decision::Decision;
use super::report::{ExplainRequest, Explanation, Missing};
use super::{CAPABILITY, Caller, CallerKind, Rights};
use crate::config::{AccessRule, Grant, Names, Principal, Tailnet, Verb, Verbs};

/// The page, as the tailnet's policy names it.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// The service, the tag or the address.
    name: String,
    /// The ports, as `tcp:80`.
    ports: Vec<String>,
}

impl Destination {
    /// That of a node with these tags and this address.
    pub(super) fn of(tailnet: Option<&Tailnet>, tags: &[String], address: Option<String>) -> Destination {
        let service = tailnet.and_then(|tailnet| tailnet.service.clone());
        let name = service.or_else(|| tags.first().cloned()).or(address).unwrap_or_else(|| "*".to_owned());
        let ports = tailnet.map(|tailnet| [tailnet.listen, tailnet.tls]).unwrap_or_default();
        let mut ports: Vec<String> = ports.into_iter().flatten().map(|port| format!("tcp:{port}")).collect();
        if ports.is_empty() {
            ports = vec!["tcp:80".to_owned(), "tcp:443".to_owned()];
        }
        Destination { name, ports }
    }
}

/// What is asked about: a verb, or at least to see something; in a cloud and project, or everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish<'a> {
    pub(crate) verb: Option<Verb>,
    pub(crate) cloud: Option<&'a str>,
    pub(crate) project: Option<&'a str>,
}

impl<'a> Wish<'a> {
    pub(super) fn of(request: &'a ExplainRequest) -> Wish<'a> {
        Wish { verb: request.verb, cloud: request.cloud.as_deref(), project: request.project.as_deref() }
    }

    fn is_allowed(&self, verb: Verb, rights: &Rights) -> bool {
        match (self.cloud, self.project) {
            (Some(cloud), Some(project)) => rights.allows(verb, cloud, project),
            (Some(cloud), None) => rights.whole_cloud(verb, cloud),
            (None, Some(project)) => rights.grants().iter().any(|grant| {
                grant.clouds == Names::All && grant.projects.contains(project) && grant.verbs.contains(verb)
            }),
            (None, None) => rights.everywhere(verb),
        }
    }

    /// The verb that the caller has to get. Without a verb that is to see something, for whoever sees nothing.
    fn missing(&self, rights: &Rights) -> Option<Verb> {
        match self.verb {
            Some(verb) => (!self.is_allowed(verb, rights)).then_some(verb),
            None if self.cloud.is_some() || self.project.is_some() => {
                (!self.is_allowed(Verb::View, rights)).then_some(Verb::View)
            }
            None => (!rights.has(Verb::View)).then_some(Verb::View),
        }
    }

    fn grant(&self, verb: Verb) -> Grant {
        let names = |name: Option<&str>| name.map_or(Names::All, |name| Names::Only(vec![name.to_owned()]));
        Grant {
            clouds: names(self.cloud),
            projects: names(self.project),
            verbs: [verb].into_iter().collect::<Verbs>(),
        }
    }
}

/// Why a caller may do what it may.
pub(super) fn explain(
    caller: Caller,
    decision: Decision,
    wish: Wish<'_>,
    destination: &Destination,
) -> Explanation {
    let rights = &caller.rights;
    let refused = Verb::ALL.into_iter().filter(|verb| !wish.is_allowed(*verb, rights)).collect();
    let missing = wish.missing(rights).map(|verb| missing(&caller, wish.grant(verb), destination));
    let Decision { given, void, passed_over } = decision;
    Explanation { caller, given, void, passed_over, refused, missing }
}

/// A grant for a caller, in the forms of the policy and of the file.
pub(super) fn missing(caller: &Caller, grant: Grant, destination: &Destination) -> Missing {
    let node = || Principal::Node(caller.node.id.clone());
    let (sources, who) = match (caller.kind, caller.login()) {
        (CallerKind::Tagged, _) => {
            (caller.tags.clone(), caller.tags.iter().cloned().map(Principal::Tag).collect())
        }
        (CallerKind::User | CallerKind::Foreign, Some(login)) => {
            (vec![login.to_owned()], vec![Principal::User(login.to_owned())])
        }
        _ => (vec![caller.address.to_string()], vec![node()]),
    };
    let policy = json!({
        "src": sources, "dst": [destination.name], "ip": destination.ports, "app": {CAPABILITY: [grant]},
    });
    Missing { policy, rule: AccessRule::new(who, grant.clone()), grant }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Tailnet;

    fn caller(kind: CallerKind, tags: &[&str], rights: &[Grant]) -> Caller {
        Caller { rights: Arc::new(rights.iter().cloned().collect()), ..Caller::of_tests(kind, tags) }
    }

    fn destination() -> Destination {
        let tailnet = Tailnet { listen: Some(80), tls: Some(443), ..Tailnet::new() };
        Destination::of(Some(&tailnet), &["tag:kolaboree".to_owned()], None)
    }

    fn explained(caller: Caller, wish: Wish<'_>) -> Explanation {
        explain(caller, Decision::default(), wish, &destination())
    }

    #[test]
    fn the_missing_grant_lets_the_caller_do_it_once_it_is_pasted() {
        for (kind, tags) in [
            (CallerKind::User, &[][..]),
            (CallerKind::Tagged, &["tag:ops", "tag:ci"]),
            (CallerKind::Foreign, &[]),
            (CallerKind::Foreign, &["tag:ops"]),
            (CallerKind::Routed, &[]),
        ] {
            let caller = caller(kind, tags, &[]);
            let wish = Wish { verb: Some(Verb::Exec), cloud: Some("berlin"), project: None };
            let missing = explained(caller.clone(), wish).missing.unwrap();
            // In the policy.
            let values = missing.policy["app"][CAPABILITY].as_array().unwrap();
            let by_policy = Decision::of(&caller, &[], Some(values)).rights();
            // In the file, as its text is read there.
            let text = format!("state_dir: s\n{}  listen: 80\n", missing.file_text());
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let flags = crate::config::Flags { config: Some(file.path().to_owned()), ..Default::default() };
            let config = crate::config::Config::load_with(&flags, &[("HOME", "/")].into_iter().collect())
                .unwrap()
                .config;
            let rules: Vec<AccessRule> = config.tailnet.unwrap().access;
            let by_file = Decision::of(&caller, &rules, Some(&[])).rights();
            for rights in [by_policy, by_file] {
                assert!(rights.whole_cloud(Verb::Exec, "berlin"), "{kind} {tags:?}");
                assert!(!rights.has_cloud(Verb::Exec, "paris") && !rights.has(Verb::View), "{kind}");
            }
        }
    }

    #[test]
    fn the_policys_grant_names_who_and_where_as_the_policy_does() {
        let missing = explained(caller(CallerKind::User, &[], &[]), Wish::default()).missing.unwrap();
        let expected = json!({
            "src": ["alice@example.com"], "dst": ["tag:kolaboree"], "ip": ["tcp:80", "tcp:443"],
            "app": {"kolaboree.dev/cap/clouds": [{"clouds": ["*"], "projects": ["*"], "verbs": ["view"]}]},
        });
        assert_eq!(missing.policy, expected);
        let text: serde_json::Value =
            serde_json::from_str(&format!("{{{}}}", missing.policy_text())).unwrap();
        assert_eq!(text["grants"][0], expected);
        let source = |kind, tags: &[&str]| {
            explained(caller(kind, tags, &[]), Wish::default()).missing.unwrap().policy["src"].clone()
        };
        assert_eq!(source(CallerKind::Tagged, &["tag:ops"]), json!(["tag:ops"]));
        assert_eq!(source(CallerKind::Routed, &[]), json!(["100.64.0.7"]));
        let service =
            Tailnet { service: Some("svc:kolaboree".to_owned()), tls: Some(8443), ..Tailnet::new() };
        let of_service = Destination::of(Some(&service), &["tag:a".to_owned()], None);
        assert_eq!(
            (of_service.name.as_str(), of_service.ports),
            ("svc:kolaboree", vec!["tcp:8443".to_owned()])
        );
    }

    #[test]
    fn what_is_refused_is_told_for_the_place_that_was_asked_about() {
        let grant: Grant =
            serde_json::from_str(r#"{"clouds":["berlin"],"projects":["*"],"verbs":["view","operate"]}"#)
                .unwrap();
        let caller = || caller(CallerKind::User, &[], std::slice::from_ref(&grant));
        let berlin = explained(caller(), Wish { cloud: Some("berlin"), ..Wish::default() });
        assert_eq!(berlin.refused, [Verb::Edit, Verb::Files, Verb::Exec, Verb::Metrics, Verb::Admin]);
        assert_eq!(berlin.missing, None);
        let paris = explained(caller(), Wish { cloud: Some("paris"), ..Wish::default() });
        assert_eq!(
            (paris.refused.len(), paris.missing.unwrap().grant.verbs.iter().collect()),
            (7, vec![Verb::View])
        );
        let all = explained(caller(), Wish::default());
        assert_eq!((all.refused.len(), all.missing), (7, None), "it sees something");
        let operate = explained(caller(), Wish { verb: Some(Verb::Operate), ..Wish::default() });
        assert!(operate.missing.is_some(), "not everywhere");
    }
}
