//! Checks everything from the configuration to each cloud's API. Each finding says what to do if something is wrong.

mod access;
mod clouds;
mod membership;
mod setup;

use serde::Serialize;

use crate::config::Flags;

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// What was checked: `configuration`, `cloud berlin` and so on.
    pub(crate) area: String,
    pub(crate) result: Outcome,
    /// What was found.
    pub(crate) message: String,
    /// What to do about it; empty if nothing has to be done.
    pub(crate) remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

    fn fail(&mut self, area: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.add(area, Outcome::Fail, message.into(), remedy.into());
    }

    fn add(&mut self, area: &str, result: Outcome, message: String, remedy: String) {
        self.list.push(Finding { area: area.to_owned(), result, message, remedy });
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
    setup::key(&mut findings, &loaded);
    setup::state_folder(&mut findings, &loaded.config);
    let unknown: Vec<&String> =
        clouds.iter().filter(|name| !loaded.config.clouds.iter().any(|c| c.name == **name)).collect();
    for name in unknown {
        findings.fail(&format!("cloud {name}"), "the configuration has no such cloud", "check the name");
    }
    let Some(uplink) = membership::join(&mut findings, &loaded.config).await else { return findings };
    membership::network(&mut findings, &uplink).await;
    access::check(&mut findings, &uplink, &loaded.config).await;
    for cloud in &loaded.config.clouds {
        if clouds.is_empty() || clouds.contains(&cloud.name) {
            clouds::probe(&mut findings, &uplink, &loaded.config, cloud).await;
        }
    }
    uplink.close().await;
    findings
}
