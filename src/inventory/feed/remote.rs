//! What a feed asks of a server, one request for each question.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use lxd_client::{Client, Error, Event, EventKind, OperationState, Project, Server};

use super::listed::{ListedImage, ListedInstance};

/// How long a list with the state of all instances may take, which the server has to measure.
const FULL_LIST: Duration = Duration::from_secs(120);

/// The project that something is asked of; `None` for all projects at once.
pub(in crate::inventory) type Scope = Option<String>;

/// A question, which is one request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::inventory) enum Ask {
    Server,
    Projects,
    /// The instances; with the state and the snapshots of each, where the flag is set.
    Instances(Scope, bool),
    /// One instance, by its project and its name; with its state and snapshots, where the flag is set.
    Instance(String, String, bool),
    Operations(Scope),
    Images(Scope),
    /// The figures of all instances, as text.
    Metrics,
}

/// The answer to a question.
#[derive(Debug)]
pub(in crate::inventory) enum Answer {
    Server(Box<Server>),
    Projects(Vec<Project>),
    Instances(Vec<ListedInstance>),
    Instance(Box<ListedInstance>),
    Operations(Vec<OperationState>),
    Images(Vec<ListedImage>),
    Metrics(String),
}

pub(in crate::inventory) type EventStream = BoxStream<'static, Result<Event, Error>>;

/// A server that can be asked. Tests have one of their own.
pub(in crate::inventory) trait Remote: Send + Sync {
    /// Asks it.
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, Error>>;

    /// Listens to its lifecycle events and operations.
    fn listen(&self, scope: Scope) -> BoxFuture<'static, Result<EventStream, Error>>;
}

impl Remote for Client {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, Error>> {
        let client = self.clone();
        let list = |client: &Client, path: &str, scope: &Scope, recursion: u8| {
            let request = client.get([path]).query("recursion", recursion);
            match scope {
                Some(project) => request.query("project", project),
                None => request.query("all-projects", true),
            }
        };
        async move {
            Ok(match ask {
                Ask::Server => Answer::Server(Box::new(client.server().await?)),
                Ask::Projects => Answer::Projects(client.projects().await?),
                Ask::Instances(scope, false) => {
                    Answer::Instances(list(&client, "instances", &scope, 1).list().await?)
                }
                Ask::Instances(scope, true) => {
                    Answer::Instances(list(&client, "instances", &scope, 2).timeout(FULL_LIST).list().await?)
                }
                Ask::Instance(project, name, full) => {
                    let request = client.project(&project).get(["instances", &name]);
                    let request = request.query("recursion", u8::from(full));
                    Answer::Instance(request.fetch().await?)
                }
                Ask::Operations(scope) => {
                    // By status, such as {"running": [...]}.
                    let groups: Option<BTreeMap<String, Vec<OperationState>>> =
                        list(&client, "operations", &scope, 1).fetch().await?;
                    Answer::Operations(groups.unwrap_or_default().into_values().flatten().collect())
                }
                Ask::Images(scope) => Answer::Images(list(&client, "images", &scope, 1).list().await?),
                Ask::Metrics => Answer::Metrics(client.get(["metrics"]).text().await?),
            })
        }
        .boxed()
    }

    fn listen(&self, scope: Scope) -> BoxFuture<'static, Result<EventStream, Error>> {
        let client = self.clone();
        let kinds = [EventKind::Operation, EventKind::Lifecycle];
        async move {
            let events = match scope {
                Some(project) => client.project(&project).events(&kinds).await?,
                None => client.all_events(&kinds).await?,
            };
            Ok(events.into_stream().boxed())
        }
        .boxed()
    }
}
