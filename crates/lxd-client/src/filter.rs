//! Filters of lists, which the server applies.

use std::fmt;

/// What a list is to hold: `filter=` of instances, images, storage volumes and warnings (Incus has it on
/// more).
///
/// The server reads it from left to right: `and` does not bind closer than `or`, and there are no brackets.
///
/// ```
/// use lxd_client::Filter;
///
/// let filter = Filter::eq("status", "Running").and(Filter::ne("config.user.role", "build box"));
/// assert_eq!(filter.to_string(), r#"status eq Running and config.user.role ne "build box""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: String,
    valid: bool,
}

impl Filter {
    fn comparison(field: &str, operator: &str, value: &str) -> Filter {
        let valid = !value.contains('"') && !field.is_empty() && !field.contains([' ', '"']);
        Filter { text: format!("{field} {operator} {}", quoted(value)), valid }
    }

    /// Whether a server can read it as it is meant.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.valid {
            return Ok(());
        }
        Err(format!("a filter cannot have a double quote in a value, or a space in a field: {self}"))
    }

    /// The field has this value, which may have no double quote in it. Fields are those of the JSON, with
    /// dots between levels.
    #[must_use]
    pub fn eq(field: &str, value: &str) -> Filter {
        Filter::comparison(field, "eq", value)
    }

    /// The field does not have this value.
    #[must_use]
    pub fn ne(field: &str, value: &str) -> Filter {
        Filter::comparison(field, "ne", value)
    }

    /// The opposite of one comparison. Of more than one, it turns the first.
    #[must_use]
    pub fn negated(self) -> Filter {
        Filter { text: format!("not {}", self.text), ..self }
    }

    /// This and the other one.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        Filter { text: format!("{} and {}", self.text, other.text), valid: self.valid && other.valid }
    }

    /// This or the other one.
    #[must_use]
    pub fn or(self, other: Filter) -> Filter {
        Filter { text: format!("{} or {}", self.text, other.text), valid: self.valid && other.valid }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A value with spaces is one word only in double quotes, and nothing stands for a double quote in it.
fn quoted(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/');
    if !value.is_empty() && value.bytes().all(plain) { value.to_owned() } else { format!("\"{value}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_become_a_second_comparison() {
        assert!(Filter::eq("name", "x or name eq y").check().is_ok());
        assert!(Filter::eq("name", "x\" or name eq \"y").check().is_err());
        assert!(Filter::eq("name or a", "x").and(Filter::eq("a", "b")).check().is_err());
    }
}
