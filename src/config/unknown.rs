//! Names that are not known, and which known one was probably meant.

/// Message and remedy for an unknown key, from the keys that are known in its place.
pub(super) fn unknown_key(key: &str, known: &[String]) -> (String, String) {
    let nearest = nearest(key, known.iter().map(String::as_str));
    let remedy = match nearest {
        Some(nearest) => format!("write {nearest}, if that was meant"),
        None => format!("known here are {}", known.join(", ")),
    };
    (format!("the key {key} is not known"), remedy)
}

/// The name that is nearest to another one, if one is near at all.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    let likeness = |other: &str| strsim::jaro_winkler(&plain(name), &plain(other));
    known
        .map(|other| (likeness(other), other))
        .filter(|(l, _)| *l > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_nothing_where_none_is_near() {
        let known = ["hostname", "state_dir", "control_url", "clouds"];
        for (given, expected) in [
            ("hostnme", Some("hostname")),
            ("stateDir", Some("state_dir")),
            ("state-dir", Some("state_dir")),
            ("cloud", Some("clouds")),
            ("xyzzy", None),
        ] {
            assert_eq!(nearest(given, known.into_iter()), expected, "{given}");
        }
    }
}
