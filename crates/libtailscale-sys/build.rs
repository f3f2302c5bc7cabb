//! Builds the Go module in `libtailscale/` as a C archive and links it.
//!
//! From the environment: `GO` names the go command; `LIBTAILSCALE_LIB_DIR` names a folder that holds a
//! `libtailscale.a` built before, and then no Go is needed.
//! To dependents that ask (`DEP_TAILSCALE_*`): `go`, `gotoolchain`, `cc`, `source`, `tags`,
//! `profile`, `modfile`, `include`; `version` and `go_version`: of tailscale.com and Go.

#[path = "build/go.rs"]
mod go;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Cargo shows a failed build script's standard error.
            eprintln!("\nerror: libtailscale-sys: {message}\n");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    for name in ["GO", "LIBTAILSCALE_LIB_DIR", "GOTOOLCHAIN", "GOFLAGS", "DOCS_RS"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let source = manifest_dir
        .join("libtailscale")
        .canonicalize()
        .map_err(|e| format!("the Go sources are missing ({}/libtailscale: {e})", manifest_dir.display()))?;
    let header = source.join("tailscale.h");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/go.rs");
    println!("cargo::metadata=include={}", source.display());

    #[cfg(feature = "bindgen")]
    bindings::generate(&manifest_dir, &header)?;
    #[cfg(not(feature = "bindgen"))]
    println!("cargo::rerun-if-changed={}", header.display());

    if env::var_os("DOCS_RS").is_some() {
        return Ok(()); // documentation needs the declarations only
    }
    println!("cargo::metadata=source={}", source.display());
    println!("cargo::metadata=tags={}", go::tags(&source)?);
    println!("cargo::metadata=profile={}", go::profile(&source).display());
    println!("cargo::metadata=version={}", go::tailscale_version(&source)?);
    match env::var_os("LIBTAILSCALE_LIB_DIR") {
        Some(dir) => {
            println!("cargo::metadata=go={}", go::command().display());
            link(&prebuilt(Path::new(&dir), &header)?);
        }
        None => {
            go::rerun_if_changed(&source)?;
            let go = go::Go::find(&source)?;
            println!("cargo::metadata=go={}", go.command.display());
            println!("cargo::metadata=cc={}", go::c_compiler()?.display());
            println!("cargo::metadata=go_version={}", go.built_with());
            if let Some(toolchain) = go.toolchain {
                println!("cargo::metadata=gotoolchain={toolchain}");
            }
            let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
            let modfile = go.make_modfile(&source, &out_dir.join("wireguard"))?;
            println!("cargo::metadata=modfile={}", modfile.display());
            go.build_archive(&source, &modfile, &out_dir.join("libtailscale.a"))?;
            link(&out_dir);
        }
    }
    Ok(())
}

/// Checks what is in `dir`: the archive and, if it came with one, its header.
fn prebuilt(dir: &Path, header: &Path) -> Result<PathBuf, String> {
    let (archive, its_header) = (dir.join("libtailscale.a"), dir.join("tailscale.h"));
    for file in [&archive, &its_header] {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    if !archive.is_file() {
        return Err(format!(
            "LIBTAILSCALE_LIB_DIR is {}, but there is no libtailscale.a in it",
            dir.display()
        ));
    }
    match (abi_version(&its_header), abi_version(header)) {
        (Some(found), Some(needed)) if found != needed => Err(format!(
            "LIBTAILSCALE_LIB_DIR is {}, whose tailscale.h has version {found} of the interface; version {needed} is needed: build the archive from the same sources",
            dir.display(),
        )),
        _ => Ok(dir.to_owned()),
    }
}

/// The version that a tailscale.h names. An archive without a header is asked when the program runs.
fn abi_version(header: &Path) -> Option<String> {
    let text = std::fs::read_to_string(header).ok()?;
    let version = text.lines().find_map(|line| line.strip_prefix("#define TAILSCALE_ABI_VERSION "))?;
    Some(version.trim().to_owned())
}

fn link(dir: &Path) {
    println!("cargo::rustc-link-search=native={}", dir.display());
    println!("cargo::rustc-link-lib=static=tailscale");
    // What Go's runtime and resolver use of the C side.
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos" | "ios") => {
            for framework in ["CoreFoundation", "Security", "IOKit"] {
                println!("cargo::rustc-link-lib=framework={framework}");
            }
            println!("cargo::rustc-link-lib=resolv");
        }
        _ => {
            println!("cargo::rustc-link-lib=resolv");
            println!("cargo::rustc-link-lib=pthread");
        }
    }
}

#[cfg(feature = "bindgen")]
mod bindings {
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    use sha2::{Digest, Sha256};

    /// Takes the `<` out of comments that stand behind what they document.
    #[derive(Debug)]
    struct Docs;

    impl bindgen::callbacks::ParseCallbacks for Docs {
        fn process_comment(&self, comment: &str) -> Option<String> {
            Some(comment.trim_start_matches('<').trim().to_owned())
        }
    }

    /// By this the tests see without libclang whether the bindings are those of the header.
    fn sha256(header: &Path) -> Result<String, String> {
        let text = fs::read(header).map_err(|e| e.to_string())?;
        Ok(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Writes `OUT_DIR/bindings.rs`, and `src/bindings.rs` when the environment asks for it.
    pub(crate) fn generate(manifest_dir: &Path, header: &Path) -> Result<(), String> {
        println!("cargo::rerun-if-env-changed=LIBTAILSCALE_UPDATE_BINDINGS");
        let bindings = bindgen::builder()
            .header(header.to_str().ok_or("the path of tailscale.h is not UTF-8")?)
            .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
            .parse_callbacks(Box::new(Docs))
            .allowlist_file(r".*/tailscale\.h")
            .default_enum_style(bindgen::EnumVariation::Consts)
            .prepend_enum_name(false)
            .formatter(bindgen::Formatter::Prettyplease)
            .layout_tests(false) // they would hold for one word size only
            .rust_edition(bindgen::RustEdition::Edition2024)
            .disable_header_comment()
            .raw_line("// Made by bindgen from tailscale.h: see the feature `bindgen` in Cargo.toml.")
            .raw_line(format!("// SHA-256 of tailscale.h: {}", sha256(header)?))
            .generate()
            .map_err(|e| format!("bindgen: {e}"))?;
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("bindings.rs");
        bindings.write_to_file(&out).map_err(|e| e.to_string())?;
        if env::var_os("LIBTAILSCALE_UPDATE_BINDINGS").is_some() {
            fs::copy(&out, manifest_dir.join("src/bindings.rs")).map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
