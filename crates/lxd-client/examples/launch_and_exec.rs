//! Launches an instance, runs a command in it, and deletes it:
//! `cargo run -p lxd-client --example launch_and_exec -- IMAGE COMMAND [ARGUMENT...]`.

use std::process::ExitCode;
use std::time::Duration;

use lxd_client::{Client, NewInstance};

#[tokio::main]
async fn main() -> Result<ExitCode, lxd_client::Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(image), command) = (arguments.next(), arguments.collect::<Vec<_>>()) else {
        eprintln!("usage: launch_and_exec IMAGE COMMAND [ARGUMENT...]");
        return Ok(ExitCode::from(2));
    };
    let client = Client::local(Duration::from_secs(30))?;
    let name = format!("example-{}", std::process::id());
    let instance = client.launch(&NewInstance::from_alias(&name, &image).ephemeral()).await?;
    let ran = instance.exec(command).output().await;
    instance.delete_forced().await?;
    let output = ran?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    println!("exit status {}", output.status.code());
    Ok(if output.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
