//! The node's figures in the text format of Prometheus, with those that Tailscale keeps behind them.

use std::fmt::Write;
use std::time::SystemTime;

use http::Method;
use tailnet::BackendState;

use crate::control::protocol::Health;
use crate::node::Node;

pub(super) async fn text(node: &Node) -> String {
    let mut page = Page::default();
    of_node(&mut page, node);
    page.metric("kolaboree_tasks", "gauge", "Tasks of the asynchronous runtime.");
    page.value(&[], tokio::runtime::Handle::current().metrics().num_alive_tasks());
    // Thousands of descriptors take milliseconds to count.
    of_process(&mut page, tokio::task::spawn_blocking(Used::read).await.unwrap_or_default());
    of_clouds(&mut page, node).await;
    page.metric("kolaboree_requests_total", "counter", "Requests and connections on this machine.");
    for ((what, outcome), count) in node.requests().all() {
        page.value(&[("to", &what), ("outcome", outcome)], count);
    }
    let tailscale = node.tailnet().local_api(Method::GET, "/localapi/v0/usermetrics", "").await;
    page.text + &tailscale.unwrap_or_default()
}

fn of_node(page: &mut Page, node: &Node) {
    page.metric("kolaboree_info", "gauge", "The version of the program.");
    page.value(&[("version", crate::VERSION)], 1);
    page.metric("kolaboree_uptime_seconds", "gauge", "Seconds since the start.");
    page.value(&[], node.uptime().as_secs_f64());
    let running = node.state().is_some_and(|state| state.backend == BackendState::Running);
    page.metric("kolaboree_node_joined", "gauge", "Whether the node is in its tailnet.");
    page.value(&[], u8::from(running));
    page.metric("kolaboree_ready", "gauge", "Whether it is, and every required cloud is reachable.");
    page.value(&[], u8::from(node.not_ready().is_empty()));
    if let Some(expiry) = node.key_expiry() {
        let left = match expiry.duration_since(SystemTime::now()) {
            Ok(left) => left.as_secs_f64(),
            Err(past) => -past.duration().as_secs_f64(),
        };
        page.metric("kolaboree_key_expiry_seconds", "gauge", "Seconds until the node's key expires.");
        page.value(&[], left);
    }
    let counters = node.tailnet().counters();
    page.metric("kolaboree_dials_total", "counter", "Streams to other nodes that were tried.");
    page.value(&[], counters.dials);
    page.metric("kolaboree_dial_failures_total", "counter", "Those that did not come about.");
    page.value(&[], counters.dial_failures);
    page.metric("kolaboree_streams_open", "gauge", "Streams that are open.");
    page.value(&[], counters.open_streams);
    page.metric("kolaboree_stream_bytes_total", "counter", "Bytes of the streams.");
    page.value(&[("direction", "sent")], counters.bytes_sent);
    page.value(&[("direction", "received")], counters.bytes_received);
}

/// What the process uses, as far as the system tells.
#[derive(Default)]
struct Used {
    resident_kib: Option<u64>,
    threads: Option<u64>,
    descriptors: Option<usize>,
}

impl Used {
    fn read() -> Used {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |key| {
            status.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
        };
        let descriptors = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
        Used { resident_kib: number("VmRSS:"), threads: number("Threads:"), descriptors }
    }
}

/// By the names that Prometheus' own libraries give it.
fn of_process(page: &mut Page, used: Used) {
    if let Some(kib) = used.resident_kib {
        page.metric("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.");
        page.value(&[], kib << 10);
    }
    if let Some(threads) = used.threads {
        page.metric("process_threads", "gauge", "Threads of the process.");
        page.value(&[], threads);
    }
    if let Some(descriptors) = used.descriptors {
        page.metric("process_open_fds", "gauge", "Descriptors that are open.");
        page.value(&[], descriptors);
    }
}

async fn of_clouds(page: &mut Page, node: &Node) {
    let clouds: Vec<_> = node.clouds().into_iter().map(|c| (c.report(), c.probes())).collect();
    page.metric("kolaboree_cloud_up", "gauge", "Whether the newest look found the cloud reachable.");
    for (cloud, _) in &clouds {
        let required = if cloud.required { "true" } else { "false" };
        let labels = [("cloud", cloud.name.as_str()), ("required", required)];
        page.value(&labels, u8::from(cloud.health.reachable == Some(true)));
    }
    page.metric("kolaboree_cloud_trusted", "gauge", "Whether the cloud trusts this node.");
    for (cloud, _) in &clouds {
        if let Some(trusted) = cloud.health.trusted {
            page.value(&[("cloud", &cloud.name)], u8::from(trusted));
        }
    }
    page.metric("kolaboree_cloud_path", "gauge", "How packets to the cloud travel.");
    for (cloud, _) in &clouds {
        page.value(&[("cloud", &cloud.name), ("path", cloud.health.path.kind())], 1);
    }
    page.metric("kolaboree_cloud_latency_seconds", "gauge", "How long each layer took in the newest look.");
    for (cloud, _) in &clouds {
        let Health { tcp_ms, tls_ms, api_ms, .. } = cloud.health;
        for (layer, ms) in [("tcp", tcp_ms), ("tls", tls_ms), ("api", api_ms)] {
            if let Some(ms) = ms {
                page.value(&[("cloud", &cloud.name), ("layer", layer)], ms / 1000.0);
            }
        }
    }
    page.metric("kolaboree_cloud_checks_total", "counter", "Looks at the cloud.");
    for (cloud, (probes, failures)) in &clouds {
        page.value(&[("cloud", &cloud.name), ("outcome", "reachable")], probes - failures);
        page.value(&[("cloud", &cloud.name), ("outcome", "unreachable")], *failures);
    }
    let Ok(status) = node.tailnet().status().await else { return };
    page.metric("kolaboree_cloud_peer_bytes_total", "counter", "Bytes to and from the cloud's node.");
    for (cloud, _) in &clouds {
        let peer = cloud.health.peer.as_deref().and_then(|name| status.peer_named(name));
        if let Some(peer) = peer {
            page.value(&[("cloud", &cloud.name), ("direction", "sent")], peer.tx_bytes);
            page.value(&[("cloud", &cloud.name), ("direction", "received")], peer.rx_bytes);
        }
    }
}

/// The text, as it grows.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// Begins a metric, whose values follow.
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}"); // a String takes all
    }

    fn value(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.text.push_str(self.name);
        for (index, (name, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{text}\"");
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{after} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_quoted() {
        let mut page = Page::default();
        page.metric("m_total", "counter", "Things.");
        page.value(&[], 1);
        page.value(&[("a", "x\"y\\z"), ("b", "c")], 2.5);
        assert_eq!(
            page.text,
            "# HELP m_total Things.\n# TYPE m_total counter\nm_total 1\nm_total{a=\"x\\\"y\\\\z\",b=\"c\"} 2.5\n"
        );
    }
}
