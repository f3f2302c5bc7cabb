//! `lxd info`: a server, or an instance in the words of `lxc info`.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{Client, Instance, InstanceState};
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt;

use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words::{bytes, decimal_bytes, minute};
use crate::cli::output::{Out, Table};
use crate::config::CloudConfig;

/// What `lxd info` is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Info {
    /// Which server (berlin) or instance (berlin:c1).
    target: String,
    /// What the server's machine has.
    #[arg(long)]
    resources: bool,
    /// The end of the instance's log too.
    #[arg(long, conflicts_with = "resources")]
    show_log: bool,
    /// Of this member of the cluster.
    #[arg(long = "target", value_name = "MEMBER")]
    member: Option<String>,
}

/// How many lines of a log are shown.
const LOG_LINES: usize = 100;

pub(super) async fn info(fleet: &Fleet, options: &Info, out: &Out) -> anyhow::Result<ExitCode> {
    let target = options.target.as_str();
    let is_cloud = target.ends_with(':') || fleet.config.clouds.iter().any(|cloud| cloud.name == target);
    if is_cloud {
        if options.show_log {
            return Err(usage(format!(
                "--show-log is about an instance: write {}:INSTANCE",
                target.trim_end_matches(':')
            )));
        }
        let cloud = fleet.with_api(target)?;
        let client = fleet.client(cloud).await?;
        let client = options.member.as_ref().map(|member| client.target(member)).unwrap_or(client);
        let value = if options.resources {
            serde_json::to_value(client.resources().await.with_context(|| cloud.name.clone())?)?
        } else {
            server(cloud, &client).await.with_context(|| cloud.name.clone())?
        };
        out.print(&value, || crate::config::to_text(&value))?;
        return Ok(ExitCode::SUCCESS);
    }
    if options.resources || options.member.is_some() {
        let option = if options.resources { "--resources" } else { "--target" };
        return Err(usage(format!("{option} is about a server: write CLOUD:")));
    }
    let (cloud, name) = fleet.target(target)?;
    let client = fleet.client(cloud).await?;
    let instance = client.instance(name).get_full().await.with_context(|| target.to_owned())?;
    let log = match options.show_log {
        true => Some(log(&client, &instance).await.with_context(|| target.to_owned())?),
        false => None,
    };
    let mut value = described(cloud, &instance);
    if let Some(log) = &log {
        value["log"] = log.as_str().into();
    }
    out.print(&value, || text(&instance, log.as_deref()))?;
    Ok(ExitCode::SUCCESS)
}

async fn server(cloud: &CloudConfig, client: &Client) -> Result<Value, lxd_client::Error> {
    let server = client.server().await?;
    let environment = server.environment.as_ref();
    Ok(json!({
        "cloud": cloud.name, "address": cloud.address.to_string(),
        "auth": server.auth,
        "server": environment.map(|e| &e.server), "version": environment.map(|e| &e.server_version),
        "name": environment.map(|e| &e.server_name),
        "fingerprint": environment.map(|e| &e.certificate_fingerprint),
        "extensions": server.api_extensions.len(), "config": server.config,
    }))
}

/// The end of the log of what runs the instance.
async fn log(client: &Client, instance: &Instance) -> anyhow::Result<String> {
    let file = if instance.kind == "virtual-machine" { "qemu.log" } else { "lxc.log" };
    let mut text = Vec::new();
    client.instance(&instance.name).log(file).await?.read_to_end(&mut text).await?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"))
}

/// The instance as JSON.
fn described(cloud: &CloudConfig, instance: &Instance) -> Value {
    let state = instance.state.clone().unwrap_or_default();
    json!({
        "cloud": cloud.name, "name": instance.name, "status": instance.status, "type": instance.kind,
        "architecture": instance.architecture, "project": instance.project,
        "description": instance.description, "profiles": instance.profiles, "ephemeral": instance.ephemeral,
        "pid": state.pid, "processes": state.processes, "memory": state.memory_usage(),
        "cpu_seconds": state.cpu_time().as_secs_f64(), "addresses": addresses(&state),
        "created_at": instance.rest.get("created_at"), "last_used_at": instance.rest.get("last_used_at"),
        "location": instance.rest.get("location"), "network": state.network, "disk": state.disk,
        "snapshots": instance.rest.get("snapshots"), "backups": instance.rest.get("backups"),
        "config": instance.config, "devices": instance.devices,
    })
}

/// Its addresses, without those that only it itself or its link can use.
fn addresses(state: &InstanceState) -> Vec<&str> {
    let addresses = state.network.values().filter_map(|network| network["addresses"].as_array()).flatten();
    let global = addresses.filter(|address| address["scope"] == "global");
    global.filter_map(|address| address["address"].as_str()).collect()
}

/// The instance for people, with the lines of `lxc info`.
fn text(instance: &Instance, log: Option<&str>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    let told = |name: &str| instance.rest.get(name).and_then(Value::as_str).unwrap_or_default();
    let state = instance.state.clone().unwrap_or_default();
    line("Name", &instance.name);
    line("Status", &instance.status.to_uppercase());
    line("Type", &format!("{}{}", instance.kind, if instance.ephemeral { " (ephemeral)" } else { "" }));
    line("Architecture", &instance.architecture);
    line("Location", Some(told("location")).filter(|location| *location != "none").unwrap_or_default());
    if state.pid != 0 {
        line("PID", &state.pid.to_string());
    }
    line("Created", &minute(told("created_at")));
    line("Last Used", &minute(told("last_used_at")));
    if state.pid != 0 {
        resources(&mut text, &state);
    }
    for (name, head, columns) in LISTS {
        let Some(things) =
            instance.rest.get(name).and_then(Value::as_array).filter(|things| !things.is_empty())
        else {
            continue;
        };
        let mut table = Table::new(&columns.map(|(head, _)| head));
        for thing in things {
            table.row(columns.map(|(_, cell)| cell(thing)));
        }
        let _ = write!(text, "\n{head}:\n{table}");
    }
    if let Some(log) = log {
        let _ = write!(text, "\nLog:\n\n{log}\n");
    }
    text
}

type Cell = fn(&Value) -> String;
type Columns = [(&'static str, Cell); 4];

/// What is listed of an instance: the field, the head, and the columns.
const LISTS: [(&str, &str, Columns); 2] = [
    (
        "snapshots",
        "Snapshots",
        [
            ("NAME", |snapshot| last_part(&snapshot["name"])),
            ("TAKEN AT", |snapshot| time(&snapshot["created_at"])),
            ("EXPIRES AT", |snapshot| time(&snapshot["expires_at"])),
            ("STATEFUL", |snapshot| yes(&snapshot["stateful"])),
        ],
    ),
    (
        "backups",
        "Backups",
        [
            ("NAME", |backup| last_part(&backup["name"])),
            ("TAKEN AT", |backup| time(&backup["created_at"])),
            ("EXPIRES AT", |backup| time(&backup["expires_at"])),
            ("INSTANCE ONLY", |backup| yes(&backup["instance_only"])),
        ],
    ),
];

fn last_part(name: &Value) -> String {
    name.as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default().to_owned()
}

fn time(value: &Value) -> String {
    minute(value.as_str().unwrap_or_default())
}

fn yes(value: &Value) -> String {
    if value.as_bool() == Some(true) { "YES" } else { "NO" }.to_owned()
}

/// What an instance that runs uses.
fn resources(text: &mut String, state: &InstanceState) {
    let _ = write!(text, "\nResources:\n  Processes: {}\n", state.processes);
    let disks =
        state.disk.iter().map(|(name, disk)| (name.as_str(), disk["usage"].as_u64().unwrap_or_default()));
    section(
        text,
        "Disk usage",
        disks.filter(|(_, usage)| *usage > 0).map(|(name, usage)| format!("{name}: {}", bytes(usage))),
    );
    let cpu = state.cpu_time();
    section(
        text,
        "CPU usage",
        (!cpu.is_zero()).then(|| format!("CPU usage (in seconds): {}", cpu.as_secs())),
    );
    let memory = [
        ("Memory (current)", "usage"),
        ("Memory (peak)", "usage_peak"),
        ("Swap (current)", "swap_usage"),
        ("Swap (peak)", "swap_usage_peak"),
    ];
    let memory = memory.iter().filter_map(|(name, key)| {
        let used =
            state.memory.get(*key).and_then(|used| u64::try_from(*used).ok()).filter(|used| *used > 0)?;
        Some(format!("{name}: {}", bytes(used)))
    });
    section(text, "Memory usage", memory);
    section(text, "Network usage", state.network.iter().flat_map(|(name, network)| interface(name, network)));
}

fn section(text: &mut String, head: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_some() {
        let _ = writeln!(text, "  {head}:");
        lines.for_each(|line| {
            let _ = writeln!(text, "    {line}");
        });
    }
}

fn interface(name: &str, network: &Value) -> Vec<String> {
    let word = |key: &str| network[key].as_str().unwrap_or_default();
    let count = |key: &str| network["counters"][key].as_u64().unwrap_or_default();
    let mtu = network["mtu"].as_u64().filter(|mtu| *mtu > 0).map(|mtu| mtu.to_string()).unwrap_or_default();
    let mut lines = vec![format!("{name}:")];
    for (head, value) in [
        ("Type", word("type").to_owned()),
        ("State", word("state").to_uppercase()),
        ("Host interface", word("host_name").to_owned()),
        ("MAC address", word("hwaddr").to_owned()),
        ("MTU", mtu),
        ("Bytes received", decimal_bytes(count("bytes_received"))),
        ("Bytes sent", decimal_bytes(count("bytes_sent"))),
        ("Packets received", count("packets_received").to_string()),
        ("Packets sent", count("packets_sent").to_string()),
    ] {
        if !value.is_empty() {
            lines.push(format!("  {head}: {value}"));
        }
    }
    lines.push("  IP addresses:".to_owned());
    for address in network["addresses"].as_array().into_iter().flatten() {
        lines.push(address_line(address.as_object()));
    }
    lines
}

fn address_line(address: Option<&Map<String, Value>>) -> String {
    let word = |key: &str| address.and_then(|address| address.get(key)?.as_str()).unwrap_or_default();
    let space = if word("family") == "inet" { "  " } else { " " };
    format!("    {}:{space}{}/{} ({})", word("family"), word("address"), word("netmask"), word("scope"))
}
