//! YAML with places. With [`tree`] the only use of serde_yaml in this package. It is no longer maintained: serde_norway keeps a fork of
//! it, and a change to that touches these two files alone.

use serde::de::DeserializeOwned;

use super::places::{Place, Places, Step, written};
use super::tree::{self, Node};

/// Why a text cannot be read.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) place: Option<Place>,
    /// The key, such as `clouds[0].address`; empty where it is the text as a whole.
    pub(crate) path: String,
    pub(crate) message: String,
    /// A key that is not known, and those that are known in its place.
    pub(crate) unknown: Option<(String, Vec<String>)>,
}

/// A document that was read, with its places.
#[derive(Debug)]
pub(crate) struct Document {
    tree: Node,
    places: Places,
}

impl Document {
    /// Reads a document. One that is empty counts as an empty map.
    pub(crate) fn read(text: &str) -> Result<Document, Fault> {
        let places = Places::of(text);
        let empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        match tree::read(if empty { "{}" } else { text }) {
            Ok(tree) => Ok(Document { tree, places }),
            Err(error) => {
                let mut fault = Fault::of(error);
                // serde_yaml's place is where the map begins.
                if fault.message.starts_with("duplicate entry") {
                    fault.place = places.second_key().or(fault.place);
                }
                Err(fault)
            }
        }
    }

    /// The document as a value of the caller's type.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(&self.tree).map_err(|error| self.fault(error))
    }

    /// Where in the text the value at the end of the path is, which may have come by a merge.
    pub(crate) fn place_of(&self, path: &[Step]) -> Option<Place> {
        self.places.value(&self.tree.at(path)?.source)
    }

    fn fault(&self, error: tree::Error) -> Fault {
        let tree::Error { message, mut path, at } = error;
        path.reverse();
        let place = at.and_then(|(source, is_key)| match is_key {
            true => self.places.key(&source),
            false => self.places.value(&source),
        });
        // serde's words for this: unknown field `x`, expected one of `a`, `b`.
        let unknown = message.starts_with("unknown field `").then(|| {
            let mut names = message.split('`').skip(1).step_by(2).map(str::to_owned);
            (names.next().unwrap_or_default(), names.collect())
        });
        Fault { place, path: written(&path), message, unknown }
    }
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
}

/// A value as YAML, for printing.
pub(crate) fn to_text(value: &impl serde::Serialize) -> String {
    serde_yaml::to_string(value).unwrap_or_else(|e| format!("# {e}\n"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_value_has_its_place() {
        let text = "a: 1\nb:\n  - {c: x, d: y}\n  - c: z\n    d: [1, 2]\n";
        let document = Document::read(text).unwrap();
        let place = |path: &[Step]| document.place_of(path).map(|p| (p.line, p.column));
        assert_eq!(place(&["a".into()]), Some((1, 4)));
        assert_eq!(place(&["b".into(), 0.into(), "d".into()]), Some((3, 15)));
        assert_eq!(place(&["b".into(), 1.into()]), Some((4, 5)));
        assert_eq!(place(&["b".into(), 1.into(), "d".into(), 1.into()]), Some((5, 12)));
        assert_eq!(place(&["e".into()]), None);
    }

    #[test]
    fn a_key_that_is_given_twice_has_the_place_of_the_second_one() {
        let place = |text| Places::of(text).second_key().map(|p| (p.line, p.column));
        assert_eq!(place("a: 1\nb: {c: ~, d: [1.5, true]}\n\na: 2\n"), Some((4, 1)));
        assert_eq!(place("a:\n  - {b: x, c: y, b: z}\n"), Some((2, 18)));
        assert_eq!(place("a: {b: 1}\nc: {b: 1}\n"), None);
    }

    #[test]
    fn what_comes_by_a_merge_has_the_place_where_it_is_written() {
        let text = "a: &a {b: 1, c: 2}\nd: &d\n  <<: *a\n  c: 3\ne:\n  <<: [*d, {f: 4}]\n  b: 5\n";
        let document = Document::read(text).unwrap();
        let place = |path: &[Step]| document.place_of(path).map(|p| (p.line, p.column));
        assert_eq!(place(&["d".into(), "b".into()]), Some((1, 11)));
        assert_eq!(place(&["d".into(), "c".into()]), Some((4, 6)));
        assert_eq!(place(&["e".into(), "b".into()]), Some((7, 6)));
        assert_eq!(place(&["e".into(), "c".into()]), Some((4, 6)));
        assert_eq!(place(&["e".into(), "f".into()]), Some((6, 16)));
        assert_eq!(place(&["e".into(), "g".into()]), None);
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
        let fault = Document::read("name: a\nadress: b\n").unwrap().parse::<Known>().unwrap_err();
        assert_eq!(fault.place, Some(Place { line: 2, column: 1 }));
        let (unknown, known) = fault.unknown.unwrap();
        assert_eq!((unknown.as_str(), known.len()), ("adress", 2));
    }
}
