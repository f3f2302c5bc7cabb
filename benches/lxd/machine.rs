//! On what a benchmark ran.

/// The date, the commit, the machine and the versions.
pub(crate) fn machine() -> String {
    let said = |program: &str, args: &[&str]| {
        let output = std::process::Command::new(program).args(args).output();
        output.map_or_else(|_| "?".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "on {} at commit {}: {cores} cores, {}; Linux {}; LXD and `lxc` {}",
        said("date", &["+%F"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        model.trim_start_matches([' ', '\t', ':']),
        said("uname", &["-r"]),
        said("lxc", &["--version"]),
    )
}

/// The benchmark's own arguments.
pub(crate) fn arguments() -> String {
    std::env::args().skip(1).filter(|arg| arg != "--bench").collect::<Vec<_>>().join(" ")
}
