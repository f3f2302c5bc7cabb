//! `lxd usage`: what an instance has used during the last hour.

use std::process::ExitCode;

use anyhow::Context;

use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Out, Table};
use crate::cli::tables::bytes;
use crate::inventory::{InstanceKey, InstanceUsage};
use crate::uplink;

pub(super) async fn usage(fleet: &Fleet, text: &str, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, name) = fleet.target(text)?;
    let project = cloud.project.as_deref().unwrap_or("default");
    let key = InstanceKey { cloud: cloud.name.clone(), project: project.to_owned(), name: name.to_owned() };
    let node = uplink::running(&fleet.config).await?; // nobody else keeps it
    let samples = node.usage(&key).await.with_context(|| text.to_owned())?;
    let mut table = Table::new(&["TIME", "CPU", "MEMORY", "DISK", "RECEIVED", "SENT", "PROCESSES"]);
    for (number, sample) in samples.iter().enumerate() {
        let before = number.checked_sub(1).and_then(|before| samples.get(before));
        table.row(cells(sample, before));
    }
    out.list(&samples, &table, "nothing is known yet: the node looks every minute")?;
    Ok(ExitCode::SUCCESS)
}

fn cells(sample: &InstanceUsage, before: Option<&InstanceUsage>) -> [String; 7] {
    let rates = before.and_then(|before| sample.since(before));
    let size = |size: u64| if size == 0 { String::new() } else { bytes(size) };
    let speed = |speed: f64| format!("{}/s", bytes(speed as u64));
    [
        words::minute_of(sample.at),
        rates.map(|rates| format!("{:.1}%", rates.cpu_percent)).unwrap_or_default(),
        size(sample.memory),
        size(sample.disk),
        rates.map(|rates| speed(rates.received)).unwrap_or_default(),
        rates.map(|rates| speed(rates.sent)).unwrap_or_default(),
        sample.processes.to_string(),
    ]
}
