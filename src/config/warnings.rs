//! Warnings of values that are allowed, and probably not meant.

use super::{Config, KeySource, lasting};

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
