//! `reload`: has the running node read its configuration again.

use super::super::output::Out;
use crate::config::Config;
use crate::control::protocol::Reloaded;
use crate::uplink::running;

pub(super) async fn run(config: &Config, out: &Out) -> anyhow::Result<()> {
    let reloaded = running(config).await?.reload().await?;
    out.print(&reloaded, || {
        let Reloaded { added, removed, changed, needs_restart } = &reloaded;
        let mut text = String::new();
        for (what, names) in
            [("added", added), ("removed", removed), ("changed", changed), ("needs a restart", needs_restart)]
        {
            if !names.is_empty() {
                text += &format!("{what}: {}\n", names.join(" "));
            }
        }
        if text.is_empty() { "nothing has changed\n".to_owned() } else { text }
    })?;
    Ok(())
}
