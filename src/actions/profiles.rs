//! Copies of profiles. `instances` changes which profiles an instance has.

use lxd_client::Client;

use super::objects::{Object, PROFILE};
use super::{ActionError, Job};

/// Copies a profile, into another server or project too.
pub(crate) async fn copy(
    from: &Client,
    name: &str,
    to: &Client,
    copy: &str,
    job: &Job,
) -> Result<(), ActionError> {
    let mut fields = Object::new(from, &PROFILE, &[name]).get(job).await?.value;
    for own in ["used_by", "project"] {
        fields.remove(own);
    }
    Object::new(to, &PROFILE, &[copy]).create(fields, job).await
}
