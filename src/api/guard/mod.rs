//! What stands before every route: by which name it was asked, by which site's page, by whom, and how often.

mod fetch;
mod headers;
mod hosts;
mod limits;

pub(in crate::api) use fetch::{Asked, may_send};
pub(in crate::api) use headers::{harden, policy};
pub(in crate::api) use hosts::{Host, OwnNames};
pub(in crate::api) use limits::{Held, Limits, Permit};
