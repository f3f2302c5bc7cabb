//! The inventory: one live model of all clouds, for the commands and the API.
#![allow(dead_code, unused_imports)]

mod row;

pub(crate) use row::{CloudRow, ImageRow, InstanceAddress, InstanceKey, InstanceRow, InstanceUsage, OperationRow};
