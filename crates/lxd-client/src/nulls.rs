//! `null` as the server's word for what is empty: Go writes an empty map or list so, and a restricted client gets it
//! for what it may not see. All that a server answers is read through here, so that no type has to
//! provide for it; what is absent is each type's own `#[serde(default)]`.

use std::fmt;
use std::iter;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor,
};

/// Reads an answer, with `null` for an empty map, list or text, for zero and for `false`. A [`serde_json::Value`] keeps
/// it, and an `Option` is `None`.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(Nulls(&mut json))?;
    json.end()?;
    Ok(value)
}

/// The same of JSON that is parsed already.
pub(crate) fn read_value<T: DeserializeOwned>(json: serde_json::Value) -> serde_json::Result<T> {
    T::deserialize(Nulls(json))
}

/// What reads, with `null` taken for what is asked for: on this level and on all below.
struct Nulls<T>(T);

/// What a visitor is given for `null`.
#[derive(Clone, Copy)]
enum Empty {
    Nothing,
    Bool,
    Number,
    Text,
    List,
    Map,
}

struct OrEmpty<V> {
    visitor: V,
    empty: Empty,
}

macro_rules! ask_any {
    ($($method:ident($($arg:ident: $type:ty),*) is $empty:ident;)+) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            $(let _ = $arg;)*
            self.0.deserialize_any(OrEmpty { visitor, empty: Empty::$empty })
        })+
    };
}

macro_rules! ask_the_same {
    ($($method:ident($($arg:ident: $type:ty),*);)+) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($arg,)* OrEmpty { visitor, empty: Empty::Nothing })
        })+
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Nulls<D> {
    type Error = D::Error;

    ask_any! {
        deserialize_any() is Nothing;
        deserialize_bool() is Bool;
        deserialize_i8() is Number; deserialize_i16() is Number; deserialize_i32() is Number;
        deserialize_i64() is Number; deserialize_u8() is Number; deserialize_u16() is Number;
        deserialize_u32() is Number; deserialize_u64() is Number; deserialize_f32() is Number;
        deserialize_f64() is Number;
        deserialize_str() is Text; deserialize_string() is Text;
        deserialize_seq() is List; deserialize_tuple(len: usize) is List;
        deserialize_tuple_struct(name: &'static str, len: usize) is List;
        deserialize_map() is Map;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) is Map;
    }

    ask_the_same! {
        deserialize_i128(); deserialize_u128(); deserialize_char(); deserialize_bytes(); deserialize_byte_buf();
        deserialize_option(); deserialize_unit(); deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier(); deserialize_ignored_any();
    }
}

macro_rules! visit {
    ($($method:ident: $type:ty),+ $(,)?) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })+
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OrEmpty<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64,
        visit_char: char, visit_str: &str, visit_borrowed_str: &'de str, visit_string: String,
        visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>,
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        match self.empty {
            Empty::Nothing => self.visitor.visit_unit(),
            Empty::Bool => self.visitor.visit_bool(false),
            Empty::Number => self.visitor.visit_u64(0),
            Empty::Text => self.visitor.visit_borrowed_str(""),
            Empty::List => self.visitor.visit_seq(SeqDeserializer::new(iter::empty::<()>())),
            Empty::Map => self.visitor.visit_map(MapDeserializer::new(iter::empty::<((), ())>())),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Nulls(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Nulls(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Nulls(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Nulls(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(variant)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Nulls<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Nulls(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Nulls<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Nulls(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Nulls<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        self.0.deserialize(Nulls(deserializer))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value, json};

    use super::*;

    #[test]
    fn null_is_what_is_empty_and_a_value_keeps_it() {
        assert!(read::<Vec<u8>>("null").unwrap().is_empty());
        assert_eq!(read::<BTreeMap<String, String>>(r#"{"a":null}"#).unwrap()["a"], "");
        assert_eq!(read::<Vec<(i64, bool, f64)>>("[[null,null,null]]").unwrap(), [(0, false, 0.0)]);
        assert_eq!(read::<Option<String>>("null").unwrap(), None);
        assert_eq!(
            read::<Vec<Option<Vec<String>>>>("[null,[null]]").unwrap(),
            [None, Some(vec![String::new()])]
        );
        assert_eq!(read::<Value>(r#"{"a":[null]}"#).unwrap(), json!({"a": [null]}));
        assert_eq!(read::<Map<String, Value>>(r#"{"a":null}"#).unwrap()["a"], Value::Null);
        assert_eq!(read::<Box<serde_json::value::RawValue>>(r#"{"a":null}"#).unwrap().get(), r#"{"a":null}"#);
        read::<()>("null").unwrap();
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        assert!(read::<Vec<u8>>("{}").is_err() && read::<u8>("256").is_err() && read::<String>("1").is_err());
        assert!(read::<Vec<u8>>("[] x").is_err() && read::<Vec<u8>>("[").is_err());
        let error = read::<BTreeMap<String, String>>("[]").unwrap_err().to_string();
        assert!(error.contains("expected a map"), "{error}");
    }
}
