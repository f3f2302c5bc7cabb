//! Sends a file or folder into an instance, or fetches one, with a progress bar:
//! `cargo run -p lxd-client --example transfer -- push FROM INSTANCE TO`, or `pull INSTANCE FROM TO`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use lxd_client::{Client, Progress, PushOptions};

#[tokio::main]
async fn main() -> Result<ExitCode, lxd_client::Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let client = Client::local(Duration::from_secs(30))?;
    let done = match arguments[..] {
        ["push", from, instance, to] => {
            client.instance(instance).files().push(Path::new(from), to, &PushOptions::default(), bar).await?
        }
        ["pull", instance, from, to] => {
            client.instance(instance).files().pull(from, Path::new(to), bar).await?
        }
        _ => {
            eprintln!("usage: transfer push FROM INSTANCE TO | transfer pull INSTANCE FROM TO");
            return Ok(ExitCode::from(2));
        }
    };
    println!("\n{} files, folders and links, {} bytes", done.entries, done.bytes);
    Ok(ExitCode::SUCCESS)
}

fn bar(progress: &Progress) {
    let filled = (40 * progress.bytes).checked_div(progress.total).unwrap_or(40).min(40);
    let filled = usize::try_from(filled).unwrap_or(40);
    print!(
        "\r[{}{}] {} of {} bytes",
        "#".repeat(filled),
        " ".repeat(40 - filled),
        progress.bytes,
        progress.total
    );
    let _ = std::io::stdout().flush();
}
