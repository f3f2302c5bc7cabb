//! Who may use a server: certificates, and the tokens by which clients have theirs trusted.

use lxd_client::{Client, Fingerprint};

use super::objects::{CERTIFICATE, Object, list, text};
use super::{ActionError, Job};

/// The certificate whose fingerprint begins so.
pub(crate) async fn find(client: &Client, prefix: &str, job: &Job) -> Result<Object, ActionError> {
    let all = list(client, &CERTIFICATE, &[], job).await?;
    let wanted = prefix.to_lowercase();
    let mut found = all.iter().map(|one| text(one, "fingerprint")).filter(|one| one.starts_with(&wanted));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(Object::new(client, &CERTIFICATE, &[one])),
        (None, _) => Err(ActionError::NotFound(format!(
            "no certificate has a fingerprint that begins with {prefix:?}"
        ))),
        (Some(_), Some(_)) => Err(ActionError::Refused(format!(
            "several certificates have a fingerprint that begins with {prefix:?}: write more of it"
        ))),
    }
}

/// Ends the server's trust in a certificate. This node's own certificate needs `force`: the node can do
/// nothing there afterwards.
pub(crate) async fn remove(
    certificate: &Object,
    own: &Fingerprint,
    force: bool,
    job: &Job,
) -> Result<(), ActionError> {
    if certificate.name() == own.to_string() && !force {
        return Err(ActionError::Refused(
            "this is the certificate of this node, which could not work there any more: --force removes it all the same"
                .to_owned(),
        ));
    }
    certificate.delete(job).await
}

/// Revokes the tokens that were made for a client of this name.
pub(crate) async fn revoke_token(client: &Client, name: &str, job: &Job) -> Result<(), ActionError> {
    let tokens = job.run(client.trust_tokens()).await?;
    let mut found = false;
    for pending in tokens.iter().filter(|pending| pending.token.client_name() == name) {
        job.run(client.operation(&pending.operation).cancel()).await?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(ActionError::NotFound(format!("no token is for a client named {name:?}")))
    }
}
