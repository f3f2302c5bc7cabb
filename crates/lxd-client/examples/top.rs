//! Shows what the running instances use, anew every two seconds: `cargo run -p lxd-client --example top [--once]`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use lxd_client::{Client, Filter};

const EVERY: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), lxd_client::Error> {
    let client = Client::local(Duration::from_secs(30))?;
    let once = std::env::args().any(|argument| argument == "--once");
    let mut before: HashMap<String, (Instant, Duration)> = HashMap::new();
    loop {
        let running = client.instances().with_state().filter(Filter::eq("status", "Running")).await?;
        println!("{:24} {:>7} {:>10} {:>9}", "NAME", "CPU", "MEMORY", "PROCESSES");
        for instance in running {
            let Some(state) = instance.state else { continue };
            let now = (Instant::now(), state.cpu_time());
            let share = before.insert(instance.name.clone(), now).map(|(then, used)| {
                100.0 * now.1.saturating_sub(used).as_secs_f64() / (now.0 - then).as_secs_f64()
            });
            let share = share.map_or("-".to_owned(), |percent| format!("{percent:.1}%"));
            let memory = state.memory_usage() >> 20;
            println!("{:24} {share:>7} {memory:>6} MiB {:>9}", instance.name, state.processes);
        }
        if once {
            return Ok(());
        }
        tokio::time::sleep(EVERY).await;
    }
}
