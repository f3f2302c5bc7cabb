//! Stamps the version: this program's, its commit, and what of Tailscale and Go is in it.

use std::fs;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for path in [".git/HEAD", ".git/logs/HEAD"] {
        if fs::exists(path).unwrap_or(false) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    // Tests against a real LXD run where there is one, and are listed as ignored where not. The variable is not LXD_DIR,
    // which is a new folder each time: cargo compiles the crate anew when the value changes.
    println!("cargo::rustc-check-cfg=cfg(real_lxd)");
    println!("cargo::rerun-if-env-changed=LXD_SERVER");
    if std::env::var("LXD_SERVER").is_ok_and(|server| matches!(server.as_str(), "lxd" | "incus")) {
        println!("cargo::rustc-cfg=real_lxd");
    }
    let version = env!("CARGO_PKG_VERSION");
    let commit = commit().map(|c| format!("{c}, ")).unwrap_or_default();
    // Set by libtailscale-sys's build script.
    let built_with =
        |name: &str| std::env::var(format!("DEP_TAILSCALE_{name}")).unwrap_or("unknown".to_owned());
    let (tailscale, go) = (built_with("VERSION"), built_with("GO_VERSION"));
    println!("cargo::rustc-env=KOLABOREE_VERSION={version} ({commit}tailscale.com {tailscale}, Go {go})");
}

/// The commit, when this is built from a checkout.
fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
