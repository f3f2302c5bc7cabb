//! Lists the instances of the LXD on this machine: `cargo run -p lxd-client --example list [--all-projects]`.
//!
//! With another connector than its Unix socket, such as that of the crate `tailnet`, the rest stays the same.

use std::time::Duration;

use lxd_client::Client;

#[tokio::main]
async fn main() -> Result<(), lxd_client::Error> {
    let client = Client::local(Duration::from_secs(30))?;
    let mut list = client.instances();
    if std::env::args().any(|argument| argument == "--all-projects") {
        list = list.all_projects();
    }
    for instance in list.await? {
        println!("{:12} {:24} {:10} {}", instance.project, instance.name, instance.status, instance.kind);
    }
    Ok(())
}
