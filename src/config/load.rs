//! Reading the configuration: the file, the environment and the flags, or everything that is wrong with them.

use std::io;
use std::path::PathBuf;

use super::file::File;
use super::layers::Layers;
use super::unknown::unknown_key;
use super::yaml::{Document, Fault};
use super::{
    Config, ConfigError, Environment, Flags, Problem, Setting, extra_args, keys, names, text, warnings, whole,
};

/// The file that is read where no other is named, if it is there.
const DEFAULT_FILE: &str = "kolaboree.yaml";

/// A configuration with where it came from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The configuration itself.
    pub config: Config,
    /// Each value, for people, without secrets.
    pub settings: Vec<Setting>,
    /// Warnings of values that are allowed, and probably not meant.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads `.env` and the configuration, with the process's environment and the flags over them.
    ///
    /// This waits for the disk.
    ///
    /// # Errors
    /// When something cannot be read, or is wrong or unknown.
    pub fn load(flags: &Flags) -> Result<Loaded, ConfigError> {
        Config::load_with(flags, &Environment::load(&flags.env_file)?)
    }

    /// As [`load`](Config::load), with an environment of the caller's.
    ///
    /// # Errors
    /// As [`load`](Config::load).
    pub fn load_with(flags: &Flags, environment: &Environment) -> Result<Loaded, ConfigError> {
        let (environment, mut refused) = extra_args::expand(environment);
        refused.extend(names::refused(&environment));
        if !refused.is_empty() {
            return Err(ConfigError::Problems(refused));
        }
        let named = flags.config.clone().or_else(|| environment.get("KOLABOREE_CONFIG").map(PathBuf::from));
        let (path, text) = read(named)?;
        let name = path.display().to_string();
        let (file, document) = parse(&name, &text)?;
        let (config, settings) = Layers::new(&environment, &path, &document).merge(flags, file)?;
        let mut warnings = warnings::of(&config);
        let (file, lines) = environment.passed_over();
        warnings.extend(
            lines.iter().map(|line| format!("{file}:{line}: the line is passed over: it cannot be read")),
        );
        if text.is_empty() && !path.exists() {
            warnings.insert(0, format!("there is no {DEFAULT_FILE} here: no cloud is configured"));
        }
        Ok(Loaded { config, settings, warnings })
    }
}

/// The file that is named, or the default one; no text where that is not there.
fn read(named: Option<PathBuf>) -> Result<(PathBuf, String), ConfigError> {
    let optional = named.is_none();
    let path = named.unwrap_or_else(|| DEFAULT_FILE.into());
    match text::read(&path) {
        Ok(text) => Ok((path, text)),
        Err(e) if optional && e.kind() == io::ErrorKind::NotFound => Ok((path, String::new())),
        Err(source) => Err(ConfigError::Read { path: path.display().to_string(), source }),
    }
}

/// The file's values, and the document for places.
fn parse(name: &str, text: &str) -> Result<(File, Document), ConfigError> {
    let fault = |fault| ConfigError::Problems(vec![problem(name, fault)]);
    let document = Document::read(text).map_err(fault)?;
    let file: File = document.parse().map_err(fault)?;
    let problems = whole::problems(name, &document, &file);
    if problems.is_empty() { Ok((file, document)) } else { Err(ConfigError::Problems(problems)) }
}

/// A fault with what to do about it.
fn problem(file: &str, fault: Fault) -> Problem {
    let Fault { place, path, message, unknown } = fault;
    let (message, remedy) = match unknown {
        Some((key, known)) => unknown_key(&key, &known),
        None if message.starts_with("duplicate entry") => (message, "leave one of the two out".to_owned()),
        None => (message, keys::remedy_of(&path).to_owned()),
    };
    Problem { file: file.to_owned(), place: place.map(|p| (p.line, p.column)), path, message, remedy }
}
