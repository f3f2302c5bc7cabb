//! Tests against a real LXD run where there is one, and are listed as ignored where not.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(real_lxd)");
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rerun-if-env-changed=LXD_DIR");
    if std::env::var_os("LXD_DIR").is_some_and(|dir| !dir.is_empty()) {
        println!("cargo::rustc-cfg=real_lxd");
    }
}
