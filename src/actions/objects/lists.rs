//! All things of a kind.

use lxd_client::http::Method;
use lxd_client::{Client, Project};

use super::{Fields, Kind, ask, list_path};
use crate::actions::{ActionError, Job, bulk};

/// The things of a kind, in the client's project; `names` are those of what they belong to.
pub(crate) async fn list(
    client: &Client,
    kind: &Kind,
    names: &[&str],
    job: &Job,
) -> Result<Vec<Fields>, ActionError> {
    let request = ask(client, kind, Method::GET, list_path(kind, names)).query("recursion", 1);
    job.run(request.list()).await
}

/// The things that `list` gives for each project that has its own of this kind, with the project as their field `project`.
pub(crate) async fn list_of_all_projects(
    client: &Client,
    kind: &Kind,
    list: impl AsyncFn(Client) -> Result<Vec<Fields>, ActionError>,
    job: &Job,
) -> Result<Vec<Fields>, ActionError> {
    let projects = job.run(async { client.projects().await }).await?;
    let own = projects.into_iter().filter(|project| has_own(project, kind));
    let lists = bulk(own, async |project: Project| {
        let mut things = list(client.project(&project.name)).await?;
        for thing in &mut things {
            thing.insert("project".to_owned(), project.name.clone().into());
        }
        Ok::<_, ActionError>(things)
    });
    Ok(lists.await.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

fn has_own(project: &Project, kind: &Kind) -> bool {
    let decides = kind.features.iter().find_map(|feature| project.config.get(*feature));
    project.name == "default" || decides.is_some_and(|value| value == "true")
}
