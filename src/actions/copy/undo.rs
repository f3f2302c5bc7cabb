//! What a copy that failed or was cancelled has made at the target, and its removal.

use std::time::Duration;

use lxd_client::{Error, VolumeKind};

use super::Place;
use super::plan::{MARK, Plan};
use super::ways::is_unreached;
use crate::actions::ActionError;

/// How long the target may take to end a copy that was given up, and then to remove it.
pub(super) const WITHIN: Duration = Duration::from_secs(20);

/// The pause before a server is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// The error of a copy onto what was there before. Nothing has changed there where one server did not reach the other, so
/// that another way can be tried.
pub(super) fn refreshed(error: ActionError, what: &str) -> ActionError {
    match &error {
        ActionError::Cloud(unreached) if is_unreached(unreached) => error,
        _ => error.leaving(format!("{what}, which was there before, as far as it was refreshed")),
    }
}

/// The error of a copy, after the removal of what it has made. `ended` says whether the target works on it no more.
pub(super) async fn undo(to: &Place, plan: &Plan, error: ActionError, ended: bool) -> ActionError {
    let name = format!("{}:{}", to.cloud, plan.name);
    if plan.existed {
        return refreshed(error, &name);
    }
    if let ActionError::Cloud(error) = &error
        && error.is_conflict()
    {
        return ActionError::Refused(format!("{} has an instance {} already", to.cloud, plan.name));
    }
    let handle = to.client.instance(&plan.name);
    let removed = until_removed(|| async {
        match handle.get().await {
            // Somebody else's, who was quicker.
            Ok(found) if found.config.get(MARK).is_none_or(|mark| mark != plan.mark()) => Ok(()),
            Ok(_) => handle.delete_forced().await,
            Err(error) if error.is_not_found() => volume_gone(to, plan).await,
            Err(error) => Err(error),
        }
    });
    match removed.await {
        Ok(()) if ended => error,
        Ok(()) => error.leaving(format!(
            "the servers may still be at work on {name}, which {} cannot be made to stop",
            to.cloud
        )),
        Err(why) => error.leaving(format!(
            "{name} may be there in part ({}): delete it once {} can be reached",
            lxd_client::one_line(&why),
            to.cloud
        )),
    }
}

/// Whether the target has removed the root volume too. LXD 5.0 does so somewhat after the instance.
async fn volume_gone(to: &Place, plan: &Plan) -> Result<(), Error> {
    let Some(pool) = &plan.pool else { return Ok(()) };
    let kind = match plan.instance.kind.as_str() {
        "virtual-machine" => VolumeKind::VirtualMachine,
        _ => VolumeKind::Container,
    };
    match to.client.storage_pool(pool).volume(kind, &plan.name).get().await {
        Ok(_) => Err(Error::Config {
            message: format!("its volume in the pool {pool} is there still"),
            source: None,
        }),
        Err(error @ (Error::Connect { .. } | Error::Broken { .. } | Error::Timeout { .. })) => Err(error),
        Err(_) => Ok(()), // it is not there, or this client may not see it
    }
}

/// Removes something, again and again until it is gone or the time is up.
pub(super) async fn until_removed<F>(remove: impl Fn() -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let mut last = None;
    let again = async {
        loop {
            match remove().await {
                Ok(()) => return,
                Err(error) if error.is_not_found() => return,
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let gone = tokio::time::timeout(WITHIN, again).await;
    gone.map_err(|_| last.unwrap_or_else(unanswered))
}

/// The error where a server has let the time pass.
fn unanswered() -> Error {
    Error::Config { message: format!("no answer within {} seconds", WITHIN.as_secs()), source: None }
}
