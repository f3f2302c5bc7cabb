//! A YAML document as a tree: anchors and merge keys (`<<`) are resolved, each scalar has its text as well as its value, and
//! each node the path by which its own text is found.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_yaml::Value;

use super::places::Step;

const MERGE: &str = "<<";

#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The path of its own text: for what came by a merge, through the `<<`.
    pub(super) source: Vec<Step>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
    Scalar { text: String, value: Value },
}

/// Reads a document. At its top, keys that begin with `x-` are for what the document itself refers to.
pub(super) fn read(text: &str) -> Result<Node, serde_yaml::Error> {
    let shape: Value = serde_yaml::from_str(text)?;
    let seed = Shaped { shape: &shape, source: Vec::new() };
    let mut node = seed.deserialize(serde_yaml::Deserializer::from_str(text))?;
    if let Kind::Map(entries) = &mut node.kind {
        entries.retain(|(key, _)| !key.starts_with("x-"));
    }
    Ok(node)
}

impl Node {
    /// The node at the end of a path.
    pub(super) fn at(&self, path: &[Step]) -> Option<&Node> {
        let Some((step, rest)) = path.split_first() else { return Some(self) };
        let next = match (&self.kind, step) {
            (Kind::Map(entries), Step::Key(key)) => &entries.iter().find(|(k, _)| k == key)?.1,
            (Kind::List(items), Step::Index(index)) => items.get(*index)?,
            _ => return None,
        };
        next.at(rest)
    }

    fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar { value: Value::Null, .. })
    }
}

/// Reads what has this shape, which tells a scalar from a list or a map: of a scalar the text is wanted.
struct Shaped<'a> {
    shape: &'a Value,
    source: Vec<Step>,
}

impl Shaped<'_> {
    fn below(&self, step: Step) -> Vec<Step> {
        self.source.iter().cloned().chain([step]).collect()
    }
}

impl<'de> DeserializeSeed<'de> for Shaped<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        match self.shape {
            Value::Mapping(_) => deserializer.deserialize_map(self),
            Value::Sequence(_) => deserializer.deserialize_seq(self),
            Value::Tagged(tagged) => {
                Shaped { shape: &tagged.value, source: self.source }.deserialize(deserializer)
            }
            _ => deserializer.deserialize_str(self),
        }
    }
}

impl<'de> Visitor<'de> for Shaped<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what it was before")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        let kind = Kind::Scalar { text: text.to_owned(), value: self.shape.clone() };
        Ok(Node { source: self.source, kind })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        for (index, shape) in self.shape.as_sequence().into_iter().flatten().enumerate() {
            let seed = Shaped { shape, source: self.below(Step::Index(index)) };
            items.extend(list.next_element_seed(seed)?);
        }
        // The end has to be asked for.
        list.next_element::<serde::de::IgnoredAny>()?;
        Ok(Node { source: self.source, kind: Kind::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut merged = None;
        for (key, shape) in self.shape.as_mapping().into_iter().flatten() {
            let key = map.next_key_seed(Shaped { shape: key, source: Vec::new() })?;
            let Some(Node { kind: Kind::Scalar { text: key, .. }, .. }) = key else {
                return Err(serde::de::Error::custom("a key is not a text"));
            };
            let value = map.next_value_seed(Shaped { shape, source: self.below(Step::Key(key.clone())) })?;
            if key == MERGE { merged = Some(value) } else { entries.push((key, value)) }
        }
        map.next_key::<serde::de::IgnoredAny>()?;
        if let Some(merged) = merged {
            let merged = match merged.kind {
                Kind::List(items) => items,
                _ => vec![merged],
            };
            for one in merged {
                let Kind::Map(entries_of_one) = one.kind else {
                    return Err(serde::de::Error::custom("<< takes a map, or a list of maps"));
                };
                // The map's own keys are stronger, and so are those of an earlier one.
                for (key, value) in entries_of_one {
                    if !entries.iter().any(|(there, _)| *there == key) {
                        entries.push((key, value));
                    }
                }
            }
        }
        Ok(Node { source: self.source, kind: Kind::Map(entries) })
    }
}

/// Why a tree is no value of the wanted type.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) message: String,
    /// The path of the node, its last step first.
    pub(super) path: Vec<Step>,
    /// Where its text is, and whether its key is what is wrong.
    pub(super) at: Option<(Vec<Step>, bool)>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error { message: message.to_string(), path: Vec::new(), at: None }
    }
}

impl Error {
    fn of(mut self, node: &Node) -> Error {
        self.at.get_or_insert_with(|| (node.source.clone(), false));
        self
    }

    fn below(mut self, step: Step) -> Error {
        self.path.push(step);
        self
    }
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match &self.kind {
            Kind::Map(entries) => visitor.visit_map(Entries { left: entries.iter(), next: None }),
            Kind::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Kind::Scalar { text, value } => match value {
                Value::Null => visitor.visit_unit(),
                Value::Bool(value) => visitor.visit_bool(*value),
                Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                    (Some(number), ..) => visitor.visit_u64(number),
                    (_, Some(number), _) => visitor.visit_i64(number),
                    (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
                },
                _ => visitor.visit_str(text),
            },
        };
        read.map_err(|error| error.of(self))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.kind {
            Kind::Scalar { text, .. } => visitor.visit_str(text).map_err(|error: Error| error.of(self)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// `clouds:` with nothing behind it is an empty list.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() {
            visitor.visit_seq(Items([].iter().enumerate()))
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match &self.kind {
            Kind::Map(entries) => visitor.visit_map(Entries { left: entries.iter(), next: None }),
            Kind::Scalar { value: Value::Null, .. } => {
                visitor.visit_map(Entries { left: [].iter(), next: None })
            }
            // serde would take a list for the fields in their order.
            Kind::List(_) => Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &visitor)),
            Kind::Scalar { .. } => return self.deserialize_any(visitor),
        };
        read.map_err(|error| error.of(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.kind {
            Kind::Scalar { text, .. } => {
                let text: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
                visitor.visit_enum(text).map_err(|error| error.of(self))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Node>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, node)) = self.0.next() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|error| error.of(node).below(Step::Index(index)))
    }
}

struct Entries<'a> {
    left: std::slice::Iter<'a, (String, Node)>,
    next: Option<&'a (String, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.next = self.left.next();
        let Some((key, node)) = self.next else { return Ok(None) };
        let key: StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        let read = seed.deserialize(key);
        read.map(Some).map_err(|error| Error { at: Some((node.source.clone(), true)), ..error })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, node)) = self.next.take() else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(node).map_err(|error| error.of(node).below(Step::Key(key.clone())))
    }
}
