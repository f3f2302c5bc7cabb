//! Making the root disk of an instance anew.

use lxd_client::{Action, Client, Error, StateChange};
use serde_json::Value;

use super::origin::Origin;
use super::state::change_state;
use crate::actions::{ActionError, Job};

/// The API extension that a server needs for it.
const EXTENSION: &str = "instances_rebuild";

/// Makes the root disk of an instance anew, from an image or from nothing. An instance that runs is refused; with `force` it
/// is stopped first and started again.
///
/// What was on the disk is lost as soon as it begins: one that is cancelled or fails says so.
pub(crate) async fn rebuild(
    client: &Client,
    name: &str,
    origin: &Origin,
    force: bool,
    job: &Job,
) -> Result<(), ActionError> {
    let server = job.run(client.server()).await?;
    if !server.has_extension(EXTENSION) {
        let version = server.environment.map(|e| format!("{} {}", e.server, e.server_version));
        return Err(ActionError::Refused(format!(
            "the server ({}) cannot rebuild instances: LXD can from 5.14 on, and each Incus",
            version.unwrap_or_default()
        )));
    }
    let found = job.run(origin.find(client)).await?;
    let instance = client.instance(name);
    let runs = force && job.run(instance.get()).await?.status == "Running";
    if runs {
        change_state(client, name, &StateChange::new(Action::Stop).force(), job).await?;
    }
    job.stage("rebuilding");
    // As with a creation, the request is not given up once it is sent.
    let rebuilt = match instance.rebuild(&Value::Object(found.source)).await {
        Ok(operation) => job.follow(operation).await.map(drop).map_err(|error| {
            error.leaving(format!("the instance {name}, whose disk is lost or incomplete: rebuild it again"))
        }),
        Err(error @ (Error::Broken { .. } | Error::Timeout { .. })) => {
            let left = format!("the instance {name}, whose disk may be lost");
            Err(ActionError::from(error).leaving(left))
        }
        Err(error) => Err(error.into()),
    };
    if !runs {
        return rebuilt;
    }
    if let Err(error) = rebuilt {
        return Err(error.leaving(format!("that {name} is stopped")));
    }
    change_state(client, name, &StateChange::new(Action::Start), job).await
}
