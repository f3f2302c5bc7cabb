//! What somebody may do: a union of grants.

use serde::{Deserialize, Serialize};

use crate::config::{Grant, Names, Verb};

/// What somebody may do. In JSON it is the list of its grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(Vec<Grant>);

impl Rights {
    /// Whether the verb is allowed in a project of a cloud.
    pub(crate) fn allows(&self, verb: Verb, cloud: &str, project: &str) -> bool {
        self.in_cloud(verb, cloud).any(|grant| grant.projects.contains(project))
    }

    /// Whether the verb is allowed anywhere.
    pub(crate) fn has(&self, verb: Verb) -> bool {
        self.of_verb(verb).next().is_some()
    }

    /// Whether the verb is allowed in some project of a cloud.
    pub(crate) fn has_cloud(&self, verb: Verb, cloud: &str) -> bool {
        self.in_cloud(verb, cloud).next().is_some()
    }

    /// Whether the verb is allowed in all projects of a cloud, and so for what belongs to none.
    pub(crate) fn whole_cloud(&self, verb: Verb, cloud: &str) -> bool {
        self.in_cloud(verb, cloud).any(|grant| grant.projects == Names::All)
    }

    /// Whether the verb is allowed in all clouds and projects, and so for what belongs to none.
    pub(crate) fn everywhere(&self, verb: Verb) -> bool {
        self.of_verb(verb).any(|grant| grant.clouds == Names::All && grant.projects == Names::All)
    }

    /// Whether nothing is allowed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The grants.
    pub(crate) fn grants(&self) -> &[Grant] {
        &self.0
    }

    fn of_verb(&self, verb: Verb) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(move |grant| grant.verbs.contains(verb))
    }

    fn in_cloud<'a>(&'a self, verb: Verb, cloud: &'a str) -> impl Iterator<Item = &'a Grant> {
        self.of_verb(verb).filter(move |grant| grant.clouds.contains(cloud))
    }
}

impl FromIterator<Grant> for Rights {
    /// A grant that another one includes adds nothing, and is left out.
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Rights {
        let mut kept: Vec<Grant> = Vec::new();
        for grant in grants {
            if !kept.iter().any(|other| includes(other, &grant)) {
                kept.retain(|other| !includes(&grant, other));
                kept.push(grant);
            }
        }
        Rights(kept)
    }
}

fn includes(grant: &Grant, other: &Grant) -> bool {
    grant.clouds.include(&other.clouds)
        && grant.projects.include(&other.projects)
        && other.verbs.iter().all(|verb| grant.verbs.contains(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(grants: &[&str]) -> Rights {
        grants.iter().map(|text| serde_json::from_str::<Grant>(text).unwrap()).collect()
    }

    #[test]
    fn nobody_may_do_anything_without_a_grant() {
        let none = Rights::default();
        assert!(none.is_empty());
        for verb in Verb::ALL {
            assert!(!none.has(verb) && !none.allows(verb, "a", "p") && !none.has_cloud(verb, "a"));
            assert!(!none.whole_cloud(verb, "a") && !none.everywhere(verb));
        }
    }

    #[test]
    fn grants_add_up_and_never_mix() {
        let rights = rights(&[
            r#"{"clouds":["berlin"],"projects":["web"],"verbs":["view","operate"]}"#,
            r#"{"clouds":["paris"],"projects":["*"],"verbs":["view"]}"#,
            r#"{"clouds":["*"],"projects":["lab"],"verbs":["exec"]}"#,
        ]);
        for (verb, cloud, project, allowed) in [
            (Verb::View, "berlin", "web", true),
            (Verb::Operate, "berlin", "web", true),
            (Verb::View, "berlin", "db", false),
            (Verb::View, "Berlin", "web", false),
            (Verb::View, "paris", "db", true),
            (Verb::Operate, "paris", "web", false),
            (Verb::Exec, "oslo", "lab", true),
            (Verb::Exec, "berlin", "web", false),
            (Verb::View, "oslo", "lab", false),
            (Verb::Admin, "berlin", "web", false),
        ] {
            assert_eq!(rights.allows(verb, cloud, project), allowed, "{verb} {cloud}/{project}");
        }
        assert!(rights.has(Verb::Exec) && !rights.has(Verb::Files));
        assert!(rights.has_cloud(Verb::View, "berlin") && !rights.has_cloud(Verb::View, "oslo"));
        assert!(rights.whole_cloud(Verb::View, "paris") && !rights.whole_cloud(Verb::View, "berlin"));
        assert!(!rights.everywhere(Verb::Exec), "in all clouds, but not in all projects");
    }

    #[test]
    fn what_is_included_already_is_left_out() {
        let all = r#"{"clouds":["*"],"projects":["*"],"verbs":["view","exec"]}"#;
        let some = r#"{"clouds":["a"],"projects":["*"],"verbs":["view"]}"#;
        let other = r#"{"clouds":["a"],"projects":["*"],"verbs":["files"]}"#;
        assert_eq!(rights(&[some, all, some, other]), rights(&[all, other]));
        assert_eq!(serde_json::to_string(&rights(&[some, all])).unwrap(), format!("[{all}]"));
        assert!(rights(&[all]).everywhere(Verb::Exec));
    }
}
