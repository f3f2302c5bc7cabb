//! Where each value and key of a YAML text is. serde_yaml tells places with its errors only, so the events of another
//! parser are read once for all of them.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, Span};

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    fn of(span: Span) -> Place {
        Place { line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// A step of a path: a key of a map, or a number in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Step {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Step {
        Step::Index(index)
    }
}

/// A path as it is written for people: `clouds[0].name`.
pub(super) fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text = format!("{text}.{key}"),
            Step::Index(index) => text = format!("{text}[{index}]"),
        }
    }
    text
}

/// More than serde_yaml reads.
const DEPTH: usize = 200;

/// The places of a text's first document.
#[derive(Debug, Default)]
pub(crate) struct Places {
    values: HashMap<Vec<Step>, Place>,
    keys: HashMap<Vec<Step>, Place>,
    /// From where an alias stands to where its anchor stands.
    aliases: HashMap<Vec<Step>, Vec<Step>>,
    second_key: Option<Place>,
}

impl Places {
    /// Reads a text, as far as it can be read.
    pub(super) fn of(text: &str) -> Places {
        let mut reader = Reader::default();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            if matches!(event, Event::DocumentEnd) || reader.open.len() > DEPTH {
                break;
            }
            reader.read(event, Place::of(span));
        }
        reader.places
    }

    /// Where a value is.
    pub(super) fn value(&self, path: &[Step]) -> Option<Place> {
        self.found(&self.values, path)
    }

    /// Where the key of a value is.
    pub(super) fn key(&self, path: &[Step]) -> Option<Place> {
        self.found(&self.keys, path)
    }

    /// Where the first key is that its map has already.
    pub(super) fn second_key(&self) -> Option<Place> {
        self.second_key
    }

    fn found(&self, places: &HashMap<Vec<Step>, Place>, path: &[Step]) -> Option<Place> {
        let mut path = path.to_vec();
        // An alias can lead to another one, but not for ever: an anchor stands before its aliases.
        for _ in 0..=self.aliases.len() {
            if let Some(place) = places.get(&path).filter(|_| !self.aliases.contains_key(&path)) {
                return Some(*place);
            }
            let (length, anchor) =
                (0..=path.len()).rev().find_map(|n| Some((n, self.aliases.get(&path[..n])?)))?;
            path.splice(..length, anchor.iter().cloned());
        }
        None
    }
}

/// A map or a list that has not ended.
enum Open {
    /// With the keys so far, and the one whose value comes next.
    Map {
        path: Vec<Step>,
        keys: HashSet<String>,
        key: Option<String>,
    },
    List {
        path: Vec<Step>,
        next: usize,
    },
}

#[derive(Default)]
struct Reader {
    places: Places,
    open: Vec<Open>,
    anchors: HashMap<usize, Vec<Step>>,
}

impl Reader {
    fn read(&mut self, event: Event<'_>, place: Place) {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                self.begin(Some(&text), place, anchor);
            }
            Event::Alias(anchor) => {
                if let (Some(path), Some(to)) =
                    (self.begin(None, place, 0), self.anchors.get(&anchor).cloned())
                {
                    self.places.aliases.insert(path, to);
                }
            }
            Event::MappingStart(anchor, _) => {
                let path = self.begin(None, place, anchor).unwrap_or_default();
                self.open.push(Open::Map { path, keys: HashSet::new(), key: None });
            }
            Event::SequenceStart(anchor, _) => {
                let path = self.begin(None, place, anchor).unwrap_or_default();
                self.open.push(Open::List { path, next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
            }
            _ => {}
        }
    }

    /// Notes where a node begins; gives its path, unless it is a key. `text` is a scalar's.
    fn begin(&mut self, text: Option<&str>, place: Place, anchor: usize) -> Option<Vec<Step>> {
        let below = |path: &[Step], step: Step| [path, &[step]].concat();
        let path = match self.open.last_mut() {
            None => Vec::new(),
            Some(Open::List { path, next }) => {
                *next += 1;
                below(path, Step::Index(*next - 1))
            }
            Some(Open::Map { path, key: key @ Some(_), .. }) => {
                below(path, Step::Key(key.take().unwrap_or_default()))
            }
            Some(Open::Map { path, keys, key }) => {
                // A key that is a list or a map is refused by whoever reads the values.
                let text = text.unwrap_or_default().to_owned();
                let path = below(path, Step::Key(text.clone()));
                self.places.keys.entry(path).or_insert(place);
                if !keys.insert(text.clone()) {
                    self.places.second_key.get_or_insert(place);
                }
                *key = Some(text);
                return None;
            }
        };
        self.places.values.entry(path.clone()).or_insert(place);
        if anchor != 0 {
            self.anchors.insert(anchor, path.clone());
        }
        Some(path)
    }
}
