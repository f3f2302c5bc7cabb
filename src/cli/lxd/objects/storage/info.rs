//! `lxd storage info`: how much a pool holds, and what is in it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::actions::objects::{Fields, text};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::{Names, PoolName};
use crate::cli::lxd::objects::usual::show;
use crate::cli::lxd::words;
use crate::cli::output::{Format, Out};

pub(super) async fn info(fleet: &Fleet, pool: &PoolName, bytes: bool, out: &Out) -> anyhow::Result<ExitCode> {
    let object = pool.object(fleet).await?;
    let (client, name) = pool.client(fleet).await?;
    let handle = client.storage_pool(name);
    let (found, holds) = action::run(pool.first(), async |job| {
        tokio::try_join!(object.get(job), async { job.run(handle.resources()).await })
    })
    .await?;
    let size = |count: u64| match out.format {
        Format::Json => json!(count),
        _ if bytes => json!(count.to_string()),
        _ => json!(words::bytes(count)),
    };
    let info = json!({
        "info": {
            "name": text(&found, "name"),
            "driver": text(&found, "driver"),
            "description": text(&found, "description"),
            "space used": size(holds.space.used),
            "total space": size(holds.space.total),
        },
        "used by": users(&found),
    });
    show(info.as_object().unwrap_or(&Fields::new()), out)
}

/// The names of what uses a thing, by kind.
fn users(thing: &Fields) -> BTreeMap<String, Vec<String>> {
    let mut users = BTreeMap::<String, Vec<String>>::new();
    let urls = thing.get("used_by").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for url in urls {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let mut parts = path.trim_start_matches("/1.0/").split('/');
        let (kind, name) = (parts.next().unwrap_or_default(), name_in(path));
        let kind = if kind == "storage-pools" { "volumes" } else { kind };
        let project = query.split('&').find_map(|pair| pair.strip_prefix("project="));
        let project = project.map(|project| format!(" (project {project})")).unwrap_or_default();
        let name = percent_encoding::percent_decode_str(&name).decode_utf8_lossy();
        users.entry(kind.to_owned()).or_default().push(format!("{name}{project}"));
    }
    users
}

/// The name of what a URL's path is of; that of a snapshot has its instance's or volume's before it.
fn name_in(path: &str) -> String {
    let (of, snapshot) = match path.split_once("/snapshots/") {
        Some((of, snapshot)) => (of, format!("/{snapshot}")),
        None => (path, String::new()),
    };
    format!("{}{snapshot}", of.rsplit('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn a_snapshot_is_named_with_what_it_is_of() {
        for (path, name) in [
            ("/1.0/instances/c1", "c1"),
            ("/1.0/instances/c1/snapshots/snap0", "c1/snap0"),
            ("/1.0/storage-pools/default/volumes/custom/data/snapshots/a", "data/a"),
        ] {
            assert_eq!(name_in(path), name);
        }
    }
}
