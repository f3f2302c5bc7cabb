//! Where the entries of an archive go: into the folder, and nowhere else.

use super::LONGEST;

/// No name of a file is longer, as in Linux.
const LONGEST_NAME: usize = 255;

/// The path of an entry below the folder, without a slash at either end; empty for the folder itself. Says why where it has none.
pub(super) fn inside(written: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(written).map_err(|_| "its name is not UTF-8")?;
    if text.starts_with('/') {
        return Err("its path is absolute");
    }
    if text.contains('\0') {
        return Err("its path has a NUL");
    }
    let names = text.split('/').filter(|name| !name.is_empty() && *name != ".");
    let names: Vec<&str> = names.collect();
    if names.contains(&"..") {
        return Err("its path leads out of the folder, with ..");
    }
    if names.iter().any(|name| name.len() > LONGEST_NAME) || text.len() > LONGEST {
        return Err("its path is too long");
    }
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_into_the_folder_or_nowhere() {
        for (written, path) in [
            ("a", "a"),
            ("./a/b/", "a/b"),
            (".", ""),
            ("./", ""),
            ("", ""),
            ("a//./b", "a/b"),
            ("..a/b..", "..a/b.."),
            ("ñ #%\n", "ñ #%\n"),
        ] {
            assert_eq!(inside(written.as_bytes()).as_deref(), Ok(path), "{written:?}");
        }
        let long = format!("a/{}", "b".repeat(256));
        let deep = "a/".repeat(2100);
        for written in
            ["/etc/passwd", "//etc", "..", "../a", "a/../../b", "a/..", "./..", "a\0b", &long, &deep]
        {
            assert!(inside(written.as_bytes()).is_err(), "{written:?}");
        }
        assert!(inside(b"caf\xe9").is_err());
    }
}
