//! Warnings of values that are allowed, and probably not meant.

use super::{Config, KeySource, Names, Tailnet, lasting};

/// The warnings of a configuration, a line each.
pub(super) fn of(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let clouds = config.clouds.iter().map(|c| (format!("proxy.listen of {}", c.name), c.proxy_listen));
    let local = [
        ("local.listen", config.listen),
        ("local.socks5", config.socks5),
        ("local.http_proxy", config.http_proxy),
    ];
    let local = local.into_iter().map(|(name, address)| (name.to_owned(), address));
    for (name, address) in local.chain(clouds) {
        if let Some(address) = address.filter(|a| !a.ip().is_loopback()) {
            warnings.push(format!("{name} is {address}: other machines can reach it, without any identity"));
        }
    }
    // An ephemeral node comes anew each time anyway.
    if let Some(why) = lasting::trouble(&config.state_dir)
        && !config.ephemeral
        && config.key != KeySource::None
    {
        warnings.push(format!(
            "the state in {} will not last: {why}; then the node comes back as a new one, and needs a key that can be \
             used again: put state_dir on a volume, or give ephemeral: true",
            config.state_dir.display()
        ));
    }
    warnings.extend(config.tailnet.iter().flat_map(|tailnet| of_page(config, tailnet)));
    for cloud in config.clouds.iter().filter(|cloud| cloud.proxy_unix.is_some()) {
        if cloud.proxy_mode & 0o006 != 0 {
            warnings.push(format!(
                "proxy.mode of {} is {:04o}: everybody on this machine can act there as this node",
                cloud.name, cloud.proxy_mode
            ));
        }
    }
    warnings
}

/// Those of the page in the tailnet.
fn of_page(config: &Config, tailnet: &Tailnet) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(development) = &tailnet.development {
        warnings.push(format!(
            "tailnet.development: whoever reaches {} acts as {}, without any identity",
            development.listen, development.user
        ));
    }
    if let Some(service) = &tailnet.service
        && config.tags.is_empty()
    {
        warnings.push(format!(
            "tailnet.service is {service}, which a node with tags alone may offer: give tags, unless the auth key has them"
        ));
    }
    for (index, rule) in tailnet.access.iter().enumerate() {
        let Names::Only(named) = &rule.grant.clouds else { continue };
        for name in named.iter().filter(|name| config.clouds.iter().all(|cloud| cloud.name != **name)) {
            warnings.push(format!("tailnet.access[{index}].clouds: no cloud is named {name}"));
        }
    }
    warnings
}
