//! The values that are in force, and where each came from.

use std::fmt;

use serde::Serialize;

/// A value and where it came from.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The key, as in the file.
    pub key: String,
    /// The value, `[redacted]` where it is secret.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "from")]
#[non_exhaustive]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// The file.
    File {
        /// Which.
        path: String,
        /// In which line.
        line: Option<usize>,
    },
    /// The environment, or the `.env` file.
    Environment {
        /// The variable.
        name: String,
        /// The `.env` file, when it is there.
        file: Option<String>,
        /// In which line of it.
        line: Option<usize>,
    },
    /// The command line.
    Flag {
        /// Which flag.
        name: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { path, line: Some(line) } => write!(f, "{path}:{line}"),
            Source::File { path, line: None } => f.write_str(path),
            Source::Environment { name, file: Some(file), line: Some(line) } => {
                write!(f, "{name} in {file}:{line}")
            }
            Source::Environment { name, file: Some(file), line: None } => write!(f, "{name} in {file}"),
            Source::Environment { name, file: None, .. } => write!(f, "{name} in the environment"),
            Source::Flag { name } => write!(f, "--{name}"),
        }
    }
}
