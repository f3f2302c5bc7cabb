//! Gives files in an instance other paths.

use std::io::ErrorKind;

use super::Files;
use crate::Error;

impl Files {
    /// Gives what is at a path another one, by SFTP, in one step. It takes the place of a file that is there, as `mv -T` does. No
    /// link is followed at the end of either path.
    ///
    /// Not cancel safe: it may be done.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when nothing is there, or no folder for the new path; [`Error::Config`] when one of them is no
    /// absolute path; when the other one is in another file system; those of
    /// [`InstanceHandle::sftp`](crate::InstanceHandle::sftp).
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        if let Some(path) = [from, to].into_iter().find(|path| !path.starts_with('/')) {
            let message = format!("{path:?} is not a path in an instance: it does not begin with /");
            return Err(Error::config(message));
        }
        let renamed = self.needed_session().await?.rename(from, to).await;
        renamed.map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Error::Api { code: 404, message: format!("{from} is not there, or no folder for {to}") }
            }
            ErrorKind::Other => Error::Api { code: 500, message: format!("{from} to {to}: {error}") },
            _ => self.client.broken(error),
        })
    }
}
