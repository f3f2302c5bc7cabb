use std::collections::HashMap;
use std::io;
use std::path::Path;

/// The environment variables of the process, over those in a `.env` file.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

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
        variables.extend(
            std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))),
        );
        Ok(Environment(variables))
    }

    /// The value of a variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Environment {
        Environment(pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

/// Shows names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
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
