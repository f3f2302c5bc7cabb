//! Builds the Go module in `libtailscale/` as a C archive and links it.
//!
//! From the environment: `GO` names the go command; `LIBTAILSCALE_LIB_DIR` names a folder that holds a
//! `libtailscale.a` built before, and then no Go is needed.
//! To dependents that ask (`DEP_TAILSCALE_*`): `include`, the folder of tailscale.h; `version` and `go_version`, of
//! tailscale.com and Go.

#[path = "build/go.rs"]
mod go;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

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
    for name in ["LIBTAILSCALE_LIB_DIR", "DOCS_RS"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let source = go::source()?;
    let header = source.join("tailscale.h");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/go.rs");
    println!("cargo::rerun-if-changed={}/tailscale.h", go::SOURCE);
    println!("cargo::metadata=include={}", copy_header(&header, &out_dir)?.display());

    #[cfg(feature = "bindgen")]
    bindings::generate(&header, &out_dir)?;

    if env::var_os("DOCS_RS").is_some() {
        return Ok(()); // documentation needs the declarations only
    }
    println!("cargo::metadata=version={}", go::tailscale_version(&source)?);
    match env::var_os("LIBTAILSCALE_LIB_DIR") {
        Some(dir) => link(&prebuilt(Path::new(&dir), &header)?),
        None => {
            go::rerun_if_changed()?;
            let go = go::Go::find(&source)?;
            println!("cargo::metadata=go_version={}", go.built_with());
            let modfile = go.make_modfile(&source, &out_dir.join("modules"))?;
            go.build(&source, &modfile, ("c-archive", "."), &out_dir.join("libtailscale.a"))?;
            link(&out_dir);
        }
    }
    Ok(())
}

/// Gives the folder, which is below `OUT_DIR` so that cargo knows where it is after a move.
fn copy_header(header: &Path, out_dir: &Path) -> Result<PathBuf, String> {
    let folder = out_dir.join("include");
    let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(header, folder.join("tailscale.h")));
    copied.map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
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
    let text = fs::read_to_string(header).ok()?;
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
    use std::path::Path;
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
    pub(crate) fn generate(header: &Path, out_dir: &Path) -> Result<(), String> {
        println!("cargo::rerun-if-env-changed=LIBTAILSCALE_UPDATE_BINDINGS");
        let bindings = bindgen::builder()
            .header(header.to_str().ok_or("the path of tailscale.h is not UTF-8")?)
            .parse_callbacks(Box::new(bindgen::CargoCallbacks::new().rerun_on_header_files(false)))
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
        let out = out_dir.join("bindings.rs");
        bindings.write_to_file(&out).map_err(|e| e.to_string())?;
        if env::var_os("LIBTAILSCALE_UPDATE_BINDINGS").is_some() {
            fs::copy(&out, "src/bindings.rs").map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
