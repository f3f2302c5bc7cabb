//! The argument that names a certificate, and this node's own one.

use lxd_client::{Fingerprint, Identity};

use crate::actions::certificates;
use crate::actions::objects::{CERTIFICATE, Kind, Object};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::Names;
use crate::node::blocking;

/// A certificate that a cloud trusts.
#[derive(Debug, clap::Args)]
pub(crate) struct CertificateName {
    /// The cloud and the beginning of the fingerprint, such as berlin:0aa2683f.
    fingerprint: String,
}

impl Names for CertificateName {
    fn kind(&self) -> &'static Kind {
        &CERTIFICATE
    }

    fn first(&self) -> &str {
        &self.fingerprint
    }

    fn names<'a>(&'a self, first: &'a str) -> Vec<&'a str> {
        vec![first]
    }

    fn member(&self) -> Option<&str> {
        None
    }

    async fn object(&self, fleet: &Fleet) -> anyhow::Result<Object> {
        let (client, prefix) = self.client(fleet).await?;
        action::run(self.first(), async |job| certificates::find(&client, prefix, job).await).await
    }
}

/// The fingerprint of this node's certificate.
pub(super) async fn own(fleet: &Fleet) -> anyhow::Result<Fingerprint> {
    let (folder, name) = (fleet.config.state_dir.clone(), fleet.config.hostname.clone());
    Ok(blocking(move || Identity::load_or_generate(&folder, &name)).await?.fingerprint())
}
