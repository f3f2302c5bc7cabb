//! Builds `cmd/sandbox` of the Go module, with the Go and the tags that libtailscale-sys built the archive
//! with, so that both share what Go has compiled.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // Set by libtailscale-sys's build script, whose rerun-if-changed lines cover the sources too.
    let metadata = |name: &str| env::var(format!("DEP_TAILSCALE_{name}")).unwrap_or_default();
    println!("cargo::rerun-if-changed=build.rs");
    let program = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("tailnet-sandbox");
    println!("cargo::rustc-env=TAILNET_SANDBOX_PROGRAM={}", program.display());
    if env::var_os("DOCS_RS").is_some() {
        return ExitCode::SUCCESS;
    }
    let source = metadata("SOURCE");
    for folder in ["cmd/sandbox", "internal/sandbox"] {
        println!("cargo::rerun-if-changed={source}/{folder}");
    }
    let mut build = Command::new(metadata("GO"));
    build
        .current_dir(source)
        .args(["build", "-trimpath", "-mod=readonly", "-buildvcs=false"])
        .arg("-buildmode=pie") // compiled as for an archive, so that both share Go's cache
        .args(["-ldflags", "-s -w", "-tags", &metadata("TAGS"), "-o"])
        .arg(&program)
        .arg("./cmd/sandbox");
    for (variable, name) in [("CC", "CC"), ("GOTOOLCHAIN", "GOTOOLCHAIN")] {
        let value = metadata(name);
        if !value.is_empty() {
            build.env(variable, value);
        }
    }
    match build.output() {
        Ok(output) if output.status.success() => ExitCode::SUCCESS,
        Ok(output) => {
            eprintln!("\nerror: tailnet-sandbox: {}\n", String::from_utf8_lossy(&output.stderr));
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!(
                "\nerror: tailnet-sandbox: cannot run the go command ({e}): install Go, or set GO to its path\n"
            );
            ExitCode::FAILURE
        }
    }
}
