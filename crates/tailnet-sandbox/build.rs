//! Builds `cmd/sandbox` of the Go module for cargo's target, as libtailscale-sys builds the archive, so that both share
//! what Go has compiled. `GO` names the go command.

// Both folders are links to those of libtailscale-sys; cargo packages what they point to.
#[path = "build/go.rs"]
#[allow(dead_code, reason = "libtailscale-sys uses the rest")]
mod go;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/go.rs");
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let program = out_dir.join("tailnet-sandbox");
    println!("cargo::rustc-env=TAILNET_SANDBOX_PROGRAM={}", program.display());
    if env::var_os("DOCS_RS").is_some() {
        return ExitCode::SUCCESS;
    }
    match build(&out_dir, &program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nerror: tailnet-sandbox: {message}\n");
            ExitCode::FAILURE
        }
    }
}

fn build(out_dir: &Path, program: &Path) -> Result<(), String> {
    go::rerun_if_changed()?;
    let source = go::source()?;
    let go = go::Go::find(&source)?;
    let modfile = go.make_modfile(&source, &out_dir.join("modules"))?;
    // A program of mode pie is compiled as an archive is.
    go.build(&source, &modfile, ("pie", "./cmd/sandbox"), program)
}
