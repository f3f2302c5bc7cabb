//! A copy inside a cloud, which the server makes by itself.

use serde_json::json;
use tokio::time::Instant;

use super::plan::Plan;
use super::undo::undo;
use super::verify::{adopt, verify};
use super::ways::Way;
use super::{Copied, Place};
use crate::actions::{ActionError, Job};

pub(super) async fn copy(from: &Place, to: &Place, plan: &Plan, job: &Job) -> Result<Copied, ActionError> {
    let began = Instant::now();
    let client = match &plan.member {
        Some(member) => to.client.target(member),
        None => to.client.clone(),
    };
    let alone = plan.instance_only || plan.source.snapshot.is_some();
    let wanted = &plan.instance;
    let body = json!({
        "name": plan.name, "type": wanted.kind, "architecture": wanted.architecture, "config": wanted.config,
        "devices": wanted.devices, "profiles": wanted.profiles, "ephemeral": wanted.ephemeral,
        "description": wanted.description,
        "source": {
            "type": "copy", "source": plan.source.text(), "project": from.project, "live": plan.live,
            "instance_only": alone, "container_only": alone, "refresh": plan.refresh,
            "allow_inconsistent": plan.allow_inconsistent,
        },
    });
    job.stage("the server copies");
    let made = async {
        // A request that is given up may be answered all the same: its operation would go on.
        let operation = client.post(["instances"]).json(&body).operation().await?;
        job.follow(operation).await?;
        let seconds = began.elapsed().as_secs_f64();
        adopt(to, plan, job).await?;
        let snapshots = verify(to, plan, job).await?;
        Ok(Copied { way: Way::Server, not_by: Vec::new(), bytes: None, seconds, snapshots, counted: None })
    };
    match made.await {
        Ok(copied) => Ok(copied),
        Err(error) => Err(undo(to, plan, error, true).await),
    }
}
