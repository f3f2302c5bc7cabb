//! The go command: which one, whether it is new enough, and how it builds for cargo's target. The build scripts of
//! libtailscale-sys and tailnet-sandbox share it.
//!
//! What they keep must stay right when the folder is moved or copied, so they tell cargo paths relative to the package,
//! or below `OUT_DIR`, which cargo renames.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The Go module, relative to the package; a build script's working folder is the package.
pub(crate) const SOURCE: &str = "libtailscale";

/// The Go module, where it is now.
pub(crate) fn source() -> Result<PathBuf, String> {
    Path::new(SOURCE).canonicalize().map_err(|e| format!("the Go sources are missing ({SOURCE}: {e})"))
}

/// The build tags of the archive, as `go build -tags` takes them.
fn tags(source: &Path) -> Result<String, String> {
    let file = source.join("build-tags.txt");
    let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(text.lines().collect::<Vec<_>>().join(","))
}

/// Has cargo run the build script again when what Go builds from changes: the environment, or a file in the module.
pub(crate) fn rerun_if_changed() -> Result<(), String> {
    for name in ["GO", "GOTOOLCHAIN", "GOFLAGS"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    rerun_if_folder_changed(Path::new(SOURCE))
}

fn rerun_if_folder_changed(folder: &Path) -> Result<(), String> {
    // A folder's own time changes when a file is added or removed.
    println!("cargo::rerun-if-changed={}", folder.display());
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            rerun_if_folder_changed(&path)?;
        } else if !name.ends_with("_test.go") && !name.ends_with(".md") {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    Ok(())
}

/// The go command, by `GO` or on the `PATH`.
pub(crate) fn command() -> PathBuf {
    env::var_os("GO").unwrap_or_else(|| OsString::from("go")).into()
}

/// A go command that can build the module.
pub(crate) struct Go {
    /// Its path or name.
    pub(crate) command: PathBuf,
    /// What `GOTOOLCHAIN` has to be for it, when the environment leaves that open.
    pub(crate) toolchain: Option<&'static str>,
    version: String,
    required: String,
}

impl Go {
    /// Finds the command and reads its version.
    pub(crate) fn find(source: &Path) -> Result<Go, String> {
        let required = required_version(&source.join("go.mod"))?;
        let command = command();
        let output = Command::new(&command)
            .args(["env", "GOVERSION"])
            .current_dir(env::temp_dir()) // no go.mod: the version of the command itself
            .env("GOTOOLCHAIN", "local")
            .output()
            .map_err(|e| {
                format!(
                    "cannot run the go command ({}: {e}).\nThe tailnet node is built from Go sources, with Go \
                     {required} or newer: install it from https://go.dev/dl/, then make sure that `go` is on \
                     the PATH, or set GO to its path.\n(Or set LIBTAILSCALE_LIB_DIR to a folder with a \
                     libtailscale.a that was built before.)",
                    command.display()
                )
            })?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || !version.starts_with("go") {
            return Err(format!(
                "`{} env GOVERSION` failed: {}",
                command.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            ));
        }
        let too_old = parse(&version) < parse(&required);
        Ok(Go {
            toolchain: (too_old && env::var_os("GOTOOLCHAIN").is_none()).then_some("auto"),
            command,
            version,
            required,
        })
    }

    /// The version that builds, as far as it is known before: a newer one where this one is too old.
    pub(crate) fn built_with(&self) -> &str {
        let version = if self.toolchain.is_some() { &self.required } else { &self.version };
        version.trim_start_matches("go")
    }

    /// Makes the go.mod that uses the edited copies of modules: see cmd/edited.
    pub(crate) fn make_modfile(&self, source: &Path, folder: &Path) -> Result<PathBuf, String> {
        let mut run = Command::new(&self.command);
        run.args(["run", "-trimpath", "-mod=readonly", "-buildvcs=false", "./cmd/edited"]).arg(folder);
        // It runs here, whatever the target is.
        run.env("GO", &self.command).env("CGO_ENABLED", "0").env_remove("GOOS").env_remove("GOARCH");
        self.run(run, source)?;
        Ok(folder.join("go.mod"))
    }

    /// Builds a package of the module for cargo's target, in a mode that `go build -buildmode` knows.
    pub(crate) fn build(
        &self,
        source: &Path,
        modfile: &Path,
        (mode, package): (&str, &str),
        output: &Path,
    ) -> Result<(), String> {
        let mut build = Command::new(&self.command);
        build
            .args(["build", "-trimpath", "-mod=readonly", "-buildvcs=false", "-buildmode", mode, "-modfile"])
            .arg(modfile)
            // Optimised for what the benchmark does: see CONTRIBUTING.md.
            .arg("-pgo")
            .arg(source.join("profile.pgo"))
            .args(["-ldflags", "-s -w", "-tags", &tags(source)?, "-o"])
            .arg(output)
            .arg(package)
            .envs(target_environment()?);
        self.run(build, source)
    }

    fn run(&self, mut command: Command, source: &Path) -> Result<(), String> {
        command.current_dir(source);
        if let Some(toolchain) = self.toolchain {
            command.env("GOTOOLCHAIN", toolchain);
        }
        let output = command.output().map_err(|e| format!("cannot run {}: {e}", self.command.display()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(self.explain(&String::from_utf8_lossy(&output.stderr)))
    }

    fn explain(&self, stderr: &str) -> String {
        let Go { version, required, .. } = self;
        let stderr = stderr.trim();
        let get = format!("install Go {required} or newer from https://go.dev/dl/");
        if stderr.contains("go.mod requires go") || stderr.contains("toolchain not available") {
            format!(
                "Go {required} or newer is needed; this is {version}, and it could not switch to a newer one: \
                 {get}, or unset GOTOOLCHAIN so that it downloads one.\n{stderr}"
            )
        } else if ["dial tcp", "proxy", "no such host", "i/o timeout", "download"]
            .iter()
            .any(|word| stderr.contains(word))
        {
            format!(
                "Go could not download what the build needs (a module, or the Go {required} toolchain). Check the \
                 network and GOPROXY, or run `go mod download` in vendor/libtailscale where there is one; if it is the \
                 toolchain, {get}.\n{stderr}"
            )
        } else {
            format!("building the Go sources failed (with {version}).\n{stderr}")
        }
    }
}

/// The version of tailscale.com that the module is pinned to.
pub(crate) fn tailscale_version(source: &Path) -> Result<String, String> {
    let text = fs::read_to_string(source.join("go.mod")).map_err(|e| format!("go.mod: {e}"))?;
    text.lines()
        .find_map(|line| line.trim().trim_start_matches("require ").strip_prefix("tailscale.com "))
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| "go.mod does not ask for tailscale.com".to_owned())
}

/// The version that a go.mod asks for, such as "go1.26.6".
fn required_version(go_mod: &Path) -> Result<String, String> {
    let text = fs::read_to_string(go_mod).map_err(|e| format!("{}: {e}", go_mod.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("go "))
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| format!("{} does not say which Go it needs", go_mod.display()))
}

/// The numbers of "go1.26.8" or "1.26rc1", for comparison.
fn parse(version: &str) -> Vec<u32> {
    version
        .trim_start_matches("go")
        .split('.')
        .map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        })
        .collect()
}

/// What Go has to know about cargo's target: system, processor, C compiler.
fn target_environment() -> Result<Vec<(&'static str, OsString)>, String> {
    let cargo = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let (os, arch) = (cargo("OS"), cargo("ARCH"));
    let goos = match os.as_str() {
        "macos" => "darwin",
        "linux" | "android" | "freebsd" | "ios" => &os,
        _ => return Err(format!("the operating system {os} is not supported")),
    };
    let goarch = match (arch.as_str(), cargo("ENDIAN").as_str()) {
        ("x86_64", _) => "amd64",
        ("x86", _) => "386",
        ("aarch64", "little") => "arm64",
        ("arm", _) => "arm",
        ("riscv64", _) => "riscv64",
        ("s390x", _) => "s390x",
        ("loongarch64", _) => "loong64",
        ("powerpc64", "little") => "ppc64le",
        _ => return Err(format!("the processor {arch} is not supported")),
    };
    Ok(vec![
        ("CGO_ENABLED", "1".into()),
        ("GOOS", goos.into()),
        ("GOARCH", goarch.into()),
        ("CC", c_compiler()?.into()),
    ])
}

/// The C compiler for cargo's target.
fn c_compiler() -> Result<PathBuf, String> {
    let compiler = cc::Build::new().try_get_compiler();
    compiler.map(|c| c.path().to_owned()).map_err(|e| format!("a C compiler is needed (gcc or clang): {e}"))
}
