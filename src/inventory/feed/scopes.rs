//! Which projects of a server are asked for together.

use lxd_client::{Project, Server};

use super::remote::Scope;

/// What a server lists for all projects at once, and what for each project alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scopes {
    /// The projects that the node may see.
    pub(super) projects: Vec<String>,
    /// Those of them that have images of their own; the others have those of the default project.
    with_images: Vec<String>,
    all_events: bool,
    all_operations: bool,
    all_images: bool,
}

impl Scopes {
    /// What the server can do. A client that is `restricted` to some projects asks for each of them.
    pub(super) fn new(server: &Server, restricted: bool, projects: &[Project]) -> Scopes {
        let all = |extension: &str| !restricted && server.has_extension(extension);
        let mut scopes = Scopes {
            projects: Vec::new(),
            with_images: Vec::new(),
            all_events: all(ALL_PROJECTS),
            all_operations: all("operations_get_query_all_projects"),
            all_images: all("images_all_projects"),
        };
        scopes.set_projects(projects);
        scopes
    }

    /// Takes the projects as they are now.
    pub(super) fn set_projects(&mut self, projects: &[Project]) {
        let mut names: Vec<String> = projects.iter().map(|project| project.name.clone()).collect();
        names.sort();
        let shares = |project: &Project| {
            project.config.get("features.images").is_none_or(|own| own != "true") && project.name != "default"
        };
        let default = names.iter().any(|name| name == "default");
        let own = projects.iter().filter(|project| !(default && shares(project)));
        self.with_images = own.map(|project| project.name.clone()).collect();
        self.with_images.sort();
        self.projects = names;
    }

    /// Whether one stream has the events of all projects. The lists of instances follow that.
    pub(super) fn all_events(&self) -> bool {
        self.all_events
    }

    /// For each stream of events, and each list of instances.
    pub(super) fn instances(&self) -> Vec<Scope> {
        each(self.all_events, &self.projects)
    }

    /// For each list of operations.
    pub(super) fn operations(&self) -> Vec<Scope> {
        each(self.all_operations, &self.projects)
    }

    /// For each list of images.
    pub(super) fn images(&self) -> Vec<Scope> {
        each(self.all_images, &self.with_images)
    }

    /// The list of instances that has those of a project.
    pub(super) fn instances_of(&self, project: &str) -> Scope {
        (!self.all_events).then(|| project.to_owned())
    }

    /// The list of images that has those of a project.
    pub(super) fn images_of(&self, project: &str) -> Scope {
        match (self.all_images, self.with_images.iter().any(|own| own == project)) {
            (true, _) => None,
            (false, true) => Some(project.to_owned()),
            (false, false) => Some("default".to_owned()),
        }
    }
}

/// The API extension of servers that list instances, and tell events, of all projects at once.
pub(super) const ALL_PROJECTS: &str = "instance_all_projects";

fn each(all: bool, projects: &[String]) -> Vec<Scope> {
    if all { vec![None] } else { projects.iter().cloned().map(Some).collect() }
}
