//! How far a copy between servers is, from the words of a server.

/// How far a copy between servers is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// The bytes of data that this process has carried, for a relayed copy.
    pub carried: Option<u64>,
    /// The bytes that the target has told of, for a copy on another way. They are rounded, and those of a short copy or of
    /// its last second are never told.
    pub received: Option<u64>,
    /// What the target says of its progress, such as `web: 12.30MB (4.10MB/s)`, for a copy on another way.
    pub said: Option<String>,
}

/// Adds up what a server tells of one volume after the other: each one, a snapshot or the instance, begins at 0.
#[derive(Debug, Default)]
pub(super) struct Told {
    before: u64,
    now: u64,
}

impl Told {
    /// Takes the words of a server, and gives the bytes so far; `None` as long as it has told of none.
    pub(super) fn take(&mut self, said: &str) -> Option<u64> {
        if let Some(bytes) = bytes(said) {
            if bytes < self.now {
                self.before += self.now;
            }
            self.now = bytes;
        }
        let all = self.before + self.now;
        (all > 0).then_some(all)
    }
}

/// The bytes in `web: 12.30MB (4.10MB/s)`.
fn bytes(said: &str) -> Option<u64> {
    let (before, _rate) = said.rsplit_once(" (")?;
    let (_volume, amount) = before.rsplit_once(": ")?;
    let unit = amount.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = amount.split_at(unit);
    let power = ["B", "kB", "MB", "GB", "TB", "PB"].iter().position(|known| *known == unit)?;
    let bytes = number.parse::<f64>().ok()? * 1000f64.powi(power as i32);
    Some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_server_are_read_and_its_volumes_added_up() {
        let mut told = Told::default();
        for (said, all) in [
            ("rootfs: 42% (12.3MB/s)", None),
            ("web/s0: 512B (512B/s)", Some(512)),
            ("web/s0: 22.40MB (22.39MB/s)", Some(22_400_000)),
            ("no words of a copy", Some(22_400_000)),
            ("web: 1.50kB (1.50kB/s)", Some(22_401_500)),
            ("web: 2.00GB (1.50kB/s)", Some(2_022_400_000)),
        ] {
            assert_eq!(told.take(said), all, "{said}");
        }
    }
}
