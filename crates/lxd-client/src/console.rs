//! The console of an instance: `/1.0/instances/{name}/console`.

use bytes::Bytes;
use serde_json::json;
use tracing::Instrument;

use crate::Error;
use crate::exec::{Fds, Kind, Process, attach};
use crate::instances::InstanceHandle;

impl InstanceHandle {
    /// `POST /1.0/instances/{name}/console`: attaches to its console, as a terminal of this size, whose keyboard is `stdin`
    /// and whose screen is `stdout`. Dropping it detaches. Only one can be attached at a time.
    ///
    /// Dropping the future detaches once it is attached: a server (LXD 5.0) whose console nobody connects to waits for that
    /// for ever.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn console(&self, width: u16, height: u16) -> Result<Process, Error> {
        let body = json!({"width": width, "height": height, "type": "console"});
        let instance = self.clone();
        let attaching = async move {
            let request = || instance.client.post(&instance.path(["console"])[..]).json(&body);
            let fds = Fds { first: &["0", "control"], last: &[] };
            let (operation, sockets) = attach(&instance.client, request, fds).await?;
            Ok(Process::new(operation, sockets, Kind::Console))
        };
        let attached = tokio::spawn(attaching.in_current_span()).await;
        attached.map_err(|error| Error::Local {
            message: "the console was not attached".to_owned(),
            source: error.into(),
        })?
    }

    /// `GET /1.0/instances/{name}/console`: what the console has shown lately. Cancel safe.
    ///
    /// # Errors
    /// When the instance has no console log.
    pub async fn console_log(&self) -> Result<Bytes, Error> {
        self.client.get(&self.path(["console"])[..]).bytes().await
    }

    /// `DELETE /1.0/instances/{name}/console`: empties the console's log.
    ///
    /// # Errors
    /// When the instance has no console log.
    pub async fn clear_console_log(&self) -> Result<(), Error> {
        self.client.delete(&self.path(["console"])[..]).done().await
    }
}
