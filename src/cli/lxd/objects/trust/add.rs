//! `lxd trust add`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use lxd_client::Certificate;
use serde_json::json;

use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The cloud, as berlin:, where there are several; and a file with a certificate. Without one a token is made.
    #[arg(num_args = 0..=2, value_names = ["CLOUD:", "FILE"])]
    what: Vec<String>,
    /// The client's name. Default: that of the file.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only for these projects, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    projects: Vec<String>,
    /// Only for the projects that are named; for none where none is.
    #[arg(long)]
    restricted: bool,
    /// What a certificate is for: client or metrics.
    #[arg(long = "type", value_name = "TYPE", default_value = "client")]
    kind: String,
}

pub(super) async fn add(fleet: &Fleet, options: &Add, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, file) = match &options.what[..] {
        [] => ("", None),
        [one] if one.ends_with(':') || fleet.with_api(one).is_ok() => (one.trim_end_matches(':'), None),
        [file] => ("", Some(file)),
        [cloud, file, ..] => (cloud.trim_end_matches(':'), Some(file)),
    };
    let cloud = if cloud.is_empty() { fleet.place("")?.0 } else { fleet.with_api(cloud)? };
    let client = fleet.client(cloud).await?;
    let restricted = options.restricted || !options.projects.is_empty();
    let Some(file) = file else {
        let name =
            options.name.as_deref().ok_or_else(|| usage("name the client of the token: --name NAME"))?;
        if options.kind != "client" {
            return Err(usage("a token is for a client: give the file of a certificate of another type"));
        }
        let projects: Vec<&str> = options.projects.iter().map(String::as_str).collect();
        let projects = restricted.then_some(&projects[..]);
        let token =
            action::run(name, async |job| job.run(client.create_trust_token(name, projects)).await).await?;
        let value = json!({"cloud": cloud.name, "name": name, "token": token.reveal()});
        out.print(&value, || format!("Client {name} certificate add token:\n{}\n", token.reveal()))?;
        return Ok(ExitCode::SUCCESS);
    };
    let pem = tokio::fs::read_to_string(file).await.with_context(|| format!("cannot read {file}"))?;
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    let name = options.name.as_deref().or(stem).ok_or_else(|| usage("name the client: --name NAME"))?;
    let mut certificate = Certificate::new(name, &pem);
    certificate.kind.clone_from(&options.kind);
    if restricted {
        certificate = certificate.restricted_to(options.projects.clone());
    }
    action::run(name, async |job| job.run(client.create_certificate(&certificate)).await).await?;
    Ok(ExitCode::SUCCESS)
}
