//! Checks everything from the configuration to each cloud's API. Each finding says what to do if something is wrong.

mod access;
mod clouds;
mod membership;
mod setup;

use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Access;
use crate::config::{Config, Flags};
use crate::node::{Node, blocking};
use crate::uplink::Uplink;

/// What a check found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// What was checked: `configuration`, `cloud berlin` and so on.
    pub(crate) area: String,
    /// The cloud that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cloud: Option<String>,
    pub(crate) result: Outcome,
    /// What was found.
    pub(crate) message: String,
    /// What to do about it; empty if nothing has to be done.
    pub(crate) remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Pass,
    Warn,
    Fail,
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) list: Vec<Finding>,
}

impl Findings {
    fn pass(&mut self, area: &str, message: impl Into<String>) {
        self.add(area, Outcome::Pass, message.into(), String::new());
    }

    fn warn(&mut self, area: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.add(area, Outcome::Warn, message.into(), remedy.into());
    }

    pub(crate) fn fail(&mut self, area: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.add(area, Outcome::Fail, message.into(), remedy.into());
    }

    fn add(&mut self, area: &str, result: Outcome, message: String, remedy: String) {
        self.list.push(Finding { area: area.to_owned(), cloud: None, result, message, remedy });
    }

    pub(crate) fn failed(&self) -> bool {
        self.list.iter().any(|finding| finding.result == Outcome::Fail)
    }
}

/// Runs all checks, and leaves out those that need something that has failed. `clouds` names the clouds to check; if it
/// is empty, all are checked.
pub(crate) async fn examine(flags: &Flags, clouds: &[String]) -> Findings {
    let mut findings = Findings::default();
    let Some(loaded) = setup::configuration(&mut findings, flags) else { return findings };
    setup::key(&mut findings, &loaded.config, &loaded.settings);
    setup::state_folder(&mut findings, &loaded.config);
    let unknown: Vec<&String> =
        clouds.iter().filter(|name| !loaded.config.clouds.iter().any(|c| c.name == **name)).collect();
    for name in unknown {
        findings.fail(&format!("cloud {name}"), "the configuration has no such cloud", "check the name");
    }
    let Some(uplink) = membership::join(&mut findings, &loaded.config).await else { return findings };
    outward(&mut findings, &uplink, &loaded.config, clouds).await;
    uplink.close().await;
    findings
}

/// Runs the checks inside a node that runs, on the configuration that is in force. What was found stays when this is dropped.
pub(crate) async fn examine_within(node: &Node, access: &Access, findings: &mut Findings) {
    let config = node.config();
    let of_setup = std::sync::Arc::clone(&config);
    let found = blocking(move || {
        let mut found = Findings::default();
        setup::key(&mut found, &of_setup, &[]);
        setup::state_folder(&mut found, &of_setup);
        found
    });
    findings.list.extend(found.await.list);
    let uplink = Uplink::Inside(node.clone(), access.clone());
    if membership::state(findings, &uplink).await {
        outward(findings, &uplink, &config, &[]).await;
    }
}

/// The checks of what is around the node.
async fn outward(findings: &mut Findings, uplink: &Uplink, config: &Config, clouds: &[String]) {
    membership::network(findings, uplink).await;
    access::check(findings, uplink, config).await;
    for cloud in &config.clouds {
        if clouds.is_empty() || clouds.contains(&cloud.name) {
            let before = findings.list.len();
            clouds::probe(findings, uplink, config, cloud).await;
            let of_cloud = findings.list.iter_mut().skip(before);
            of_cloud.for_each(|finding| finding.cloud = Some(cloud.name.clone()));
        }
    }
}
