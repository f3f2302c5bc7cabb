//! What Kubernetes sets in every container for each service of the namespace ("service links"): names that begin like the
//! service, so that a service `ts-local-addr` sets TS_LOCAL_ADDR_PORT, and `kolaboree-control` KOLABOREE_CONTROL_PORT.

use std::collections::HashMap;

/// The variables without those of service links.
pub(super) fn without_service_links<V>(
    variables: HashMap<String, V>,
    value: impl Fn(&V) -> &str,
) -> HashMap<String, V> {
    let links: Vec<String> = variables
        .iter()
        .filter(|(name, v)| is_service_link(name, value(v), |other| variables.contains_key(other)))
        .map(|(name, _)| name.clone())
        .collect();
    let mut variables = variables;
    for name in links {
        variables.remove(&name);
    }
    variables
}

/// Whether a variable is one of a service, all of which come together with the service's own host.
fn is_service_link(name: &str, value: &str, is_set: impl Fn(&str) -> bool) -> bool {
    let service_of = |suffix: &str| name.split(suffix).next().unwrap_or(name).to_owned();
    if name.ends_with("_SERVICE_HOST") {
        return true;
    }
    // NAME_SERVICE_PORT, NAME_SERVICE_PORT_HTTPS.
    if name.contains("_SERVICE_PORT") && value.parse::<u16>().is_ok() {
        return is_set(&format!("{}_SERVICE_HOST", service_of("_SERVICE_PORT")));
    }
    // NAME_PORT=tcp://10.0.0.1:443, NAME_PORT_443_TCP and what follows.
    let url = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    if let Some(service) = name.strip_suffix("_PORT")
        && url
    {
        return is_set(&format!("{service}_SERVICE_HOST"));
    }
    let mut places = name.match_indices("_PORT_");
    places.any(|(at, found)| {
        let mut parts = name[at + found.len()..].split('_');
        let port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        let protocol = parts.next().is_some_and(|p| matches!(p, "TCP" | "UDP" | "SCTP"));
        let part = parts.next().is_none_or(|p| matches!(p, "PROTO" | "PORT" | "ADDR"));
        port && protocol && part && is_set(&format!("{}_SERVICE_HOST", &name[..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variables of a service of that name with one port.
    fn links(service: &str) -> Vec<(String, String)> {
        [
            ("SERVICE_HOST", "10.0.0.11"),
            ("SERVICE_PORT", "6379"),
            ("SERVICE_PORT_HTTPS", "6379"),
            ("PORT", "tcp://10.0.0.11:6379"),
            ("PORT_6379_TCP", "tcp://10.0.0.11:6379"),
            ("PORT_6379_TCP_PROTO", "tcp"),
            ("PORT_6379_TCP_PORT", "6379"),
            ("PORT_6379_TCP_ADDR", "10.0.0.11"),
        ]
        .map(|(name, value)| (format!("{service}_{name}"), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_is_passed_over_and_nothing_else() {
        let mut variables: HashMap<String, String> = HashMap::new();
        for service in
            ["KOLABOREE_CONTROL", "KOLABOREE_CONFIG", "KOLABOREE", "TS", "TS_LOCAL_ADDR", "A_PORT_1"]
        {
            variables.extend(links(service));
        }
        let ours = [
            ("TS_DEBUG_ADDR_PORT", "127.0.0.1:1"),
            ("TS_HEALTHCHECK_ADDR_PORT", "tcp://10.0.0.1:1"), // no such service: it is a mistake, to be told
            ("KOLABOREE_CONFIG", "/x"),
            ("KOLABOREE_CONTROL_URL", "https://control.example"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        variables.extend(ours.clone());
        let left = without_service_links(variables, String::as_str);
        assert_eq!(left, ours.into_iter().collect());
    }
}
