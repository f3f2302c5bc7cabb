//! A copy from one cloud to another.

use lxd_client::{Client, CopyEnds, CopyProgress, Copying, Error, Migration, Route};
use tokio::time::Instant;

use super::count;
use super::failure::explain;
use super::plan::Plan;
use super::undo::{self, undo};
use super::verify::{adopt, verify};
use super::ways::{self, Refused, Way};
use super::{Copied, Place};
use crate::actions::error::Left;
use crate::actions::{ActionError, Job};

pub(super) async fn copy(from: &Place, to: &Place, plan: &Plan, job: &Job) -> Result<Copied, ActionError> {
    let target = match &plan.member {
        Some(member) => to.client.target(member),
        None => to.client.clone(),
    };
    let begin = |route| begin(plan, &target, route);
    let undo_it = |error, ended| undo(to, plan, error, ended);
    let transferred = transfer(from, to, plan.mode, begin, total(plan, job).await, job, undo_it);
    let mut copied = match transferred.await {
        Ok(copied) => copied,
        Err(error) => return Err(explain(error, from, to, plan.pool.as_deref(), count::bytes(plan)).await),
    };
    let finished = async {
        adopt(to, plan, job).await?;
        tokio::try_join!(verify(to, plan, job), count::compare(to, plan, job))
    };
    match finished.await {
        Ok((snapshots, counted)) => (copied.snapshots, copied.counted) = (snapshots, Some(counted)),
        Err(error) => return Err(undo(to, plan, error, true).await),
    }
    Ok(copied)
}

async fn begin(plan: &Plan, target: &Client, route: Route) -> Result<Copying, Error> {
    let migration = plan.migration().route(route);
    plan.handle.begin_copy_to(target, &migration).await
}

impl Plan {
    fn migration(&self) -> Migration {
        let mut migration = Migration::new(&self.name).wanted(self.instance.clone());
        if let Some(snapshot) = &self.source.snapshot {
            migration = migration.snapshot(snapshot);
        }
        for (yes, with) in [
            (self.instance_only, Migration::instance_only as fn(Migration) -> Migration),
            (self.live, Migration::live),
            (self.refresh, Migration::refresh),
            (self.allow_inconsistent, Migration::allow_inconsistent),
        ] {
            if yes {
                migration = with(migration);
            }
        }
        migration
    }
}

/// How many bytes are to be copied, where the source's storage knows that; snapshots have parts in common. Only for somebody
/// who watches.
async fn total(plan: &Plan, job: &Job) -> Option<u64> {
    let alone = plan.snapshots.as_ref().is_none_or(Vec::is_empty);
    if !job.is_watched() || !alone || plan.refresh || plan.source.snapshot.is_some() {
        return None;
    }
    let state = job.run(plan.handle.state()).await.ok()?;
    state.disk.get("root")?["usage"].as_u64().filter(|usage| *usage > 0)
}

/// Tries the ways in their order, and gives how the first that works went. `undo` removes what one has left at the target.
pub(super) async fn transfer<B, U>(
    from: &Place,
    to: &Place,
    mode: ways::Mode,
    begin: impl Fn(Route) -> B,
    total: Option<u64>,
    job: &Job,
    undo: impl Fn(ActionError, bool) -> U,
) -> Result<Copied, ActionError>
where
    B: Future<Output = Result<Copying, Error>>,
    U: Future<Output = ActionError>,
{
    let (routes, mut not_by) = ways::to_try(mode, from, to);
    let mut routes = routes.into_iter().peekable();
    while let Some((way, route)) = routes.next() {
        job.stage(way.as_str());
        let began = Instant::now();
        match attempt(way, begin(route), total, job).await {
            Ok(bytes) => {
                let seconds = began.elapsed().as_secs_f64();
                let bytes = (way == Way::Relay).then_some(bytes);
                return Ok(Copied { way, not_by, bytes, seconds, snapshots: Vec::new(), counted: None });
            }
            Err((error, ended)) => {
                let unreached = match &error {
                    ActionError::Cloud(error) if routes.peek().is_some() && ways::is_unreached(error) => {
                        Some(lxd_client::one_line(error))
                    }
                    _ => None,
                };
                let mut error = undo(error, ended.is_none_or(|ended| ended.target)).await;
                if ended.is_some_and(|ended| ended.target && ended.source_goes_on) {
                    let from = &from.cloud;
                    error = error.leaving(format!(
                        "an operation at {from}, which ends by itself once its connection to {} is given up; what it copies from is whole",
                        to.cloud
                    ));
                }
                match unreached {
                    // Something is left behind of it, or nothing: only then the next one may be tried.
                    Some(why) if matches!(error, ActionError::Cloud(_)) => not_by.push(Refused { way, why }),
                    _ => return Err(error),
                }
            }
        }
    }
    let why: Vec<String> = not_by
        .iter()
        .map(|Refused { way, why }| format!("{} is not possible: {why}", way.as_str()))
        .collect();
    Err(ActionError::Refused(why.join("; ")))
}

/// Tries one way, and gives the bytes that went through this node; or the error, and which servers have ended what was begun.
async fn attempt(
    way: Way,
    begin: impl Future<Output = Result<Copying, Error>>,
    total: Option<u64>,
    job: &Job,
) -> Result<u64, (ActionError, Option<CopyEnds>)> {
    let cancelled = || ActionError::Cancelled(Left::default());
    // It is short, and not to be given up half-way: that would leave operations at the servers.
    let mut copying = begin.await.map_err(|error| (error.into(), None))?;
    let report = |progress: CopyProgress| match progress {
        CopyProgress { carried: Some(bytes), .. } | CopyProgress { received: Some(bytes), .. } => {
            job.moved(bytes, total)
        }
        CopyProgress { said: Some(said), .. } => job.stage(format!("{}: {said}", way.as_str())),
        _ => {}
    };
    let ended = tokio::select! {
        biased;
        () = job.cancelled() => None,
        ended = copying.wait_with(report) => Some(ended),
    };
    match ended {
        Some(Ok(())) => Ok(copying.carried()),
        Some(Err(error)) => {
            let ended = copying.cancel(undo::WITHIN).await;
            Err((error.into(), Some(ended)))
        }
        None => {
            job.stage("cancelling");
            let ended = copying.cancel(undo::WITHIN).await;
            Err((cancelled(), Some(ended)))
        }
    }
}
