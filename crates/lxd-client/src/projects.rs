//! Projects, which keep things of one server apart: `/1.0/projects`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::{at, below};
use crate::redacted;
use crate::{Client, Error, List};

/// A project, from [`Client::projects`] or [`ProjectHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Project {
    /// Its name.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings: what it keeps to itself (`features.`), and how much of what it may have (`limits.`).
    pub config: BTreeMap<String, String>,
    /// The URLs of what is in it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Project { name, description, used_by } hides { config, rest });

/// How much a project uses, from [`ProjectHandle::state`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProjectState {
    /// By kind, such as `containers`, `memory` (in bytes), `disk` (in bytes) and `networks`.
    pub resources: BTreeMap<String, ProjectUsage>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How much of one kind a project uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ProjectUsage {
    /// How much it may use; -1 for as much as there is.
    pub limit: i64,
    /// How much it uses.
    pub usage: i64,
}

impl Project {
    /// A project to create.
    #[must_use]
    pub fn new(name: &str) -> Project {
        Project { name: name.to_owned(), ..Project::default() }
    }
}

handle! {
    /// One project, which may or may not exist; from [`Client::project_named`].
    ProjectHandle of Project as "/1.0/projects/{name}": get, update, patch, rename, delete
}

impl Client {
    /// `GET /1.0/projects`.
    pub fn projects(&self) -> List<Project> {
        List::new(self.get(["projects"]).unscoped())
    }

    /// `POST /1.0/projects`: creates a project.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_project(&self, project: &Project) -> Result<(), Error> {
        self.post(["projects"]).unscoped().json(project).done().await
    }

    /// A handle of a project itself. Nothing is sent. For a client of what is in it, see
    /// [`Client::project`].
    #[must_use]
    pub fn project_named(&self, name: &str) -> ProjectHandle {
        ProjectHandle::new(&self.unscoped(), at(["projects", name]))
    }
}

impl ProjectHandle {
    /// `GET /1.0/projects/{name}/state`: how much it uses. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn state(&self) -> Result<ProjectState, Error> {
        self.client.get(below(&self.path, ["state"])).fetch().await
    }
}
