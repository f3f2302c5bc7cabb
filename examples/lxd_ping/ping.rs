//! Pings: one API request each, with its times.

use std::time::{Duration, Instant};

use lxd_client::{Auth, Client, Fingerprint, Identity, Instance, ServerTrust, TrustToken, fetch_fingerprint};
use tailnet::{Path, Tailnet};

use crate::args::Args;
use crate::failure::Usage;
use crate::output::{Output, Reply};
use crate::target::Target;

/// Sends the requests and shows the replies. Fails when none came.
pub(crate) async fn ping(
    args: &Args,
    target: &Target,
    tailnet: &Tailnet,
    token: Option<&TrustToken>,
    output: &Output,
) -> anyhow::Result<()> {
    let pin = find_pin(args, target, tailnet, token, output).await?;
    let client = connect(args, target, tailnet, pin, token).await?;
    if let Some(token) = token {
        client.trust(token).await?;
    }
    let mut times = Vec::new();
    let mut sent = 0;
    let mut last_error = None;
    let mut trusted = false;
    let requests = async {
        while args.count == 0 || sent < args.count {
            if sent > 0 {
                tokio::time::sleep(Duration::from_secs_f64(args.interval)).await;
            }
            sent += 1;
            let start = Instant::now();
            match client.server().await {
                Ok(server) => {
                    let took = start.elapsed();
                    times.push(took);
                    trusted = server.auth == Auth::Trusted;
                    let path = path(tailnet, target).await;
                    output.reply(&Reply {
                        seq: sent,
                        took,
                        path,
                        server: &server,
                        known: target.known(&pin),
                        target: &target.server,
                    });
                }
                Err(error) if times.is_empty() => return Err(error), // it will not work the next time either
                Err(error) => {
                    output.lost(sent, &error);
                    last_error = Some(error);
                }
            }
        }
        Ok(())
    };
    let outcome = tokio::select! {
        outcome = requests => outcome,
        _ = tokio::signal::ctrl_c() => Ok(()), // as ping does: the summary is still wanted
    };
    outcome?;
    if trusted {
        output.instances(&instances(&client).await?);
    }
    output.summary(&target.server, sent, &times);
    match last_error {
        Some(error) if times.is_empty() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The instances of the default project, or of those that the server lets this client use.
async fn instances(client: &Client) -> Result<Vec<Instance>, lxd_client::Error> {
    let allowed = match client.instances().await {
        Err(lxd_client::Error::NotAllowed { allowed, .. }) => allowed,
        other => return other,
    };
    let mut all = Vec::new();
    for project in allowed {
        all.extend(client.project(&project).instances().await?);
    }
    Ok(all)
}

/// By which certificate the server is known: one that was given, or the one that it shows now, as
/// `lxc remote add` does it.
async fn find_pin(
    args: &Args,
    target: &Target,
    tailnet: &Tailnet,
    token: Option<&TrustToken>,
    output: &Output,
) -> anyhow::Result<Fingerprint> {
    match (args.fingerprint, token.map(TrustToken::fingerprint)) {
        (Some(given), Some(of_token)) if given != of_token => Err(Usage {
            message: "--fingerprint and the token name two different servers".to_owned(),
            hint: "leave --fingerprint out: the token holds the server's",
        }
        .into()),
        (Some(pin), _) | (None, Some(pin)) => Ok(pin),
        (None, None) => {
            let pin = fetch_fingerprint(uri(target)?, tailnet.connector(), args.timeout()).await?;
            if target.known(&pin).is_none() {
                output.progress(&format!(
                    "the server's certificate is {pin}, trusted for this run (--fingerprint pins it)"
                ));
            }
            Ok(pin)
        }
    }
}

async fn connect(
    args: &Args,
    target: &Target,
    tailnet: &Tailnet,
    pin: Fingerprint,
    token: Option<&TrustToken>,
) -> anyhow::Result<Client> {
    let mut client = Client::builder(uri(target)?, tailnet.connector())
        .trust(ServerTrust::Fingerprint(pin))
        .timeout(args.timeout());
    if let Some(identity) = identity(args, target, token.is_some()).await? {
        client = client.identity(identity);
    }
    Ok(client.build()?)
}

/// The client certificate: made with the first token, and shown from then on.
async fn identity(args: &Args, target: &Target, needed: bool) -> anyhow::Result<Option<Identity>> {
    let Some(folder) = target.state_dir.clone() else {
        if needed {
            return Err(Usage {
                message: "there is no home folder to keep the client certificate in".to_owned(),
                hint: "pass --state-dir FOLDER",
            }
            .into());
        }
        return Ok(None);
    };
    let name = args.hostname.clone();
    let load = move || {
        if needed || folder.join("client.key").exists() {
            Identity::load_or_generate(&folder, &name).map(Some)
        } else {
            Ok(None)
        }
    };
    Ok(tokio::task::spawn_blocking(load).await??)
}

fn uri(target: &Target) -> anyhow::Result<http::Uri> {
    Ok(format!("https://{}", target.server).parse()?)
}

/// How packets to the server travel now; `None` for a server behind a subnet router.
async fn path(tailnet: &Tailnet, target: &Target) -> Option<Path> {
    let status = tailnet.status().await.ok()?;
    let server = &target.server;
    let peer = match server.ip() {
        Some(ip) => status.peer(ip),
        None => status.peer_named(&server.host()),
    };
    peer.map(tailnet::Peer::path)
}
