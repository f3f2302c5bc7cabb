//! YAML with places. With [`tree`] the only use of serde_yaml in this package. It is no longer maintained: serde_norway keeps a fork of
//! it, and a change to that touches this file alone.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::check;
use super::tree::{self, Own};

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// What is wrong with a text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) place: Option<Place>,
    /// The key, such as `clouds[0].address`; empty where it is the text as a whole.
    pub(crate) path: String,
    pub(crate) message: String,
    /// A key that is not known, and those that are known in its place.
    pub(crate) unknown: Option<(String, Vec<String>)>,
}

/// Reads a document. One that is empty counts as an empty map.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let document = tree::read(if empty { "{}" } else { text }).map_err(|error| {
        let mut fault = Fault::of(error);
        // serde_yaml's place is where the map begins.
        if fault.message.starts_with("duplicate entry") {
            fault.place = place_of_second_key(text).or(fault.place);
        }
        fault
    })?;
    T::deserialize(&document).map_err(|error| Fault::in_tree(text, error))
}

impl Fault {
    fn of(error: serde_yaml::Error) -> Fault {
        let place = error.location().map(|l| Place { line: l.line(), column: l.column() });
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text);
        // serde_yaml writes the path of the key before the message.
        let (path, message) = match text.split_once(": ") {
            Some((path, message)) if !path.contains([' ', '`', '"']) => (path, message),
            _ => ("", text),
        };
        Fault { place, path: path.to_owned(), message: message.to_owned(), unknown: None }
    }

    fn in_tree(text: &str, error: tree::Error) -> Fault {
        let tree::Error { message, mut path, at } = error;
        path.reverse();
        let path = check::written(&Own::borrowed(&path));
        let place = at.and_then(|(way, is_key)| match (is_key, Own::borrowed(&way).split_last()) {
            (true, Some((Step::Key(key), map))) => place_found(text, Walk { path: map, key: Some(key) }),
            (_, _) => place_found(text, Walk { path: &Own::borrowed(&way), key: None }),
        });
        // serde's words for this: unknown field `x`, expected one of `a`, `b`.
        let unknown = message.starts_with("unknown field `").then(|| {
            let mut names = message.split('`').skip(1).step_by(2).map(str::to_owned);
            (names.next().unwrap_or_default(), names.collect())
        });
        Fault { place, path, message, unknown }
    }
}

/// A step on the way to a value: a key of a map, or a number in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Where in the text the value at the end of the path is, which may have come by a merge.
pub(crate) fn place_of(text: &str, path: &[Step<'_>]) -> Option<Place> {
    place_found(text, Walk { path, key: None }).or_else(|| {
        let tree = text.contains("<<").then(|| tree::read(text).ok()).flatten()?;
        let way = Own::borrowed(&tree.at(path)?.way);
        place_found(text, Walk { path: &way, key: None })
    })
}

/// Where in the text a key is that its map has already.
fn place_of_second_key(text: &str) -> Option<Place> {
    place_found(text, AllOnce)
}

fn place_found<'de, W: DeserializeSeed<'de, Value = ()>>(text: &'de str, walk: W) -> Option<Place> {
    let error = walk.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    // The walk itself ends with an error, whose place is the value's; any other is none of its own.
    error
        .to_string()
        .contains(FOUND)
        .then(|| error.location())
        .flatten()
        .map(|l| Place { line: l.line(), column: l.column() })
}

const FOUND: &str = "the value that was looked for";

/// Follows a path, and fails where it ends: serde_yaml tells places with errors only.
#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [Step<'a>],
    /// The key that is looked for in the map at the end of the path; without one, what is there itself.
    key: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.is_empty() { FOUND } else { "more of the path" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else {
            if let Some(key) = self.key {
                let mut before = HashSet::from([key.to_owned()]);
                while map.next_key_seed(NewKey(&mut before))?.is_some() {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            return Err(A::Error::custom(FOUND));
        };
        while let Some(Scalar(key)) = map.next_key()? {
            if *step == Step::Key(&key) {
                map.next_value_seed(Walk { path: rest, ..self })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else { return Err(A::Error::custom(FOUND)) };
        for index in 0.. {
            let more = if *step == Step::Index(index) {
                list.next_element_seed(Walk { path: rest, ..self })?.is_some()
            } else {
                list.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// Goes through everything, and fails at the first key that its map has already.
#[derive(Clone, Copy)]
struct AllOnce;

impl<'de> DeserializeSeed<'de> for AllOnce {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AllOnce {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map, a list or a scalar")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while map.next_key_seed(NewKey(&mut keys))?.is_some() {
            map.next_value_seed(self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Takes a key that is not among those before it.
struct NewKey<'a>(&'a mut HashSet<String>);

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<(), E> {
        if self.0.insert(key.to_owned()) { Ok(()) } else { Err(E::custom(FOUND)) }
    }
}

/// A key of whatever kind, as text.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        let value = serde_yaml::Value::deserialize(deserializer)?;
        Ok(Scalar(match value {
            serde_yaml::Value::String(text) => text,
            other => format!("{other:?}"),
        }))
    }
}

/// The document as JSON, for printing.
pub(crate) fn to_text(value: &impl serde::Serialize) -> String {
    serde_yaml::to_string(value).unwrap_or_else(|e| format!("# {e}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_place() {
        let text = "a: 1\nb:\n  - {c: x, d: y}\n  - c: z\n    d: [1, 2]\n";
        let place = |path: &[Step<'_>]| place_of(text, path).map(|p| (p.line, p.column));
        assert_eq!(place(&[Step::Key("a")]), Some((1, 4)));
        assert_eq!(place(&[Step::Key("b"), Step::Index(0), Step::Key("d")]), Some((3, 15)));
        assert_eq!(place(&[Step::Key("b"), Step::Index(1)]), Some((4, 5)));
        assert_eq!(place(&[Step::Key("b"), Step::Index(1), Step::Key("d"), Step::Index(1)]), Some((5, 12)));
        assert_eq!(place(&[Step::Key("e")]), None);
    }

    #[test]
    fn a_key_that_is_given_twice_has_the_place_of_the_second_one() {
        let place = |text| place_of_second_key(text).map(|p| (p.line, p.column));
        assert_eq!(place("a: 1\nb: {c: ~, d: [1.5, true]}\n\na: 2\n"), Some((4, 1)));
        assert_eq!(place("a:\n  - {b: x, c: y, b: z}\n"), Some((2, 18)));
        assert_eq!(place("a: {b: 1}\nc: {b: 1}\n"), None);
    }

    #[test]
    fn what_comes_by_a_merge_has_the_place_where_it_is_written() {
        let text = "a: &a {b: 1, c: 2}\nd: &d\n  <<: *a\n  c: 3\ne:\n  <<: [*d, {f: 4}]\n  b: 5\n";
        let place = |path: &[Step<'_>]| place_of(text, path).map(|p| (p.line, p.column));
        assert_eq!(place(&[Step::Key("d"), Step::Key("b")]), Some((1, 11)));
        assert_eq!(place(&[Step::Key("d"), Step::Key("c")]), Some((4, 6)));
        assert_eq!(place(&[Step::Key("e"), Step::Key("b")]), Some((7, 6)));
        assert_eq!(place(&[Step::Key("e"), Step::Key("c")]), Some((4, 6)));
        assert_eq!(place(&[Step::Key("e"), Step::Key("f")]), Some((6, 16)));
        assert_eq!(place(&[Step::Key("e"), Step::Key("g")]), None);
    }

    #[test]
    fn an_unknown_key_comes_with_those_that_are_known() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "only read")]
        struct Known {
            name: Option<String>,
            address: Option<String>,
        }
        let fault = parse::<Known>("name: a\nadress: b\n").unwrap_err();
        assert_eq!(fault.place, Some(Place { line: 2, column: 1 }));
        let (unknown, known) = fault.unknown.unwrap();
        assert_eq!((unknown.as_str(), known.len()), ("adress", 2));
    }
}
