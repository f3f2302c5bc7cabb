use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

/// The environment variables of the process, over those in a `.env` file.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// The names whose value is the file's.
    from_file: HashSet<String>,
    file: String,
}

/// The `.env` file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The file is there, but cannot be opened.
    #[error("{path}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A line of it is not `NAME=value`. The line is not repeated: it may hold a secret.
    #[error("{path}: a line (about number {line}) is not NAME=value, or a quote in it is not closed")]
    Malformed {
        /// Which file.
        path: String,
        /// Counted from 1, without comments and empty lines.
        line: usize,
    },
}

impl Environment {
    /// Takes the process's variables, and those of the file that the process has not. No file is no error.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn load(dotenv: &Path) -> Result<Environment, EnvironmentError> {
        let path = || dotenv.display().to_string();
        let mut variables = HashMap::new();
        match dotenvy::from_path_iter(dotenv) {
            Ok(lines) => {
                for (index, line) in lines.enumerate() {
                    let (name, value) =
                        line.map_err(|_| EnvironmentError::Malformed { path: path(), line: index + 1 })?;
                    variables.insert(name, value);
                }
            }
            Err(e) if e.not_found() => {}
            Err(dotenvy::Error::Io(source)) => return Err(EnvironmentError::Read { path: path(), source }),
            Err(_) => return Err(EnvironmentError::Malformed { path: path(), line: 1 }),
        }
        let mut from_file: HashSet<String> = variables.keys().cloned().collect();
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                from_file.remove(&name);
                variables.insert(name, value);
            }
        }
        Ok(Environment { variables, from_file, file: path() })
    }

    /// The value of a variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }

    /// The `.env` file that a variable's value comes from; `None` where it is the process's own.
    #[must_use]
    pub fn file_of(&self, name: &str) -> Option<&str> {
        self.from_file.contains(name).then_some(self.file.as_str())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Environment {
        let variables = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        Environment { variables, ..Environment::default() }
    }
}

/// Shows names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_file_gives_what_the_process_has_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        fs::write(&file, "# a comment\nPATH=from-the-file\nKOLABOREE_TEST_ONLY=\"a b\"\nEMPTY=\n").unwrap();
        let environment = Environment::load(&file).unwrap();
        assert_ne!(environment.get("PATH"), Some("from-the-file"));
        assert_eq!(environment.get("KOLABOREE_TEST_ONLY"), Some("a b"));
        assert_eq!(environment.get("EMPTY"), None);
        assert!(
            environment.file_of("KOLABOREE_TEST_ONLY").is_some() && environment.file_of("PATH").is_none()
        );
    }

    #[test]
    fn a_malformed_file_is_told_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        fs::write(&file, "A=1\nTAILSCALE_AUTH_KEY='tskey-auth-hush\n").unwrap();
        let error = Environment::load(&file).unwrap_err();
        assert!(matches!(error, EnvironmentError::Malformed { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hush"));
    }

    #[test]
    fn no_file_is_no_error() {
        assert!(Environment::load("/nonexistent/.env".as_ref()).unwrap().get("PATH").is_some());
    }
}
