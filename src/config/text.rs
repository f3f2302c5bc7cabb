//! Files that people write, as editors leave them.

use std::fs;
use std::io;
use std::path::Path;

/// Reads a text, with or without a byte order mark. One in UTF-16, as PowerShell writes it, needs the mark.
///
/// # Errors
/// As [`fs::read_to_string`].
pub(crate) fn read(path: &Path) -> io::Result<String> {
    decode(fs::read(path)?)
}

/// As [`read`], for a text that may be for others too, and in whatever encoding: what is not UTF-8 becomes U+FFFD.
///
/// # Errors
/// As [`fs::read`], and when a text in UTF-16 is none.
pub(super) fn read_of_others(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    match bytes.as_slice() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => decode(bytes),
        _ => decode(String::from_utf8_lossy(&bytes).into_owned().into_bytes()),
    }
}

fn decode(bytes: Vec<u8>) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(not_text),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).map_err(not_text),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> io::Result<String> {
    let not_text = || io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-16");
    if !bytes.len().is_multiple_of(2) {
        return Err(not_text());
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| not_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let le: Vec<u8> = "\u{feff}kéy\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "\u{feff}kéy\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in ["kéy\n".into(), "\u{feff}kéy\n".into(), le.clone(), be] {
            assert_eq!(decode(bytes).unwrap(), "kéy\n");
        }
        let half = decode(le[..le.len() - 1].to_vec()).unwrap_err();
        assert_eq!(half.to_string(), "it is not UTF-16");
        assert_eq!(decode(vec![b'a', 0xe9]).unwrap_err().to_string(), "it is not UTF-8");
    }
}
