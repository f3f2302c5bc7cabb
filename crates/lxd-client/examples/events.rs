//! Prints what happens at the LXD on this machine, until it is interrupted: `cargo run -p lxd-client --example events`.

use std::time::Duration;

use lxd_client::{Client, Event, EventKind};

#[tokio::main]
async fn main() -> Result<(), lxd_client::Error> {
    let client = Client::local(Duration::from_secs(30))?;
    let mut events = client.all_events(&[EventKind::Operation, EventKind::Lifecycle]).await?;
    loop {
        match events.next().await? {
            Event::Lifecycle(event) => println!("{} {} {}", event.timestamp, event.action, event.source),
            Event::Operation(state) => {
                println!("{} {} ({}) {}", state.updated_at, state.description, state.status, state.err);
            }
            Event::Reconnected => println!("the connection was lost, and is there again"),
            _ => {}
        }
    }
}
