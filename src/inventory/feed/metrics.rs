//! The figures of all instances from one request: `/1.0/metrics`, in the text format of OpenMetrics.

use std::collections::HashMap;

use crate::inventory::row::InstanceUsage;

/// What the processor does in these modes is not for the instance.
const IDLE: [&str; 3] = ["idle", "iowait", "steal"];

/// The usage of each instance, by project and name.
pub(super) fn read(text: &str, now: u64) -> HashMap<(String, String), InstanceUsage> {
    let mut all: HashMap<(String, String), InstanceUsage> = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(Sample { name, labels, value }) = sample(line) else { continue };
        let label = |wanted: &str| labels.iter().find(|(key, _)| *key == wanted).map(|(_, value)| *value);
        let (Some(project), Some(instance)) = (label("project"), label("name")) else { continue };
        // lxd_ or incus_
        let Some((_, name)) = name.split_once('_') else { continue };
        let usage = all
            .entry((project.to_owned(), instance.to_owned()))
            .or_insert_with(|| InstanceUsage { at: now, ..InstanceUsage::default() });
        let bytes = value.max(0.0) as u64;
        match name {
            "cpu_seconds_total" if !label("mode").is_some_and(|mode| IDLE.contains(&mode)) => {
                usage.cpu_seconds += value;
            }
            // The memory in use is the difference, in whichever order they come.
            "memory_MemTotal_bytes" => usage.memory = usage.memory.wrapping_add(bytes),
            "memory_MemFree_bytes" => usage.memory = usage.memory.wrapping_sub(bytes),
            // A root disk without a device is a folder of the server's own disk, which says nothing of the instance.
            "filesystem_size_bytes" if is_root(&label) => usage.disk = usage.disk.wrapping_add(bytes),
            "filesystem_free_bytes" if is_root(&label) => usage.disk = usage.disk.wrapping_sub(bytes),
            "network_receive_bytes_total" if label("device") != Some("lo") => usage.received += bytes,
            "network_transmit_bytes_total" if label("device") != Some("lo") => usage.sent += bytes,
            "procs_total" => usage.processes = value as i64,
            _ => {}
        }
    }
    for usage in all.values_mut() {
        // One of the two was missing.
        for difference in [&mut usage.memory, &mut usage.disk] {
            *difference = if *difference > u64::MAX / 2 { 0 } else { *difference };
        }
    }
    all
}

fn is_root<'a>(label: &impl Fn(&str) -> Option<&'a str>) -> bool {
    label("mountpoint") == Some("/") && label("device").is_some_and(|device| !device.is_empty())
}

/// A line: `name{key="value",...} value`.
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: f64,
}

/// Reads a line. Names of instances, projects and interfaces have no characters that would be escaped in a label.
fn sample(line: &str) -> Option<Sample<'_>> {
    let (name, rest) = line.split_once('{')?;
    let (labels, value) = rest.rsplit_once('}')?;
    let labels = labels.split("\",").filter_map(|label| label.split_once("=\""));
    let labels = labels.map(|(key, value)| (key, value.strip_suffix('"').unwrap_or(value))).collect();
    let value = value.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name, labels, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP lxd_cpu_seconds_total The total number of CPU time used in seconds.
lxd_cpu_seconds_total{cpu="0",mode="system",name="c1",project="default",type="container"} 0.5
lxd_cpu_seconds_total{cpu="1",mode="user",name="c1",project="default",type="container"} 1.25
lxd_cpu_seconds_total{cpu="1",mode="idle",name="c1",project="default",type="container"} 900
lxd_filesystem_free_bytes{device="",fstype="ext4",mountpoint="/",name="c1",project="default"} 2e+11
lxd_filesystem_size_bytes{device="",fstype="ext4",mountpoint="/",name="c1",project="default"} 3e+11
lxd_memory_MemFree_bytes{name="c1",project="default",type="container"} 2.4683702784e+10
lxd_memory_MemTotal_bytes{name="c1",project="default",type="container"} 2.4684096e+10
lxd_network_receive_bytes_total{device="eth0",name="c1",project="default",type="container"} 7
lxd_network_receive_bytes_total{device="lo",name="c1",project="default",type="container"} 100
lxd_procs_total{name="c1",project="default",type="container"} 2
incus_filesystem_free_bytes{device="/dev/zfs",mountpoint="/",name="a",project="p"} 10
incus_filesystem_size_bytes{device="/dev/zfs",mountpoint="/",name="a",project="p"} 30
incus_memory_MemFree_bytes{name="a",project="p"} 5
lxd_warnings_total 4
lxd_go_goroutines 99
nonsense{
"#;

    #[test]
    fn the_figures_of_each_instance_are_added_up() {
        let all = read(TEXT, 9);
        let of = |project: &str, name: &str| all[&(project.to_owned(), name.to_owned())].clone();
        let c1 = InstanceUsage {
            at: 9,
            processes: 2,
            cpu_seconds: 1.75,
            memory: 393_216,
            received: 7,
            ..InstanceUsage::default()
        };
        assert_eq!(of("default", "c1"), c1);
        assert_eq!((of("p", "a").disk, of("p", "a").memory), (20, 0));
        assert_eq!(all.len(), 2);
    }
}
