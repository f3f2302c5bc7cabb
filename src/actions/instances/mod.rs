//! Instances: what changes them.

mod create;
mod delete;
mod devices;
mod edit;
mod metadata;
mod origin;
pub(crate) mod profiles;
mod rebuild;
mod shell;
mod snapshots;
mod state;

pub(crate) use create::{Wanted, create, launch};
pub(crate) use delete::{delete, rename};
pub(crate) use devices::{DeviceChange, change_devices, missing};
pub(crate) use edit::{
    Devices, Settings, SnapshotSettings, change, expanded_config, expanded_devices, not_set, set, update,
    update_snapshot,
};
pub(crate) use metadata::{Metadata, create_template, delete_template, update_metadata, write_template};
pub(crate) use origin::Origin;
pub(crate) use rebuild::rebuild;
pub(crate) use shell::{SHELLS, login_shell};
pub(crate) use snapshots::{delete_snapshot, rename_snapshot, restore, snapshot};
pub(crate) use state::{Stateful, change_state, start};
