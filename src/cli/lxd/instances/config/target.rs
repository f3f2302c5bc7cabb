//! Whose settings a command means.

use lxd_client::Client;

use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;

/// The cloud and what of it is meant.
pub(super) struct Target<'a> {
    pub(super) cloud: &'a str,
    pub(super) client: Client,
    pub(super) what: What<'a>,
}

/// Whose settings are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    Server,
    Instance(&'a str),
    Snapshot(&'a str, &'a str),
}

impl<'a> Target<'a> {
    /// That of `berlin:`, `berlin:c1` or `berlin:c1/snap0`. The member of a cluster is for the server itself.
    pub(super) async fn of(
        fleet: &'a Fleet,
        text: &'a str,
        member: Option<&str>,
    ) -> anyhow::Result<Target<'a>> {
        let (cloud, name) = match fleet.place(text)? {
            (cloud, "") => (cloud, ""),
            _ => fleet.target(text)?,
        };
        let what = match name.split_once('/') {
            _ if name.is_empty() => What::Server,
            None => What::Instance(name),
            Some((instance, snapshot)) => What::Snapshot(instance, snapshot),
        };
        let client = fleet.client(cloud).await?;
        let client = match member {
            None => client,
            Some(member) if what == What::Server => client.target(member),
            Some(_) => return Err(usage("--target cannot be used with instances")),
        };
        Ok(Target { cloud: &cloud.name, client, what })
    }
}

/// An instance, with the client of its cloud.
pub(super) async fn instance<'a>(fleet: &'a Fleet, text: &'a str) -> anyhow::Result<(Client, &'a str)> {
    let (cloud, name) = fleet.target(text)?;
    Ok((fleet.client(cloud).await?, name))
}

/// What is meant, and the settings for it: where it is left out, the server of the single cloud is meant, as with `lxc`.
pub(super) fn split(words: &[String]) -> (&str, &[String]) {
    match words {
        [] => ("", words),
        all if all.iter().all(|word| word.contains('=')) => ("", words),
        [key, value] if ![key, value].iter().any(|word| word.contains('=')) && !key.contains(':') => {
            ("", words)
        }
        [target, rest @ ..] => (target, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_told_from_the_settings_as_lxc_does_it() {
        for (words, target, rest) in [
            (&["core.a=1", "b=2"][..], "", 2),
            (&["core.a", "[::]:8443"], "", 2),
            (&["c1", "a=1"], "c1", 1),
            (&["c1", "a", "b"], "c1", 2),
            (&["berlin:", "a", "b"], "berlin:", 2),
            (&["berlin:", "a"], "berlin:", 1),
            (&["berlin:c1", "a=b:c", "d=e"], "berlin:c1", 2),
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let (found, settings) = split(&words);
            assert_eq!((found, settings.len()), (target, rest), "{words:?}");
        }
    }
}
