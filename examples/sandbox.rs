//! A tailnet on loopback to try `kolaboree-node` and its page with, with no account: a control server, a relay, and a peer `lxd`
//! that leads to a stand-in for LXD, or to a real one.
//!
//! ```bash
//! cargo run --example sandbox -- /tmp/try      # writes /tmp/try/kolaboree.yaml, and runs until it is interrupted
//! cargo run -- --config /tmp/try/kolaboree.yaml
//! ```
//!
//! It says the address of the page, and with `--person alice` how alice opens it from a node of her own, as users do.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tailnet_sandbox::{Fleet, Peer, Sandbox, StandIn, User, free_port};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a tailnet on loopback, and writes the configuration of a node for it.
#[derive(Parser)]
struct Args {
    /// Where to write kolaboree.yaml and the keys that it names.
    folder: PathBuf,
    /// A real LXD on this machine, instead of a stand-in; LXD_TRUST_TOKEN lets the node in.
    #[arg(long, value_name = "ADDRESS")]
    lxd: Option<SocketAddr>,
    /// Where the node keeps its state. Default: a folder beside kolaboree.yaml.
    #[arg(long, value_name = "FOLDER", default_value = "state")]
    state_dir: PathBuf,
    /// Somebody with a node of their own, whose browser reaches the tailnet by the proxy of that node. May come more than once.
    #[arg(long, value_name = "NAME")]
    person: Vec<String>,
    /// A further peer, and where its port 8443 leads on this machine. May come more than once.
    #[arg(long, value_name = "NAME=ADDRESS", value_parser = peer)]
    peer: Vec<(String, SocketAddr)>,
    /// Five more clouds, stand-ins too, of so many instances each.
    #[arg(long, value_name = "INSTANCES", default_value_t = 0)]
    fleet: usize,
    /// How many of their instances change in a second.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    changes: u32,
}

/// How many clouds `--fleet` has.
const FLEETS: usize = 5;

fn peer(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, address) = text.split_once('=').ok_or("give it as NAME=ADDRESS")?;
    Ok((name.to_owned(), address.parse().map_err(|_| format!("{address} is no address with a port"))?))
}

/// The number of the first person in the tailnet; lower ones are the control server's own.
const FIRST_USER: u32 = 1000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    // That of an earlier run leads nowhere now.
    let _ = fs::remove_file(args.folder.join("kolaboree.yaml"));
    let standin = StandIn::start().await.context("the stand-in did not start")?;
    let (address, token) = match args.lxd {
        Some(address) => (address, std::env::var("LXD_TRUST_TOKEN").context("LXD_TRUST_TOKEN is not set")?),
        None => (standin.addr(), standin.trust_token("kolaboree-node")),
    };
    let people = args.person.iter().map(|name| Peer::new(name).socks5());
    let further = args.peer.iter().map(|(name, address)| Peer::new(name).forward(8443, *address));
    let lxd = Peer::new("lxd").forward(8443, address).echo(7);
    let mut fleets = Vec::new();
    for number in (0..FLEETS).filter(|_| args.fleet > 0) {
        fleets.push(Fleet::start(number, args.fleet).await?);
    }
    let many = fleets.iter().enumerate();
    let many =
        many.map(|(number, fleet)| Peer::new(format!("fleet{number}")).forward(8443, fleet.server().addr()));
    let peers = [lxd].into_iter().chain(further).chain(people).chain(many);
    let sandbox = Sandbox::start(peers).await?;
    for (id, name) in (FIRST_USER..).zip(&args.person) {
        sandbox.set_user(name, &User::new(id, format!("{name}@example.com"))).await?;
    }
    let page = free_port();
    write(&args, &sandbox, &token, page, &fleets)?;
    println!("ready: kolaboree-node --config {}", args.folder.join("kolaboree.yaml").display());
    println!("once it runs, the page is at http://127.0.0.1:{page}/ on this machine");
    for name in &args.person {
        if let Some(proxy) = sandbox.peer(name).socks5() {
            println!("for {name} it is at http://kolaboree-node/ by the proxy socks5://{proxy}");
        }
    }
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        () = change(&fleets, &args) => {}
    }
    sandbox.stop().await?;
    Ok(())
}

/// Changes one instance after the other, or nothing.
async fn change(fleets: &[Fleet], args: &Args) {
    if fleets.is_empty() || args.changes == 0 {
        return std::future::pending().await;
    }
    let mut pace = tokio::time::interval(Duration::from_secs(1) / args.changes);
    for turn in 0.. {
        pace.tick().await;
        fleets[turn % FLEETS].change(turn / FLEETS % args.fleet);
    }
}

/// The configuration last: who waits for it finds all that it names.
fn write(args: &Args, sandbox: &Sandbox, token: &str, page: u16, fleets: &[Fleet]) -> anyhow::Result<()> {
    fs::create_dir_all(&args.folder)?;
    place(&args.folder, "auth_key", sandbox.auth_key())?;
    place(&args.folder, "token", token)?;
    let people: Vec<String> = args.person.iter().map(|name| format!("'user:{name}@example.com'")).collect();
    let access = match &people[..] {
        [] => String::new(),
        people => format!(
            "  access:\n    - {{who: [{}], clouds: ['*'], projects: ['*'], verbs: [view, operate, edit, files, exec, metrics, admin]}}\n",
            people.join(", ")
        ),
    };
    let many: String = (0..)
        .zip(fleets)
        .map(|(number, fleet)| {
            let fingerprint = fleet.server().fingerprint();
            format!("  - {{name: fleet{number}, address: 'fleet{number}:8443', trust: {{fingerprint: {fingerprint}}}}}\n")
        })
        .collect();
    let configuration = format!(
        "# Written by the example sandbox.\nstate_dir: {}\ncontrol_url: {}\nauth_key_file: auth_key\ninterval: 2\n\
         tailnet:\n  listen: 80\n  development: {{listen: '127.0.0.1:{page}', user: you@example.com}}\n{access}\
         clouds:\n  - name: lxd\n    address: lxd:8443\n    trust: {{token: 'file:token'}}\n  - name: echo\n    kind: tcp\n    address: lxd:7\n{many}",
        args.state_dir.display(),
        sandbox.control_url(),
    );
    place(&args.folder, "kolaboree.yaml", &configuration)
}

/// Another user may read it, as in a container: these are secrets of a sandbox only.
fn place(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let (path, temporary) = (folder.join(name), folder.join(format!(".{name}.new")));
    fs::write(&temporary, text)?;
    fs::set_permissions(&temporary, Permissions::from_mode(0o644))?;
    fs::rename(&temporary, &path).with_context(|| path.display().to_string())
}
