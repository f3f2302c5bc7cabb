//! `status`: shows the running node, its peers and its clouds.

use qrcode::render::unicode::Dense1x2;
use tailnet::BackendState;

use super::super::exit::UserError;
use super::super::output::Out;
use super::super::tables;
use crate::config::Config;
use crate::uplink::running;

pub(super) async fn run(config: &Config, no_peers: bool, qr: bool, out: &Out) -> anyhow::Result<()> {
    let mut status = running(config).await?.status().await?;
    if no_peers {
        status.peers.clear();
    }
    let code = match (&status.page, qr) {
        (Some(page), true) => code(page)?,
        (None, true) => {
            return Err(UserError::new(
                1,
                "there is no page: tailnet.listen in kolaboree.yaml has it served",
            )
            .into());
        }
        (_, false) => String::new(),
    };
    out.print(&status, || tables::status(&status, out) + &code)?;
    if status.state == BackendState::Running {
        return Ok(());
    }
    // As `tailscale status`: whether it is up shows in the exit code too.
    Err(UserError::new(4, format!("the node is not in its tailnet ({})", status.state)).into())
}

/// A text as a QR code of half blocks. Its light parts are drawn, so that it is read on dark terminals; with the quiet zone around
/// it, scanners read it on light ones too.
fn code(text: &str) -> anyhow::Result<String> {
    let code = qrcode::QrCode::new(text)?;
    let drawn = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    Ok(format!("\n{drawn}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_quiet_zone_and_lines_of_one_length() {
        let drawn = code("http://kolaboree-node.tailnet.ts.net/").unwrap();
        let lines: Vec<&str> = drawn.trim().lines().collect();
        let width = lines[0].chars().count();
        assert!(width > 30 && lines.iter().all(|line| line.chars().count() == width), "{drawn}");
        assert!(lines[1].starts_with("████"), "{drawn}");
    }
}
