//! Lists: which page of them, in which order, and how fresh what each cloud has is.

use std::borrow::Cow;
use std::cmp::Ordering;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask::hash_of;
use super::problem::Problem;
use super::state::Api;
use crate::access::Caller;
use crate::clock::{now, rfc3339};
use crate::inventory::CloudRow;

/// A page of a list, and how fresh it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct List<T> {
    pub(in crate::api) items: Vec<T>,
    /// Where the next page begins: `?after=`. None on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
    /// How many there are on all pages.
    pub(in crate::api) total: usize,
    /// How fresh what each cloud has is.
    pub(in crate::api) clouds: Vec<Freshness>,
}

/// How fresh the rows of a cloud are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct Freshness {
    pub(in crate::api) name: String,
    pub(in crate::api) state: FreshnessState,
    /// When its rows were true: now, where they are fresh. RFC 3339. None where they were never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) as_of: Option<String>,
    /// Why they are not fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) problem: Option<String>,
}

/// How fresh rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum FreshnessState {
    /// As the cloud has them now.
    Fresh,
    /// As it had them some time ago, or not read yet.
    Stale,
    /// The same, and the cloud cannot be reached.
    Unreachable,
}

/// How fresh what these clouds have is.
pub(in crate::api) fn freshness<'a>(
    api: &Api,
    clouds: impl IntoIterator<Item = &'a CloudRow>,
) -> Vec<Freshness> {
    clouds.into_iter().map(|row| of_cloud(api, row)).collect()
}

fn of_cloud(api: &Api, row: &CloudRow) -> Freshness {
    let is_fresh = row.filled && row.stale_since.is_none();
    let health = api.node.cloud(&row.name).map(|cloud| cloud.health()).unwrap_or_default();
    let state = match (is_fresh, health.reachable) {
        (true, _) => FreshnessState::Fresh,
        (false, Some(false)) => FreshnessState::Unreachable,
        (false, _) => FreshnessState::Stale,
    };
    let as_of = match (is_fresh, row.filled) {
        (true, _) => Some(now()),
        (false, true) => row.stale_since,
        (false, false) => None,
    };
    let problem = match is_fresh {
        true => None,
        false => row.stale_reason.clone().or(health.error).or_else(|| Some("not read yet".to_owned())),
    };
    Freshness { name: row.name.clone(), state, as_of: as_of.map(rfc3339), problem }
}

/// Which page of a list is asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct Page {
    /// How many items at the most, up to 1,000. Default: 200.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// How many items a page has where nobody says.
const LIMIT: usize = 200;

/// No page has more.
const MOST: usize = 1_000;

/// What a list is in the order of, so that no two items have the same: what was asked for, and then the item's name.
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub(in crate::api) struct Place<'a> {
    pub(in crate::api) key: Key<'a>,
    pub(in crate::api) name: [Cow<'a, str>; 3],
}

/// What the items of a list are compared by.
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::api) enum Key<'a> {
    Number(f64),
    Text(Cow<'a, str>),
}

impl<'a> Place<'a> {
    pub(in crate::api) fn new(key: Key<'a>, name: [&'a str; 3]) -> Place<'a> {
        Place { key, name: name.map(Cow::Borrowed) }
    }
}

impl<'a> Key<'a> {
    pub(in crate::api) fn text(text: &'a str) -> Key<'a> {
        Key::Text(Cow::Borrowed(text))
    }
}

impl Page {
    /// The items of this page, in the order of their places, and where the next page begins. An item that came or went between
    /// two pages moves no other.
    pub(in crate::api) fn of<'a, T>(
        &self,
        items: impl IntoIterator<Item = T>,
        descending: bool,
        place: impl Fn(&T) -> Place<'a>,
    ) -> Result<Paged<T>, Problem> {
        let limit = self.limit.unwrap_or(LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::invalid(format!("limit is from 1 to {MOST}")));
        }
        let order = |a: &Place<'_>, b: &Place<'_>| {
            let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        };
        let after = self.after.as_deref().map(read_cursor).transpose()?;
        let mut all: Vec<(Place<'_>, T)> = items.into_iter().map(|item| (place(&item), item)).collect();
        let total = all.len();
        if let Some(after) = &after {
            all.retain(|(place, _)| order(place, after) == Ordering::Greater);
        }
        if all.len() > limit {
            all.select_nth_unstable_by(limit, |(a, _), (b, _)| order(a, b));
        }
        let is_last = all.len() <= limit;
        all.truncate(limit);
        all.sort_unstable_by(|(a, _), (b, _)| order(a, b));
        let next = all.last().filter(|_| !is_last).map(|(place, _)| write_cursor(place));
        Ok(Paged { items: all.into_iter().map(|(_, item)| item).collect(), next, total })
    }
}

/// The items of a page.
#[derive(Debug)]
pub(in crate::api) struct Paged<T> {
    pub(in crate::api) items: Vec<T>,
    pub(in crate::api) next: Option<String>,
    pub(in crate::api) total: usize,
}

fn write_cursor(place: &Place<'_>) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

fn read_cursor(text: &str) -> Result<Place<'static>, Problem> {
    let place = URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok());
    place.ok_or_else(|| {
        Problem::invalid("after is not the `next` of a page").remedy("ask for the first page again")
    })
}

/// The items of a parameter that has commas between them.
pub(in crate::api) fn items(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// An answer that is only sent where the asker has not got it already. The tag is of the version of what the inventory has,
/// which no other process counts alike, and of whatever else the answer depends on.
pub(in crate::api) fn tagged(
    asked: &HeaderMap,
    version: &str,
    depends_on: impl std::hash::Hash,
    answer: impl FnOnce() -> Response,
) -> Response {
    let hash = hash_of(&depends_on);
    let tag = format!("W/\"{version}-{hash:016x}\"");
    let mut response =
        if has_already(asked, &tag) { StatusCode::NOT_MODIFIED.into_response() } else { answer() };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    // A browser keeps it, and asks each time whether it is still right.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Whether the asker has got already what has that tag.
pub(in crate::api) fn has_already(asked: &HeaderMap, tag: &str) -> bool {
    let known = asked.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|value| value.trim() == tag || value.trim() == "*")
}

/// What an answer depends on, of who asks.
pub(in crate::api) fn rights_of(caller: &Caller) -> String {
    serde_json::to_string(&caller.rights).unwrap_or_default()
}

/// An answer in JSON.
pub(in crate::api) fn json<T: Serialize>(value: T) -> Response {
    Json(value).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: usize, after: Option<String>) -> Page {
        Page { limit: Some(limit), after }
    }

    fn place(item: &(u32, &'static str)) -> Place<'static> {
        Place::new(Key::Number(f64::from(item.0)), [item.1, "", ""])
    }

    #[test]
    fn pages_follow_each_other_whatever_comes_and_goes_between_them() {
        let items = [(1, "c"), (3, "a"), (1, "a"), (2, "b"), (1, "b")];
        let first = page(2, None).of(items, false, place).unwrap();
        assert_eq!((first.items, first.total), (vec![(1, "a"), (1, "b")], 5));
        let changed = [(1, "c"), (3, "a"), (1, "aa"), (2, "b"), (0, "new")]; // the last one of the page is gone
        let second = page(2, first.next).of(changed, false, place).unwrap();
        assert_eq!(second.items, [(1, "c"), (2, "b")]);
        let third = page(2, second.next).of(changed, false, place).unwrap();
        assert_eq!((third.items, third.next), (vec![(3, "a")], None));
        let down = page(3, None).of(items, true, place).unwrap();
        assert_eq!(down.items, [(3, "a"), (2, "b"), (1, "c")]);
        assert_eq!(page(3, down.next).of(items, true, place).unwrap().items, [(1, "b"), (1, "a")]);
    }

    #[test]
    fn a_cursor_and_a_limit_that_make_no_sense_are_refused() {
        for (limit, after) in [(0, None), (1001, None), (2, Some("x")), (2, Some("e30")), (2, Some(""))] {
            let page = page(limit, after.map(str::to_owned));
            assert!(page.of([(1, "a")], false, place).is_err(), "{page:?}");
        }
    }
}
