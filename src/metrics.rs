//! The node's metrics in the text format of Prometheus, followed by Tailscale's own.

use std::fmt::Write;
use std::time::SystemTime;

use http::Method;
use tailnet::BackendState;

use crate::control::protocol::Health;
use crate::node::Node;
use crate::version::VERSION;

/// All metrics as text.
pub(crate) async fn text(node: &Node) -> String {
    let mut metrics = TextEncoder::default();
    of_node(&mut metrics, node);
    metrics.metric("kolaboree_tasks", "gauge", "Tasks of the asynchronous runtime.");
    metrics.value(&[], tokio::runtime::Handle::current().metrics().num_alive_tasks());
    // Thousands of descriptors take milliseconds to count.
    of_process(&mut metrics, tokio::task::spawn_blocking(Used::read).await.unwrap_or_default());
    of_clouds(&mut metrics, node).await;
    metrics.metric("kolaboree_requests_total", "counter", "Requests and connections on this machine.");
    for ((target, outcome), count) in node.requests().all() {
        metrics.value(&[("to", &target), ("outcome", outcome)], count);
    }
    let tailscale = node.tailnet().local_api(Method::GET, "/localapi/v0/usermetrics", "").await;
    metrics.text + &tailscale.unwrap_or_default()
}

fn of_node(metrics: &mut TextEncoder, node: &Node) {
    metrics.metric("kolaboree_info", "gauge", "The version of the program.");
    metrics.value(&[("version", VERSION)], 1);
    metrics.metric("kolaboree_uptime_seconds", "gauge", "Seconds since the start.");
    metrics.value(&[], node.uptime().as_secs_f64());
    let running = node.state().is_some_and(|state| state.backend == BackendState::Running);
    metrics.metric("kolaboree_node_joined", "gauge", "Whether the node is in its tailnet.");
    metrics.value(&[], u8::from(running));
    metrics.metric("kolaboree_ready", "gauge", "Whether it is, and every required cloud is reachable.");
    metrics.value(&[], u8::from(node.not_ready().is_empty()));
    if let Some(expiry) = node.key_expiry() {
        let left = match expiry.duration_since(SystemTime::now()) {
            Ok(left) => left.as_secs_f64(),
            Err(past) => -past.duration().as_secs_f64(),
        };
        metrics.metric("kolaboree_key_expiry_seconds", "gauge", "Seconds until the node's key expires.");
        metrics.value(&[], left);
    }
    let counters = node.tailnet().counters();
    metrics.metric("kolaboree_dials_total", "counter", "Streams to other nodes that were tried.");
    metrics.value(&[], counters.dials);
    metrics.metric("kolaboree_dial_failures_total", "counter", "Those that did not come about.");
    metrics.value(&[], counters.dial_failures);
    metrics.metric("kolaboree_streams_open", "gauge", "Streams that are open.");
    metrics.value(&[], counters.open_streams);
    metrics.metric("kolaboree_stream_bytes_total", "counter", "Bytes of the streams.");
    metrics.value(&[("direction", "sent")], counters.bytes_sent);
    metrics.value(&[("direction", "received")], counters.bytes_received);
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

/// The process's metrics, named as Prometheus' own libraries name them.
fn of_process(metrics: &mut TextEncoder, used: Used) {
    if let Some(kib) = used.resident_kib {
        metrics.metric("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.");
        metrics.value(&[], kib << 10);
    }
    if let Some(threads) = used.threads {
        metrics.metric("process_threads", "gauge", "Threads of the process.");
        metrics.value(&[], threads);
    }
    if let Some(descriptors) = used.descriptors {
        metrics.metric("process_open_fds", "gauge", "Descriptors that are open.");
        metrics.value(&[], descriptors);
    }
}

async fn of_clouds(metrics: &mut TextEncoder, node: &Node) {
    let clouds: Vec<_> = node.clouds().into_iter().map(|c| (c.report(), c.probes())).collect();
    metrics.metric("kolaboree_cloud_up", "gauge", "Whether the newest look found the cloud reachable.");
    for (cloud, _) in &clouds {
        let required = if cloud.required { "true" } else { "false" };
        let labels = [("cloud", cloud.name.as_str()), ("required", required)];
        metrics.value(&labels, u8::from(cloud.health.reachable == Some(true)));
    }
    metrics.metric("kolaboree_cloud_trusted", "gauge", "Whether the cloud trusts this node.");
    for (cloud, _) in &clouds {
        if let Some(trusted) = cloud.health.trusted {
            metrics.value(&[("cloud", &cloud.name)], u8::from(trusted));
        }
    }
    metrics.metric("kolaboree_cloud_path", "gauge", "How packets to the cloud travel.");
    for (cloud, _) in &clouds {
        metrics.value(&[("cloud", &cloud.name), ("path", cloud.health.path.kind())], 1);
    }
    metrics.metric(
        "kolaboree_cloud_latency_seconds",
        "gauge",
        "How long each layer took in the newest look.",
    );
    for (cloud, _) in &clouds {
        let Health { tcp_ms, tls_ms, api_ms, .. } = cloud.health;
        for (layer, ms) in [("tcp", tcp_ms), ("tls", tls_ms), ("api", api_ms)] {
            if let Some(ms) = ms {
                metrics.value(&[("cloud", &cloud.name), ("layer", layer)], ms / 1000.0);
            }
        }
    }
    metrics.metric("kolaboree_cloud_checks_total", "counter", "Looks at the cloud.");
    for (cloud, (probes, failures)) in &clouds {
        metrics.value(&[("cloud", &cloud.name), ("outcome", "reachable")], probes - failures);
        metrics.value(&[("cloud", &cloud.name), ("outcome", "unreachable")], *failures);
    }
    let Ok(status) = node.tailnet().status().await else { return };
    metrics.metric("kolaboree_cloud_peer_bytes_total", "counter", "Bytes to and from the cloud's node.");
    for (cloud, _) in &clouds {
        let peer = cloud.health.peer.as_deref().and_then(|name| status.peer_named(name));
        if let Some(peer) = peer {
            metrics.value(&[("cloud", &cloud.name), ("direction", "sent")], peer.tx_bytes);
            metrics.value(&[("cloud", &cloud.name), ("direction", "received")], peer.rx_bytes);
        }
    }
}

/// Encodes metrics in the text format of Prometheus.
#[derive(Default)]
struct TextEncoder {
    text: String,
    name: &'static str,
}

impl TextEncoder {
    /// Starts a metric, whose values follow.
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}"); // a String takes all
    }

    /// A value of the metric that was started last.
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
        let mut metrics = TextEncoder::default();
        metrics.metric("m_total", "counter", "Things.");
        metrics.value(&[], 1);
        metrics.value(&[("a", "x\"y\\z"), ("b", "c")], 2.5);
        assert_eq!(
            metrics.text,
            "# HELP m_total Things.\n# TYPE m_total counter\nm_total 1\nm_total{a=\"x\\\"y\\\\z\",b=\"c\"} 2.5\n"
        );
    }
}
