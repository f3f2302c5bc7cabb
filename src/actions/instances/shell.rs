//! The command that is a login shell in an instance.

/// Becomes root's login shell, as `lxc shell` does, where the instance has `su` and knows root.
const LOGIN: &str = r#"[ "$(id -un 2>/dev/null)" = root ] && command -v su >/dev/null && exec su -l; "#;

/// Becomes a login shell that keeps the setting of the command, which `su` would replace.
const SHELL: &str = "command -v bash >/dev/null && exec bash -l; exec sh -l";

/// A login shell; of root's own setting, or one that keeps another.
pub(crate) fn login_shell(is_plain: bool) -> Vec<String> {
    let login = if is_plain { LOGIN } else { "" };
    ["sh", "-c"].map(str::to_owned).into_iter().chain([format!("{login}{SHELL}")]).collect()
}

/// Shells for instances where `sh` is not in the path of commands, in the order in which they are tried: of an image without
/// `sh`, of NixOS, and of images with nothing but busybox.
pub(crate) const SHELLS: [&[&str]; 3] =
    [&["bash", "-l"], &["/run/current-system/sw/bin/bash", "-l"], &["busybox", "sh", "-l"]];
