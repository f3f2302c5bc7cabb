//! The groups of this machine, from /etc/group. Groups of other sources, such as LDAP, can be given by their numbers.

use std::fs;
use std::path::Path;

const GROUPS: &str = "/etc/group";

/// The number of a group that is given by its name or number.
pub(super) fn number_of(group: &str) -> Result<u32, String> {
    number_in(Path::new(GROUPS), group)
}

fn number_in(file: &Path, group: &str) -> Result<u32, String> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let text = fs::read_to_string(file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
    let number = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _password, number) = (fields.next()?, fields.next()?, fields.next()?);
        (name == group).then(|| number.parse().ok()).flatten()
    });
    number.ok_or_else(|| format!("{} has no group {group:?}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_by_its_name_or_number() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "root:x:0:\n+::::\nlxd-x:x:5:\nlxd:x:119:ana,ben\n").unwrap();
        assert_eq!(number_in(file.path(), "lxd"), Ok(119));
        assert_eq!(number_in(file.path(), "65534"), Ok(65534));
        assert!(number_in(file.path(), "").unwrap_err().contains("no group"));
        assert!(number_in(file.path(), "ana").unwrap_err().contains("no group \"ana\""));
    }
}
