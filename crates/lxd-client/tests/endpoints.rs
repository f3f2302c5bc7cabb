//! The table of endpoints in the documentation is complete. That its methods exist, rustdoc checks.

/// The paths of LXD 5.0.2 with their methods, as its swagger annotations have them.
const LXD_5_0_2: [(&str, &str); 75] = [
    ("/", "GET"),
    ("/1.0", "GET PUT PATCH"),
    ("/1.0/resources", "GET"),
    ("/1.0/metrics", "GET"),
    ("/1.0/certificates", "GET POST"),
    ("/1.0/certificates/{fingerprint}", "GET PUT PATCH DELETE"),
    ("/1.0/instances", "GET POST PUT"),
    ("/1.0/instances/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/instances/{name}/state", "GET PUT"),
    ("/1.0/instances/{name}/exec", "POST"),
    ("/1.0/instances/{name}/console", "GET POST DELETE"),
    ("/1.0/instances/{name}/files", "GET HEAD POST DELETE"),
    ("/1.0/instances/{name}/sftp", "GET"),
    ("/1.0/instances/{name}/snapshots", "GET POST"),
    ("/1.0/instances/{name}/snapshots/{snapshot}", "GET POST PUT PATCH DELETE"),
    ("/1.0/instances/{name}/backups", "GET POST"),
    ("/1.0/instances/{name}/backups/{backup}", "GET POST DELETE"),
    ("/1.0/instances/{name}/backups/{backup}/export", "GET"),
    ("/1.0/instances/{name}/metadata", "GET PUT PATCH"),
    ("/1.0/instances/{name}/metadata/templates", "GET POST DELETE"),
    ("/1.0/instances/{name}/logs", "GET"),
    ("/1.0/instances/{name}/logs/{file}", "GET DELETE"),
    ("/1.0/images", "GET POST"),
    ("/1.0/images/{fingerprint}", "GET PUT PATCH DELETE"),
    ("/1.0/images/{fingerprint}/export", "GET POST"),
    ("/1.0/images/{fingerprint}/refresh", "POST"),
    ("/1.0/images/{fingerprint}/secret", "POST"),
    ("/1.0/images/aliases", "GET POST"),
    ("/1.0/images/aliases/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/networks", "GET POST"),
    ("/1.0/networks/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/networks/{name}/leases", "GET"),
    ("/1.0/networks/{name}/state", "GET"),
    ("/1.0/networks/{name}/forwards", "GET POST"),
    ("/1.0/networks/{name}/forwards/{address}", "GET PUT PATCH DELETE"),
    ("/1.0/networks/{name}/peers", "GET POST"),
    ("/1.0/networks/{name}/peers/{peer}", "GET PUT PATCH DELETE"),
    ("/1.0/network-acls", "GET POST"),
    ("/1.0/network-acls/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/network-acls/{name}/log", "GET"),
    ("/1.0/network-zones", "GET POST"),
    ("/1.0/network-zones/{zone}", "GET PUT PATCH DELETE"),
    ("/1.0/network-zones/{zone}/records", "GET POST"),
    ("/1.0/network-zones/{zone}/records/{record}", "GET PUT PATCH DELETE"),
    ("/1.0/profiles", "GET POST"),
    ("/1.0/profiles/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/projects", "GET POST"),
    ("/1.0/projects/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/projects/{name}/state", "GET"),
    ("/1.0/storage-pools", "GET POST"),
    ("/1.0/storage-pools/{pool}", "GET PUT PATCH DELETE"),
    ("/1.0/storage-pools/{pool}/resources", "GET"),
    ("/1.0/storage-pools/{pool}/volumes", "GET POST"),
    ("/1.0/storage-pools/{pool}/volumes/{type}", "GET POST"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}", "GET POST PUT PATCH DELETE"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}/state", "GET"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots", "GET POST"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots/{snapshot}", "GET POST PUT PATCH DELETE"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups", "GET POST"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups/{backup}", "GET POST DELETE"),
    ("/1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups/{backup}/export", "GET"),
    ("/1.0/operations", "GET"),
    ("/1.0/operations/{id}", "GET DELETE"),
    ("/1.0/operations/{id}/wait", "GET"),
    ("/1.0/operations/{id}/websocket", "GET"),
    ("/1.0/events", "GET"),
    ("/1.0/warnings", "GET"),
    ("/1.0/warnings/{id}", "GET PUT PATCH DELETE"),
    ("/1.0/cluster", "GET PUT"),
    ("/1.0/cluster/certificate", "PUT"),
    ("/1.0/cluster/members", "GET POST"),
    ("/1.0/cluster/members/{name}", "GET POST PUT PATCH DELETE"),
    ("/1.0/cluster/members/{name}/state", "POST"),
    ("/1.0/cluster/groups", "GET POST"),
    ("/1.0/cluster/groups/{name}", "GET POST PUT PATCH DELETE"),
];

#[test]
fn the_table_has_every_endpoint_once_and_no_other() {
    let table = include_str!("../src/endpoints.md");
    let row = |line: &'static str| line.strip_prefix("| `")?.split_once("` | ");
    let rows: Vec<(&str, &str)> = table.lines().filter_map(row).collect();
    let mut expected: Vec<String> = LXD_5_0_2
        .iter()
        .flat_map(|(path, methods)| methods.split(' ').map(move |method| format!("{method} {path}")))
        .collect();
    assert_eq!(expected.len(), 185);
    let mut found: Vec<String> = rows.iter().map(|(endpoint, _)| (*endpoint).to_owned()).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    for (endpoint, methods) in rows {
        assert!(methods.contains("::") && !methods.contains("raw"), "{endpoint} has no method");
    }
}
