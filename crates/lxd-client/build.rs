//! Tests against a real LXD or Incus run where there is one, and are listed as ignored where not.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(real_lxd)");
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rustc-check-cfg=cfg(real_incus)");
    println!("cargo::rerun-if-env-changed=LXD_DIR");
    println!("cargo::rerun-if-env-changed=LXD_SERVER");
    println!("cargo::rustc-check-cfg=cfg(pylxd)");
    println!("cargo::rerun-if-env-changed=PYLXD_PYTHON");
    if std::env::var_os("PYLXD_PYTHON").is_some_and(|python| !python.is_empty()) {
        println!("cargo::rustc-cfg=pylxd");
    }
    if std::env::var("LXD_SERVER").is_ok_and(|server| server == "incus") {
        println!("cargo::rustc-cfg=real_incus");
    }
    if std::env::var_os("LXD_DIR").is_some_and(|dir| !dir.is_empty()) {
        println!("cargo::rustc-cfg=real_lxd");
    }
}
