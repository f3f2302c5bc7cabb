//! Which rules count for a caller, and what they give.

use serde::Deserialize;
use serde_json::Value;

use super::report::{Given, Void};
use super::{Caller, CallerKind, Rights};
use crate::config::{AccessRule, Grant, Principal};

/// Whether a rule of the configuration that names `principal` counts for a caller. The table is in the documentation of
/// [`super`].
fn counts(principal: &Principal, caller: &Caller) -> bool {
    match (principal, caller.kind) {
        (Principal::Node(name), _) => is_node(name, caller),
        (Principal::AnyUser, CallerKind::User) => true,
        (Principal::User(login), CallerKind::User | CallerKind::Foreign) => caller.login() == Some(login),
        (Principal::Tag(tag), CallerKind::Tagged) => caller.tags.contains(tag),
        _ => false,
    }
}

/// Whether it would count for a caller of another kind.
fn seems_meant(principal: &Principal, caller: &Caller) -> bool {
    match principal {
        Principal::AnyUser => true,
        Principal::User(login) => caller.login() == Some(login),
        Principal::Tag(tag) => caller.tags.contains(tag),
        Principal::Node(_) => false,
    }
}

/// Full names have a dot in them, and stable IDs have none: so no node can take another one's ID for its name.
fn is_node(name: &str, caller: &Caller) -> bool {
    match name.contains('.') {
        true => name.trim_end_matches('.').eq_ignore_ascii_case(&caller.node.name),
        false => name == caller.node.id,
    }
}

/// What a caller may do, and why.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) given: Vec<Given>,
    /// Entries of the tailnet's policy that give nothing, because they are not understood.
    pub(super) void: Vec<Void>,
    /// Rules that one could think to count here, and why they do not.
    pub(super) passed_over: Vec<String>,
}

impl Decision {
    /// What the rules of the configuration and the values of the policy's capability give. No rule, no right.
    pub(super) fn of(caller: &Caller, rules: &[AccessRule], policy: Option<&[Value]>) -> Decision {
        let mut decision = Decision::default();
        for (index, AccessRule { who, grant, .. }) in rules.iter().enumerate() {
            if let Some(named) = who.iter().find(|principal| counts(principal, caller)) {
                let by = format!("tailnet.access[{index}], which names {named}");
                decision.given.push(Given { by, grant: grant.clone() });
            } else if let Some(named) = who.iter().find(|principal| seems_meant(principal, caller)) {
                let why = format!(
                    "tailnet.access[{index}] names {named}, which does not count for {}",
                    caller.kind
                );
                decision.passed_over.push(why);
            }
        }
        match policy {
            None => decision.passed_over.push(format!(
                "what the tailnet's policy gives {} is not for who is behind it",
                caller.node.name
            )),
            Some(values) => values.iter().for_each(|value| decision.add_policy(value)),
        }
        decision
    }

    fn add_policy(&mut self, value: &Value) {
        match Grant::deserialize(value) {
            Ok(grant) => self.given.push(Given { by: "the tailnet's policy".to_owned(), grant }),
            Err(error) => self.void.push(Void { entry: value.clone(), why: error.to_string() }),
        }
    }

    pub(super) fn rights(&self) -> Rights {
        self.given.iter().map(|given| given.grant.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Names, Verb};

    fn rule(who: &str) -> AccessRule {
        let grant = Grant {
            clouds: Names::Only(vec!["berlin".to_owned()]),
            projects: Names::All,
            verbs: [Verb::View].into_iter().collect(),
        };
        AccessRule::new(vec![who.parse().unwrap()], grant)
    }

    #[test]
    fn each_kind_of_caller_has_the_rights_of_the_table_and_no_others() {
        let user = Caller::of_tests(CallerKind::User, &[]);
        let tagged = Caller::of_tests(CallerKind::Tagged, &["tag:ops"]);
        let foreign = Caller::of_tests(CallerKind::Foreign, &[]);
        let foreign_tagged = Caller::of_tests(CallerKind::Foreign, &["tag:ops"]);
        let routed = Caller::of_tests(CallerKind::Routed, &[]);
        let routed_tagged = Caller::of_tests(CallerKind::Routed, &["tag:ops"]);
        let all = [&user, &tagged, &foreign, &foreign_tagged, &routed, &routed_tagged];
        for (who, counts_for) in [
            ("user:*", [true, false, false, false, false, false]),
            ("user:alice@example.com", [true, false, true, false, false, false]),
            ("user:Alice@example.com", [false; 6]),
            ("user:bob@example.com", [false; 6]),
            ("tag:ops", [false, true, false, false, false, false]),
            ("tag:other", [false; 6]),
            ("node:laptop.tail1.ts.net", [true; 6]),
            ("node:LAPTOP.tail1.ts.net.", [true; 6]),
            ("node:nX1CNTRL", [true; 6]),
            ("node:laptop", [false; 6]),
            ("node:nx1cntrl", [false; 6]),
            ("node:laptop.tail2.ts.net", [false; 6]),
        ] {
            for (caller, counts) in all.into_iter().zip(counts_for) {
                let rights = Decision::of(caller, &[rule(who)], Some(&[])).rights();
                let told = format!("{who} for {} with {:?}", caller.kind, caller.tags);
                assert_eq!(rights.allows(Verb::View, "berlin", "web"), counts, "{told}");
                assert_eq!(rights.is_empty(), !counts, "{told}");
            }
        }
    }

    #[test]
    fn what_the_policy_gives_counts_for_the_source_it_names_and_not_behind_it() {
        let values = [json!({"clouds": ["*"], "projects": ["*"], "verbs": ["view"]})];
        for kind in [CallerKind::User, CallerKind::Tagged, CallerKind::Foreign, CallerKind::Routed] {
            let caller = Caller::of_tests(kind, &[]);
            assert!(Decision::of(&caller, &[], Some(&values)).rights().everywhere(Verb::View), "{kind}");
        }
        let behind = Decision::of(&Caller::of_tests(CallerKind::Routed, &[]), &[], None);
        assert!(behind.rights().is_empty() && behind.passed_over[0].contains("behind"), "{behind:?}");
    }

    #[test]
    fn an_entry_that_is_not_understood_is_void_alone_and_never_widens() {
        let values = [
            json!({"clouds": ["*"], "projects": ["*"], "verbs": ["view", "everything"]}),
            json!({"clouds": ["*"], "projects": ["*"], "verbs": ["exec"], "not": ["db"]}),
            json!({"clouds": ["*"], "verbs": ["files"]}),
            json!("admin"),
            json!({"clouds": ["berlin"], "projects": ["web"], "verbs": ["operate"]}),
        ];
        let decision = Decision::of(&Caller::of_tests(CallerKind::User, &[]), &[], Some(&values));
        let rights = decision.rights();
        assert_eq!(rights.grants().len(), 1);
        assert!(rights.allows(Verb::Operate, "berlin", "web"));
        assert!(!rights.has(Verb::View) && !rights.has(Verb::Exec) && !rights.has(Verb::Files));
        let why: Vec<&str> = decision.void.iter().map(|void| void.why.as_str()).collect();
        for (why, part) in why.iter().zip(["everything", "not", "projects", "admin"]) {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert_eq!(why.len(), 4);
    }

    #[test]
    fn it_is_told_which_rule_gives_a_right_and_which_does_not_count() {
        let rules = [rule("user:*"), rule("tag:ops"), rule("user:bob@example.com")];
        let decision = Decision::of(&Caller::of_tests(CallerKind::Tagged, &["tag:ops"]), &rules, Some(&[]));
        assert_eq!(decision.given.len(), 1);
        assert_eq!(decision.given[0].by, "tailnet.access[1], which names tag:ops");
        assert_eq!(decision.passed_over.len(), 1);
        assert!(decision.passed_over[0].contains("[0] names user:*"), "{decision:?}");
    }
}
