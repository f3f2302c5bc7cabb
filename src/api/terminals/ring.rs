//! What a session has shown lately.

use std::collections::VecDeque;

use super::protocol::Stream;

/// How many bytes are kept.
pub(super) const SIZE: usize = 64 << 10;

/// The newest bytes of what a session has shown. A place in it is the number of bytes before it since the begin.
#[derive(Debug, Default)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    /// How many bytes in a row are of which stream.
    runs: VecDeque<(Stream, usize)>,
    end: u64,
}

impl Ring {
    /// The place of the oldest byte that is kept.
    pub(super) fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// The place of the next byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.end += bytes.len() as u64;
        match self.runs.back_mut() {
            Some((last, length)) if *last == stream => *length += bytes.len(),
            _ => self.runs.push_back((stream, bytes.len())),
        }
        let mut spare = self.bytes.len().saturating_sub(SIZE);
        self.bytes.drain(..spare);
        while spare > 0
            && let Some((_, length)) = self.runs.front_mut()
        {
            let gone = spare.min(*length);
            (*length, spare) = (*length - gone, spare - gone);
            if *length == 0 {
                self.runs.pop_front();
            }
        }
    }

    /// Some bytes of one stream from a place on; none where there are no more. What is no longer kept is skipped.
    pub(super) fn from(&self, place: u64) -> Option<(Stream, &[u8])> {
        let skipped = usize::try_from(place.saturating_sub(self.start())).ok()?;
        let mut before = 0;
        let (stream, length) = self.runs.iter().find_map(|&(stream, length)| {
            before += length;
            (before > skipped).then(|| (stream, before - skipped))
        })?;
        let (first, second) = self.bytes.as_slices();
        let bytes = match skipped.checked_sub(first.len()) {
            None => &first[skipped..],
            Some(skipped) => &second[skipped..],
        };
        Some((stream, &bytes[..length.min(bytes.len())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ring: &Ring, mut place: u64) -> Vec<(Stream, Vec<u8>)> {
        let mut found: Vec<(Stream, Vec<u8>)> = Vec::new();
        place = place.max(ring.start());
        while let Some((stream, bytes)) = ring.from(place) {
            assert!(!bytes.is_empty());
            place += bytes.len() as u64;
            match found.last_mut() {
                Some((last, known)) if *last == stream => known.extend(bytes),
                _ => found.push((stream, bytes.to_vec())),
            }
        }
        assert_eq!(place, ring.end());
        found
    }

    #[test]
    fn it_tells_each_stream_apart_from_any_place_on() {
        let mut ring = Ring::default();
        assert_eq!(ring.from(0), None);
        for (stream, text) in
            [(Stream::Out, "ab"), (Stream::Out, "c"), (Stream::Err, "de"), (Stream::Out, "f")]
        {
            ring.push(stream, text.as_bytes());
        }
        let told = |place| -> Vec<(Stream, String)> {
            let all = all(&ring, place).into_iter();
            all.map(|(stream, bytes)| (stream, String::from_utf8(bytes).unwrap())).collect()
        };
        let (out, err) =
            (|text: &str| (Stream::Out, text.to_owned()), |text: &str| (Stream::Err, text.to_owned()));
        assert_eq!(told(0), [out("abc"), err("de"), out("f")]);
        assert_eq!(told(2), [out("c"), err("de"), out("f")]);
        assert_eq!(told(4), [err("e"), out("f")]);
        assert_eq!(told(6), []);
    }

    #[test]
    fn it_keeps_the_newest_64_kib() {
        let mut ring = Ring::default();
        let mut written = Vec::new();
        for (number, length) in [1000, 32 << 10, 7, 40 << 10, 30 << 10, 1].into_iter().enumerate() {
            let bytes: Vec<u8> = (0..length).map(|byte| (byte * 31 + number) as u8).collect();
            ring.push(if number % 2 == 0 { Stream::Out } else { Stream::Err }, &bytes);
            written.extend(bytes);
        }
        assert_eq!((ring.start(), ring.end()), ((written.len() - SIZE) as u64, written.len() as u64));
        let kept: Vec<u8> = all(&ring, 0).into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert!(kept == written[written.len() - SIZE..]);
        assert_eq!(ring.runs.iter().map(|(_, length)| length).sum::<usize>(), SIZE);
    }
}
