//! What the name of an archive ends with.

/// How archives begin that servers make, and what their names end with.
const KINDS: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", ".tar.gz"),
    (b"\x28\xb5\x2f\xfd", ".tar.zst"),
    (b"\xfd7zXZ\0", ".tar.xz"),
    (b"BZh", ".tar.bz2"),
    (b"\x04\x22\x4d\x18", ".tar.lz4"),
    (b"\x5d\0\0", ".tar.lzma"),
    (b"hsqs", ".squashfs"),
];

/// Where a tar that is not compressed says that it is one.
const USTAR: (usize, &[u8]) = (257, b"ustar");

/// What the name of an archive ends with that begins like this; nothing where its kind is not known.
pub(in crate::api) fn ending(begin: &[u8]) -> &'static str {
    let known = KINDS.iter().find(|(magic, _)| begin.starts_with(magic)).map(|(_, ending)| *ending);
    let is_tar = || begin.get(USTAR.0..).is_some_and(|rest| rest.starts_with(USTAR.1));
    known.unwrap_or_else(|| if is_tar() { ".tar" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_by_its_begin() {
        let tar = [vec![0; 257], b"ustar\x0000".to_vec()].concat();
        for (begin, told) in [
            (&b"\x1f\x8b\x08\0"[..], ".tar.gz"),
            (b"\x28\xb5\x2f\xfd\x04", ".tar.zst"),
            (b"\xfd7zXZ\0\0", ".tar.xz"),
            (b"BZh9", ".tar.bz2"),
            (b"hsqs\0", ".squashfs"),
            (&tar, ".tar"),
            (&tar[..260], ""),
            (b"\x1f", ""),
            (b"", ""),
        ] {
            assert_eq!(ending(begin), told, "{begin:?}");
        }
    }
}
