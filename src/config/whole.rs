//! The rules between the values of a file, each of which is right for itself.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::clouds::path_in_cloud;
use super::file::{Cloud, File};
use super::places::{Step, written};
use super::tailnet::file::Tailnet;
use super::yaml::Document;
use super::{CloudKind, Problem, keys};

/// A socket's address in the kernel has room for this much and a zero.
const SOCKET_PATH: usize = 107;

/// The length that a socket's path grows by while the socket is made.
const SOCKET_SUFFIX: usize = ".1234567".len();

/// The problems between the values of a file.
pub(super) fn problems(name: &str, document: &Document, file: &File) -> Vec<Problem> {
    let mut found = Found { name, document, problems: Vec::new() };
    let mut names = HashMap::new();
    for (index, cloud) in file.clouds.iter().enumerate() {
        if let Some(first) = names.insert(cloud.name.as_str(), index) {
            found.add(
                &path_in_cloud(index, "name"),
                format!("clouds[{first}] has the name {:?} too", cloud.name),
            );
        }
        one_cloud(&mut found, index, cloud);
    }
    if let Some(tailnet) = &file.tailnet {
        page(&mut found, tailnet);
    }
    same_twice(&mut found, file);
    found.problems
}

fn one_cloud(found: &mut Found<'_>, index: usize, cloud: &Cloud) {
    let trust = &cloud.trust;
    if trust.fingerprint.is_some() && trust.certificate.is_some() {
        found.add(
            &path_in_cloud(index, "trust.certificate"),
            "fingerprint and certificate say the same thing twice: leave one out".to_owned(),
        );
    }
    if let Some(token) = &trust.token {
        let path = path_in_cloud(index, "trust.token");
        match (token.strip_prefix("file:"), token.parse::<lxd_client::TrustToken>()) {
            (Some(""), _) => found.add(&path, "file: names no file".to_owned()),
            (Some(_), _) => {}
            (None, Err(e)) => found.add(&path, e.to_string()),
            (None, Ok(token)) => {
                if trust.fingerprint.is_some_and(|f| f != token.fingerprint()) {
                    let message =
                        format!("the token is for a server with the fingerprint {}", token.fingerprint());
                    found.add(&path_in_cloud(index, "trust.fingerprint"), message);
                }
            }
        }
    }
    if cloud.kind == CloudKind::Tcp {
        let given = [
            ("trust", trust.fingerprint.is_some() || trust.certificate.is_some() || trust.token.is_some()),
            ("project", cloud.project.is_some()),
        ];
        for (key, _) in given.into_iter().filter(|(_, given)| *given) {
            found.add_with(
                &path_in_cloud(index, key),
                format!("a cloud of kind tcp has no {key}: it is only forwarded"),
                format!("leave {key} out, or give kind: lxd"),
            );
        }
    }
    if let Some(unix) = &cloud.proxy.unix
        && unix.as_os_str().len() > SOCKET_PATH - SOCKET_SUFFIX
    {
        found.add(&path_in_cloud(index, "proxy.unix"), "the path is too long for a socket".to_owned());
    }
    for (key, given) in [("mode", cloud.proxy.mode.is_some()), ("group", cloud.proxy.group.is_some())] {
        if given && cloud.proxy.unix.is_none() {
            found.add_with(
                &path_in_cloud(index, &format!("proxy.{key}")),
                format!("{key} is for a socket, and there is none"),
                format!("give unix: PATH beside it, or leave {key} out"),
            );
        }
    }
    if cloud.project.as_ref().is_some_and(String::is_empty) {
        found.add(&path_in_cloud(index, "project"), "the project's name is empty".to_owned());
    }
}

/// The page has to be somewhere.
fn page(found: &mut Found<'_>, tailnet: &Tailnet) {
    let at = |key: &str| vec![Step::from("tailnet"), key.into()];
    let ports = [tailnet.listen, tailnet.tls];
    if ports.iter().all(Option::is_none) {
        match (&tailnet.service, &tailnet.development) {
            (Some(service), _) => found.add_with(
                &at("service"),
                format!("{service} has no port"),
                "give listen: 80 or tls: 443 beside it, or leave service out".to_owned(),
            ),
            (None, Some(_)) => {}
            (None, None) => found.add(&[Step::from("tailnet")], "it says no port to listen at".to_owned()),
        }
    }
    if let [Some(listen), Some(tls)] = ports
        && listen == tls
    {
        found.add(&at("tls"), format!("tailnet.listen has the port {listen} too"));
    }
    for (index, access) in tailnet.access.iter().enumerate() {
        if access.who.is_empty() {
            let path: Vec<Step> = ["tailnet".into(), "access".into(), index.into(), "who".into()].into();
            found.add(&path, "the list has nobody in it".to_owned());
        }
    }
}

/// Two things cannot listen at the same place; SOCKS5 and the HTTP proxy can, as they differ in their first byte.
fn same_twice(found: &mut Found<'_>, file: &File) {
    let local = |key: &str| vec![Step::from("local"), key.into()];
    let mut addresses: HashMap<SocketAddr, &str> = HashMap::new();
    let listen = file.local.listen.flatten();
    for (key, address) in
        [("listen", listen), ("socks5", file.local.socks5), ("http_proxy", file.local.http_proxy)]
    {
        let Some(address) = address.filter(|a| a.port() != 0) else { continue };
        match addresses.insert(address, key) {
            Some("socks5") if key == "http_proxy" => {}
            Some(other) => found.add(&local(key), format!("local.{other} listens on {address} too")),
            None => {}
        }
    }
    let development = file.tailnet.as_ref().and_then(|tailnet| tailnet.development.as_ref());
    if let Some(address) = development.map(|development| development.listen).filter(|a| a.port() != 0)
        && let Some(other) = addresses.insert(address, "development")
    {
        let path = ["tailnet", "development", "listen"].map(Step::from);
        found.add(&path, format!("local.{other} listens on {address} too"));
    }
    let mut sockets = HashMap::new();
    for (index, cloud) in file.clouds.iter().enumerate() {
        if let Some(address) = cloud.proxy.listen.filter(|a| a.port() != 0)
            && addresses.insert(address, "a cloud").is_some()
        {
            found.add(
                &path_in_cloud(index, "proxy.listen"),
                format!("something else listens on {address} too"),
            );
        }
        if let Some(unix) = &cloud.proxy.unix
            && let Some(first) = sockets.insert(unix, index)
        {
            found.add(&path_in_cloud(index, "proxy.unix"), format!("clouds[{first}] has this socket too"));
        }
    }
}

struct Found<'a> {
    name: &'a str,
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn add(&mut self, path: &[Step], message: String) {
        let remedy = keys::remedy_of(&written(path)).to_owned();
        self.add_with(path, message, remedy);
    }

    fn add_with(&mut self, path: &[Step], message: String, remedy: String) {
        let place = self.document.place_of(path).map(|p| (p.line, p.column));
        let (file, path) = (self.name.to_owned(), written(path));
        self.problems.push(Problem { file, place, path, message, remedy });
    }
}
