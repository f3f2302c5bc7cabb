//! `lxd trust`: has a server trust this node, and shows and changes whom it trusts.

mod add;
mod certificate;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;

use self::certificate::CertificateName;
use super::lists::{self, Clouds, Columns};
use super::names::Names;
use super::usual::{edit_object, show};
use crate::actions::certificates;
use crate::actions::objects::{CERTIFICATE, Fields, text};
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;
use crate::clock::rfc3339;

/// The arguments of `lxd trust`: a cloud, or a verb.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Trust {
    /// The cloud that is to trust this node.
    #[arg(required = true)]
    cloud: Option<String>,
    /// A file with the token.
    #[arg(long, value_name = "FILE")]
    token_from: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<TrustCommand>,
}

/// The verbs of certificates and tokens.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TrustCommand {
    /// Lists the certificates that the clouds trust.
    #[command(visible_alias = "ls")]
    List(Clouds),
    /// Makes a token by which a client has its certificate trusted, once, and prints it; or has a certificate trusted.
    Add(add::Add),
    /// Lists the tokens that nobody has used yet. They let whoever has them in.
    ListTokens(Clouds),
    /// Revokes a token.
    RevokeToken {
        /// The cloud, as berlin:, where there are several; and the client's name.
        #[arg(required = true, num_args = 1..=2, value_names = ["CLOUD:", "NAME"])]
        what: Vec<String>,
    },
    /// Shows a certificate and what it is for, as YAML.
    Show(CertificateName),
    /// Edits what a certificate is for, as YAML: in an editor, or from the standard input.
    Edit(CertificateName),
    /// Ends the trust in a certificate.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        certificate: CertificateName,
        /// Also in that of this node, which cannot work there afterwards.
        #[arg(long)]
        force: bool,
    },
}

const CERTIFICATES: &Columns = &[
    ("TYPE", |certificate| text(certificate, "type").to_owned()),
    ("NAME", |certificate| text(certificate, "name").to_owned()),
    ("COMMON NAME", |certificate| text(certificate, "common_name").to_owned()),
    ("FINGERPRINT", |certificate| text(certificate, "fingerprint").chars().take(12).collect()),
    ("ISSUE DATE", |certificate| text(certificate, "issued_at").to_owned()),
    ("EXPIRY DATE", |certificate| text(certificate, "expires_at").to_owned()),
];

const TOKENS: &Columns = &[
    ("NAME", |token| text(token, "name").to_owned()),
    ("TOKEN", |token| text(token, "token").to_owned()),
    ("EXPIRES AT", |token| text(token, "expires_at").to_owned()),
];

pub(in crate::cli::lxd) async fn run(trust: &Trust, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    let Some(command) = &trust.command else {
        let cloud = trust.cloud.as_deref().ok_or_else(|| usage("which cloud?"))?;
        return token::trust(fleet, cloud, trust.token_from.as_deref(), out).await;
    };
    match command {
        TrustCommand::List(of) => {
            let fetch = async |client: lxd_client::Client| {
                let certificates = client.certificates().await?;
                Ok(certificates.iter().map(described).collect())
            };
            lists::list_by(fleet, &of.clouds, &CERTIFICATE, CERTIFICATES, fetch, out).await
        }
        TrustCommand::Add(options) => add::add(fleet, options, out).await,
        TrustCommand::ListTokens(of) => {
            let fetch = async |client: lxd_client::Client| {
                let tokens = client.trust_tokens().await?;
                Ok(tokens.iter().map(pending).collect())
            };
            lists::list_by(fleet, &of.clouds, &CERTIFICATE, TOKENS, fetch, out).await
        }
        TrustCommand::RevokeToken { what } => {
            let (cloud, name) = match &what[..] {
                [cloud, name] => (fleet.with_api(cloud)?, name.as_str()),
                [name] => fleet.thing(name, "token")?,
                _ => return Err(usage("which token?")),
            };
            let client = fleet.client(cloud).await?;
            action::run(name, async |job| certificates::revoke_token(&client, name, job).await).await?;
            Ok(ExitCode::SUCCESS)
        }
        TrustCommand::Show(certificate) => {
            let object = certificate.object(fleet).await?;
            show(&action::run(certificate.first(), async |job| object.get(job).await).await?.value, out)
        }
        TrustCommand::Edit(certificate) => {
            edit_object(&certificate.object(fleet).await?, certificate.first()).await
        }
        TrustCommand::Remove { certificate, force } => {
            let object = certificate.object(fleet).await?;
            let own = certificate::own(fleet).await?;
            action::run(certificate.first(), async |job| {
                certificates::remove(&object, &own, *force, job).await
            })
            .await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A certificate with what it says of itself.
fn described(certificate: &lxd_client::Certificate) -> Fields {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(certificate) else { return Fields::new() };
    if let Some(subject) = certificate.subject() {
        let time = |seconds: i64| rfc3339(u64::try_from(seconds).unwrap_or_default());
        fields.insert("common_name".to_owned(), subject.common_name.into());
        fields.insert("issued_at".to_owned(), time(subject.not_before).into());
        fields.insert("expires_at".to_owned(), time(subject.not_after).into());
    }
    fields
}

fn pending(pending: &lxd_client::PendingToken) -> Fields {
    Fields::from_iter([
        ("name".to_owned(), pending.token.client_name().into()),
        ("token".to_owned(), pending.token.reveal().into()),
        ("expires_at".to_owned(), pending.expires_at.clone().into()),
    ])
}
