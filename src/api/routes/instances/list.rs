//! The list of instances.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::access::Caller;
use crate::api::answers::Answer;
use crate::api::extract::Query;
use crate::api::list::{Key, List, Page, Place, freshness, items, rights_of, tagged};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::secrets;
use crate::api::state::Api;
use crate::config::Verb;
use crate::inventory::{InstanceKey, InstanceRow, Kind, Query as Rows};

pub(super) fn routes() -> Routes {
    Routes::default().add(Needs::anywhere(Verb::View), routes!(list))
}

/// Which instances are asked for. Lists have commas between their items.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of these clouds.
    cloud: String,
    /// Of these projects.
    project: String,
    /// With one of these statuses, such as `running`, in upper or lower case.
    status: String,
    /// `container` or `virtual-machine`.
    r#type: String,
    /// On these members of a cluster.
    location: String,
    /// With one of these profiles.
    profile: String,
    /// With this text in the name, the description or an address, in upper or lower case.
    q: String,
    /// In the order of this.
    #[param(inline)]
    sort: Sort,
    /// The other way round.
    descending: bool,
    /// The settings too, without those that may be secrets where the caller may not edit.
    config: bool,
    /// Somebody looks at the instances of this page: their state is read soon, and kept fresh for some minutes.
    look: bool,
}

/// What instances are in the order of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    /// Cloud, project, name.
    #[default]
    Place,
    Name,
    Status,
    Type,
    Location,
    CreatedAt,
    LastUsedAt,
    /// Bytes of memory in use.
    Memory,
    /// Bytes of the root disk in use.
    Disk,
    /// CPU time since the start.
    Cpu,
    Processes,
    Snapshots,
}

/// The instances of all clouds, as the node knows them: no cloud is waited for.
#[utoipa::path(
    get, path = "/instances", operation_id = "list_instances", tag = "instances",
    params(Filter, Page),
    responses(
        (status = 200, body = List<InstanceRow>, headers(("etag" = String, description = "For If-None-Match."))),
        (status = 304, description = "As If-None-Match says, the asker has it already."),
    ),
)]
async fn list(
    State(api): State<Api>,
    caller: Asker,
    headers: HeaderMap,
    uri: Uri,
    Query(filter): Query<Filter>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let query =
        Rows { clouds: items(&filter.cloud), projects: items(&filter.project), kinds: vec![Kind::Instances] };
    let (revision, clouds) = api.inventory.clouds(&query);
    let clouds = clouds.iter().filter(|row| caller.rights.has_cloud(Verb::View, &row.name));
    let clouds = freshness(&api, clouds.map(Arc::as_ref));
    let rights = rights_of(&caller);
    let question = serde_json::to_string(&(uri.to_string(), &rights, &clouds)).unwrap_or_default();
    // What changes in between may be in the answer already: who asks for it again gets it once more.
    let answer = api.answers.get(revision, question, || {
        let snapshot = api.inventory.snapshot(&query);
        let wanted = Wanted::of(&filter);
        let seen = snapshot.instances.iter().filter(|row| {
            caller.rights.allows(Verb::View, &row.key.cloud, &row.key.project) && wanted.is(row)
        });
        let paged = page.of(seen, filter.descending, |row| place(filter.sort, row))?;
        let shows = match filter.look {
            true => paged.items.iter().map(|row| row.key.clone()).collect(),
            false => Vec::new(),
        };
        let items = paged.items.iter().map(|row| shown(&caller, row, filter.config)).collect();
        let clouds = clouds.clone();
        Answer::new(shows, &List::<InstanceRow> { items, next: paged.next, total: paged.total, clouds })
    })?;
    if filter.look {
        api.inventory.look(&answer.shows);
    }
    let states: Vec<_> =
        clouds.iter().map(|cloud| (&cloud.name, cloud.state as u8, &cloud.problem)).collect();
    let depends_on = (uri.to_string(), &caller.node.id, rights, states);
    let version = api.epoch.id_of(revision);
    Ok(tagged(&headers, &version, depends_on, || answer.response(&headers)))
}

/// The row as the caller may see it.
fn shown(caller: &Caller, row: &InstanceRow, with_config: bool) -> InstanceRow {
    match with_config {
        false => InstanceRow { config: Arc::default(), ..row.clone() },
        true if caller.rights.allows(Verb::Edit, &row.key.cloud, &row.key.project) => row.clone(),
        true => secrets::without_of_row(row),
    }
}

/// A filter that rows are held against.
struct Wanted<'a> {
    statuses: Vec<String>,
    kinds: Vec<String>,
    locations: Vec<String>,
    profiles: Vec<String>,
    text: String,
    filter: &'a Filter,
}

impl Wanted<'_> {
    fn of(filter: &Filter) -> Wanted<'_> {
        Wanted {
            statuses: items(&filter.status),
            kinds: items(&filter.r#type),
            locations: items(&filter.location),
            profiles: items(&filter.profile),
            text: filter.q.trim().to_lowercase(),
            filter,
        }
    }

    fn is(&self, row: &InstanceRow) -> bool {
        let one_of = |wanted: &[String], value: &str| {
            wanted.is_empty() || wanted.iter().any(|item| item.eq_ignore_ascii_case(value))
        };
        one_of(&self.statuses, &row.status)
            && one_of(&self.kinds, &row.kind)
            && one_of(&self.locations, &row.location)
            && (self.profiles.is_empty() || row.profiles.iter().any(|name| self.profiles.contains(name)))
            && (self.filter.q.is_empty() || self.has_text(row))
    }

    fn has_text(&self, row: &InstanceRow) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        let mut addresses = row.state.iter().flat_map(|state| &state.addresses);
        has(&row.key.name) || has(&row.description) || addresses.any(|address| has(&address.address))
    }
}

fn place(sort: Sort, row: &InstanceRow) -> Place<'_> {
    let text = Key::text;
    let number = |of: fn(&crate::inventory::InstanceUsage) -> f64| {
        Key::Number(row.state.as_ref().map(of).unwrap_or(-1.0))
    };
    let key = match sort {
        Sort::Place => text(""),
        Sort::Name => text(&row.key.name),
        Sort::Status => text(&row.status),
        Sort::Type => text(&row.kind),
        Sort::Location => text(&row.location),
        Sort::CreatedAt => text(&row.created_at),
        Sort::LastUsedAt => text(&row.last_used_at),
        Sort::Memory => number(|usage| usage.memory as f64),
        Sort::Disk => number(|usage| usage.disk as f64),
        Sort::Cpu => number(|usage| usage.cpu_seconds),
        Sort::Processes => number(|usage| usage.processes as f64),
        Sort::Snapshots => Key::Number(row.snapshots.map_or(-1.0, |count| count as f64)),
    };
    let InstanceKey { cloud, project, name } = &row.key;
    Place::new(key, [cloud, project, name])
}
