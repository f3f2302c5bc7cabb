//! Files in instances.
//!
//! Everything here needs the right `files`, to look at names too. What leaves an instance is in the audit (`file.pull`) as what
//! changes it is: a file may be a secret. A list of names is not, as it tells of no content.

mod change;
mod download;
mod list;
mod upload;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::InPath;
use crate::actions::archive::LONGEST;
use crate::api::jobs::Change;
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    let all = routes!(download::get, upload::put, change::create, change::delete);
    Routes::default()
        .add(Needs::project(Verb::Files), all)
        .add(Needs::project(Verb::Files), routes!(change::rename))
}

/// A form in which a folder goes as one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ArchiveForm {
    Tar,
}

/// A path in an instance.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    /// The absolute path, such as `/etc/hosts`.
    path: String,
}

impl At {
    fn checked(&self) -> Result<&str, Problem> {
        checked(&self.path)
    }
}

/// The path, where it can be one.
fn checked(path: &str) -> Result<&str, Problem> {
    let why = match path {
        path if !path.starts_with('/') => "it does not begin with /",
        path if path.contains('\0') => "it has a NUL",
        path if path.contains('\u{fffd}') => "it is not UTF-8",
        path if path.len() > LONGEST => "it is too long",
        _ => return Ok(path),
    };
    Err(Problem::invalid(format!("path is no path in an instance: {why}")))
}

/// A change of files, or what leaves an instance.
fn told(action: &'static str, detail: String) -> Change {
    Change { verb: Verb::Files, action, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_text() {
        for path in ["/", "/etc/hosts", "/a b/ñ#%\n", "/a/../b"] {
            assert!(checked(path).is_ok(), "{path:?}");
        }
        let long = format!("/{}", "a".repeat(4096));
        for path in ["", "etc", "./a", "/a\0", "/\u{fffd}", &long] {
            assert!(checked(path).is_err(), "{path:?}");
        }
    }
}
