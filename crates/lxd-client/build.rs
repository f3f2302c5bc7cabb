//! Tests against a real LXD or Incus run where there is one, and are listed as ignored where not.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(fuzzing, real_lxd, real_incus, pylxd)");
    // The server's name and not LXD_DIR, which is a new folder each time: cargo compiles the crate anew when the value
    // changes.
    println!("cargo::rerun-if-env-changed=LXD_SERVER");
    let server = env::var("LXD_SERVER").unwrap_or_default();
    if matches!(server.as_str(), "lxd" | "incus") {
        println!("cargo::rustc-cfg=real_lxd");
    }
    if server == "incus" {
        println!("cargo::rustc-cfg=real_incus");
    }
    println!("cargo::rerun-if-env-changed=PYLXD_PYTHON");
    if env::var_os("PYLXD_PYTHON").is_some_and(|python| !python.is_empty()) {
        println!("cargo::rustc-cfg=pylxd");
    }
}
