//! The console of an instance: `/1.0/instances/{name}/console`.

use bytes::Bytes;
use serde_json::json;

use crate::Error;
use crate::exec::{Fds, Kind, Process, attach};
use crate::instances::InstanceHandle;

impl InstanceHandle {
    /// `POST /1.0/instances/{name}/console`: attaches to its console, as a terminal of this size, whose keyboard is `stdin`
    /// and whose screen is `stdout`. Dropping it detaches. Only one can be attached at a time.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn console(&self, width: u16, height: u16) -> Result<Process, Error> {
        let body = json!({"width": width, "height": height, "type": "console"});
        let request = || self.client.post(&self.path(["console"])[..]).json(&body);
        let fds = Fds { first: &["0", "control"], last: &[] };
        let (operation, sockets) = attach(&self.client, request, fds).await?;
        Ok(Process::new(operation, sockets, Kind::Console))
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
