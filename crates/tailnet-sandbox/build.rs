//! Builds `cmd/sandbox` and `cmd/wire` of the Go module, with the Go and the tags that libtailscale-sys built the archive
//! with, so that both share what Go has compiled.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // Set by libtailscale-sys's build script, whose rerun-if-changed lines cover the sources too.
    let metadata = |name: &str| env::var(format!("DEP_TAILSCALE_{name}")).unwrap_or_default();
    println!("cargo::rerun-if-changed=build.rs");
    let programs = [("sandbox", "PROGRAM"), ("wire", "WIRE")].map(|(command, variable)| {
        let program = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        let program = program.join(format!("tailnet-{command}"));
        println!("cargo::rustc-env=TAILNET_SANDBOX_{variable}={}", program.display());
        (command, program)
    });
    if env::var_os("DOCS_RS").is_some() {
        return ExitCode::SUCCESS;
    }
    let source = metadata("SOURCE");
    for folder in ["cmd/sandbox", "cmd/wire", "internal/sandbox"] {
        println!("cargo::rerun-if-changed={source}/{folder}");
    }
    // None where the archive was built before.
    let modfile =
        Some(metadata("MODFILE")).filter(|path| !path.is_empty()).map(|path| format!("-modfile={path}"));
    for (command, program) in &programs {
        let mut build = Command::new(metadata("GO"));
        build
            .current_dir(&source)
            .args(["build", "-trimpath", "-mod=readonly", "-buildvcs=false"])
            .arg("-buildmode=pie") // compiled as for an archive, so that both share Go's cache
            .args(modfile.iter())
            .args(["-pgo", &metadata("PROFILE")])
            .args(["-ldflags", "-s -w", "-tags", &metadata("TAGS"), "-o"])
            .arg(program)
            .arg(format!("./cmd/{command}"));
        for (variable, name) in [("CC", "CC"), ("GOTOOLCHAIN", "GOTOOLCHAIN")] {
            let value = metadata(name);
            if !value.is_empty() {
                build.env(variable, value);
            }
        }
        let failure = match build.output() {
            Ok(output) if output.status.success() => continue,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(e) => format!("cannot run the go command ({e}): install Go, or set GO to its path"),
        };
        eprintln!("\nerror: tailnet-sandbox: {failure}\n");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
