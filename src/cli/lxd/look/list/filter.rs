//! The filters of `lxd list`, as `lxc list` has them.

use std::net::IpAddr;

use regex::{Regex, RegexBuilder};

use crate::inventory::InstanceRow;

type Value = fn(&InstanceRow) -> &str;

/// The keys of [`Filter::Field`] and what each stands for.
const FIELDS: [(&str, Value); 10] = [
    ("architecture", |row| &row.architecture),
    ("cloud", |row| &row.key.cloud),
    ("description", |row| &row.description),
    ("ephemeral", |row| if row.ephemeral { "true" } else { "false" }),
    ("location", |row| &row.location),
    ("name", |row| &row.key.name),
    ("project", |row| &row.key.project),
    ("stateful", |row| if row.stateful { "true" } else { "false" }),
    ("status", |row| &row.status),
    ("type", |row| &row.kind),
];

/// One condition for an instance.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    /// `web`: the name begins so, or is matched by the expression as a whole; with `^` or `$`, in part.
    Name { text: String, pattern: Option<Regex> },
    /// `status=running`, or several values with commas between them, without regard to case.
    Field { key: &'static str, value: Value, any_of: Vec<(String, Option<Regex>)> },
    /// `ipv4=10.1.2.0/24`, or an address.
    Address { key: String, any_of: Vec<String> },
    /// `user.role=web`, where each part of the key may be shortened, and the value is an expression.
    Config { key: String, value: String, pattern: Option<Regex> },
}

impl Filter {
    /// Each text is a filter: what is no `KEY=VALUE` is about names.
    pub(super) fn parse(text: &str) -> Filter {
        let Some((key, value)) = text.split_once('=') else {
            return Filter::Name { text: text.to_owned(), pattern: whole(text, false) };
        };
        let lower = key.to_lowercase();
        if let Some(&(key, field)) = FIELDS.iter().find(|(name, _)| *name == lower) {
            let any_of = value.split(',').map(|value| (value.to_owned(), whole(value, true))).collect();
            return Filter::Field { key, value: field, any_of };
        }
        if lower == "ipv4" || lower == "ipv6" {
            return Filter::Address { key: lower, any_of: value.split(',').map(str::to_owned).collect() };
        }
        Filter::Config { key: key.to_owned(), value: value.to_owned(), pattern: whole(value, false) }
    }

    pub(super) fn fits(&self, row: &InstanceRow) -> bool {
        match self {
            Filter::Name { text, pattern } => {
                row.key.name.starts_with(text) || matches(pattern.as_ref(), &row.key.name)
            }
            Filter::Field { value, any_of, .. } => any_of.iter().any(|(text, pattern)| {
                value(row).eq_ignore_ascii_case(text) || matches(pattern.as_ref(), value(row))
            }),
            Filter::Address { key, any_of } => {
                let state = row.state.iter().flat_map(|state| &state.addresses);
                let parsed = state.filter_map(|address| address.address.parse::<IpAddr>().ok());
                let mut mine = parsed.filter(|address| address.is_ipv4() == (key == "ipv4"));
                mine.any(|address| any_of.iter().any(|wanted| within(address, wanted)))
            }
            Filter::Config { key, value, pattern } => {
                if row.config.get(key).map_or("", String::as_str) == value {
                    return true; // also where it is empty, and asked for as empty
                }
                let mut named = row.config.iter().filter(|(full, _)| shortens(key, full));
                named.any(|(_, found)| match pattern {
                    Some(pattern) => pattern.is_match(found),
                    None => found == value,
                })
            }
        }
    }

    /// The fields of a row that it looks at.
    pub(super) fn needs(&self) -> &str {
        match self {
            Filter::Name { .. } => "name",
            Filter::Field { key, .. } => key,
            Filter::Address { .. } => "state",
            Filter::Config { .. } => "config",
        }
    }

    /// Whether it may look at a setting that the server keeps for itself, which the inventory leaves out.
    pub(super) fn is_left_out(&self) -> bool {
        match self {
            Filter::Config { key, .. } => {
                key != "volatile.base_image"
                    && "volatile".starts_with(key.split('.').next().unwrap_or_default())
            }
            _ => false,
        }
    }
}

/// The expression for a whole text; one with an anchor of its own is taken as it is. None where it is no expression.
fn whole(text: &str, any_case: bool) -> Option<Regex> {
    let anchored = if text.contains(['^', '$']) { text.to_owned() } else { format!("^(?:{text})$") };
    RegexBuilder::new(&anchored).case_insensitive(any_case).build().ok()
}

fn matches(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_some_and(|pattern| pattern.is_match(text))
}

/// `u.role` is short for `user.role`.
fn shortens(short: &str, full: &str) -> bool {
    short.split('.').count() == full.split('.').count()
        && short.split('.').zip(full.split('.')).all(|(short, full)| full.starts_with(short))
}

/// Whether an address is this one, or in this network (`10.1.2.0/24`).
fn within(address: IpAddr, wanted: &str) -> bool {
    let Some((network, bits)) = wanted.split_once('/') else {
        return wanted.parse() == Ok(address);
    };
    match (address, network.parse(), bits.parse::<u32>()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network)), Ok(bits @ 0..=32)) => {
            let differ = u32::from(address) ^ u32::from(network);
            differ.checked_shr(32 - bits).unwrap_or_default() == 0
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network)), Ok(bits @ 0..=128)) => {
            let differ = u128::from(address) ^ u128::from(network);
            differ.checked_shr(128 - bits).unwrap_or_default() == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::row;
    use super::*;

    /// The names of those that fit all of these.
    fn fitting(filters: &[&str]) -> Vec<String> {
        let filters: Vec<Filter> = filters.iter().map(|text| Filter::parse(text)).collect();
        let mut rows = [row("berlin", "web1"), row("berlin", "web2"), row("paris", "db")];
        rows[0].config = Arc::new([("user.role".to_owned(), "front".to_owned())].into());
        rows[1].config = Arc::new([("user.role".to_owned(), "front-old".to_owned())].into());
        rows[1].status = "Stopped".to_owned();
        rows[2].kind = "virtual-machine".to_owned();
        let rows = rows.into_iter().filter(|row| filters.iter().all(|filter| filter.fits(row)));
        rows.map(|row| row.key.name).collect()
    }

    #[test]
    fn filters_are_those_of_lxc() {
        for (filters, names) in [
            (&[][..], &["web1", "web2", "db"][..]),
            (&["web"], &["web1", "web2"]),
            (&["WEB"], &[]),
            (&["1"], &[]),
            (&[".*1"], &["web1"]),
            (&["1$"], &["web1"]),
            (&["web1|db"], &["web1", "db"]),
            (&["["], &[]),
            (&["web", "2$"], &["web2"]),
            (&["status=running"], &["web1", "db"]),
            (&["STATUS=Running"], &["web1", "db"]),
            (&["status=run"], &[]),
            (&["status=stopped,frozen"], &["web2"]),
            (&["type=virtual-machine"], &["db"]),
            (&["name=web.*"], &["web1", "web2"]),
            (&["name=WEB1"], &["web1"]),
            (&["cloud=paris"], &["db"]),
            (&["user.role=front"], &["web1"]),
            (&["u.role=front"], &["web1"]),
            (&["u.r=front.*"], &["web1", "web2"]),
            (&["user.role=^front"], &["web1", "web2"]),
            (&["user.role=FRONT"], &[]),
            (&["user.role="], &["db"]),
            (&["user.none="], &["web1", "web2", "db"]),
            (&["user=front"], &[]),
            (&["status=running", "user.role=front"], &["web1"]),
            (&["ipv4=10.0.0.0/8"], &["web1", "web2", "db"]),
            (&["ipv4=10.1.2.3"], &["web1", "web2", "db"]),
            (&["ipv4=10.1.2.4/32"], &[]),
            (&["ipv4=0.0.0.0/0"], &["web1", "web2", "db"]),
            (&["ipv6=fd42::/16,10.1.2.3"], &["web1", "web2", "db"]),
            (&["ipv6=10.1.2.3"], &[]),
        ] {
            assert_eq!(fitting(filters), names, "{filters:?}");
        }
    }

    #[test]
    fn what_the_inventory_does_not_have_is_known() {
        for (text, volatile) in [
            ("volatile.eth0.hwaddr=00:16:3e:.*", true),
            ("v.last_state.power=RUNNING", true),
            ("volatile.base_image=x", false),
            ("user.role=volatile.x", false),
            ("web", false),
        ] {
            assert_eq!(Filter::parse(text).is_left_out(), volatile, "{text}");
        }
    }
}
