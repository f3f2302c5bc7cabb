//! What was changed by whom.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::access::audit::{Cursor, Filter, InvalidCursor, Record, RecordResult};
use crate::api::extract::Query;
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::{Code, Problem};
use crate::api::replica;
use crate::api::state::Api;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default().add(Needs::anywhere(Verb::Admin), routes!(list))
}

/// How many records a page has where nobody says.
const LIMIT: usize = 200;

/// Which records are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this user, by login name.
    user: Option<String>,
    /// Of this node, by ID or full name.
    node: Option<String>,
    /// Such as `start`.
    action: Option<String>,
    cloud: Option<String>,
    project: Option<String>,
    /// Such as `instances/web`.
    object: Option<String>,
    /// `running`, `done`, `failed`, `cancelled`, `denied` or `unknown`.
    #[param(value_type = Option<String>)]
    result: Option<RecordResult>,
    /// How many records at the most, up to 1,000. Default: 200.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Records of the audit of one node, the newest first.
#[derive(Serialize, ToSchema)]
struct Records {
    /// The node whose audit it is, by its short MagicDNS name. Each node has its own.
    node: String,
    #[schema(value_type = Vec<Object>)]
    items: Vec<Record>,
    /// Where the next page begins: `?after=`. None on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What was changed at this node by whom, and what was denied, the newest first. It tells of the places that the caller
/// administrates.
#[utoipa::path(
    get, path = "/audit", operation_id = "list_audit", tag = "audit", params(Wanted),
    responses((status = 200, body = Records)),
)]
async fn list(
    State(api): State<Api>,
    caller: Asker,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Records>, Problem> {
    let own = api.name();
    let after = wanted.after.as_deref().map(|place| read(&own, place)).transpose()?;
    let Wanted { user, node, action, cloud, project, object, result, limit, .. } = wanted;
    let filter = Filter { user, node, action, cloud, project, object, result };
    let page = api.audit.records(after, limit.unwrap_or(LIMIT), filter).await;
    let page = page.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))?;
    let may_see = |record: &Record| match (&record.entry.cloud, &record.entry.project) {
        (Some(cloud), Some(project)) => caller.rights.allows(Verb::Admin, cloud, project),
        (Some(cloud), None) => caller.rights.whole_cloud(Verb::Admin, cloud),
        _ => caller.rights.everywhere(Verb::Admin),
    };
    Ok(Json(Records {
        items: page.records.into_iter().filter(may_see).collect(),
        next: page.next.map(|place| replica::number_of(&own, &place.to_string())),
        node: own.to_string(),
    }))
}

/// The place where a page of this node's audit begins. In another one's it would be any place.
fn read(node: &str, place: &str) -> Result<Cursor, Problem> {
    let own = place.strip_prefix(&replica::number_of(node, "")).unwrap_or(place);
    own.parse().map_err(|error: InvalidCursor| {
        replica::unknown(node, "that page", place, Problem::invalid(error.to_string()))
    })
}
