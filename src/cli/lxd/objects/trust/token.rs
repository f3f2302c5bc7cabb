//! `lxd trust`: has a server trust this node.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use lxd_client::TrustToken;
use serde_json::json;

use crate::cli::exit::{UserError, usage};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, report};
use crate::config::Environment;
use crate::node::blocking;

pub(super) async fn trust(
    fleet: &Fleet,
    name: &str,
    token_from: Option<&Path>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let cloud = fleet.with_api(name)?;
    let token = match (&cloud.trust.token, token_from) {
        (Some(configured), None) => configured.clone(),
        (_, from) => {
            let from = from.map(Path::to_owned);
            blocking(move || token(from.as_deref())).await?
        }
    };
    let expected = cloud.trust.fingerprint.unwrap_or(token.fingerprint());
    if expected != token.fingerprint() {
        let message = format!(
            "the token is for a server with the fingerprint {}, and {name} has {expected}",
            token.fingerprint()
        );
        return Err(UserError::new(8, message).into());
    }
    let mut pinned = cloud.clone();
    (pinned.trust.fingerprint, pinned.trust.token) = (Some(expected), None);
    let client = fleet.client(&pinned).await?;
    client.trust(&token).await.with_context(|| cloud.name.clone())?;
    let value = json!({"cloud": cloud.name, "trusted": true, "fingerprint": expected.to_string()});
    out.print(&value, || {
        let mut text = format!("{} trusts this node\n", cloud.name);
        if cloud.trust.fingerprint.is_none() {
            text += &format!(
                "put this into the configuration of {}: trust: {{fingerprint: {expected}}}\n",
                cloud.name
            );
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

fn token(from: Option<&Path>) -> anyhow::Result<TrustToken> {
    let text = match from {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the token from {}", path.display()))?,
        None => match Environment::load(".env".as_ref())?.get("LXD_TRUST_TOKEN") {
            Some(token) => token.to_owned(),
            None => {
                if std::io::stdin().is_terminal() {
                    report(&"paste the token, and end it with Ctrl-d in a line of its own");
                }
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("cannot read the token")?;
                text
            }
        },
    };
    text.trim().parse().map_err(|e: lxd_client::InvalidToken| usage(e.to_string()))
}
