//! Answers that many ask for: made once for all who may see the same, until something changes.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::problem::{Code, Problem};
use crate::inventory::{InstanceKey, Revision};

/// How many answers are kept, and how many bytes of them.
const MOST: usize = 32;
const MOST_BYTES: usize = 8 << 20;

/// Shorter answers are sent as they are.
const SHORT: usize = 1_024;

/// A list of instances compresses twice as fast by this as by the default, and is a tenth longer.
const LEVEL: Compression = Compression::new(4);

/// The answers of the newest revision. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Answers(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    revision: Revision,
    /// Each with what it is the answer to, oldest first.
    answers: VecDeque<(String, Arc<Answer>)>,
}

/// An answer in JSON.
#[derive(Debug)]
pub(in crate::api) struct Answer {
    /// The instances that it shows.
    pub(in crate::api) shows: Vec<InstanceKey>,
    plain: Bytes,
    gzip: OnceLock<Bytes>,
}

impl Answers {
    /// The answer to this question at this revision; `make` is asked where it is not known. The question has in it all that the
    /// answer depends on beside the revision: the rights of who asks, too.
    pub(in crate::api) fn get(
        &self,
        revision: Revision,
        question: String,
        make: impl FnOnce() -> Result<Answer, Problem>,
    ) -> Result<Arc<Answer>, Problem> {
        if let Some(answer) = self.known(revision, &question) {
            return Ok(answer);
        }
        let answer = Arc::new(make()?);
        self.keep(revision, question, &answer);
        Ok(answer)
    }

    fn known(&self, revision: Revision, question: &str) -> Option<Arc<Answer>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers =
            known.answers.iter().filter(|(asked, _)| known.revision == revision && asked == question);
        answers.next().map(|(_, answer)| Arc::clone(answer))
    }

    fn keep(&self, revision: Revision, question: String, answer: &Arc<Answer>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.revision > revision {
            return;
        }
        if known.revision < revision {
            known.revision = revision;
            known.answers.clear();
        }
        known.answers.push_back((question, Arc::clone(answer)));
        while known.answers.len() > MOST
            || known.answers.iter().map(|(_, one)| one.plain.len()).sum::<usize>() > MOST_BYTES
        {
            known.answers.pop_front();
        }
    }
}

impl Answer {
    pub(in crate::api) fn new(shows: Vec<InstanceKey>, value: &impl Serialize) -> Result<Answer, Problem> {
        let plain =
            serde_json::to_vec(value).map_err(|error| Problem::new(Code::Failed, error.to_string()))?;
        Ok(Answer { shows, plain: plain.into(), gzip: OnceLock::new() })
    }

    /// As who asks takes it.
    pub(in crate::api) fn response(&self, asked: &HeaderMap) -> Response {
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.plain.len() < SHORT || !takes_gzip(asked) {
            return ([json], self.plain.clone()).into_response();
        }
        let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let vary = (header::VARY, HeaderValue::from_static("accept-encoding"));
        let gzip = self.gzip.get_or_init(|| gzip(&self.plain).unwrap_or_default());
        if gzip.is_empty() {
            return ([json], self.plain.clone()).into_response();
        }
        ([json, encoding, vary], gzip.clone()).into_response()
    }
}

fn gzip(plain: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), LEVEL);
    encoder.write_all(plain)?;
    Ok(encoder.finish()?.into())
}

/// Whether gzip is among what is taken, and not refused by a weight of nothing.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let all = asked.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Answer, Problem> {
        Answer::new(Vec::new(), &text)
    }

    fn never() -> Result<Answer, Problem> {
        panic!("it is known")
    }

    #[test]
    fn an_answer_is_made_once_for_a_question_and_a_revision() {
        let answers = Answers::default();
        let ask = |revision: u64, question: &str, text: &'static str| {
            let answer = answers.get(Revision(revision), question.to_owned(), || answer(text));
            answer.unwrap().plain.clone()
        };
        assert_eq!(ask(7, "a", "1"), "\"1\"");
        assert_eq!(ask(7, "a", "2"), "\"1\"", "the same question");
        assert_eq!(ask(7, "b", "3"), "\"3\"", "another one, such as somebody else's with other rights");
        assert_eq!(ask(8, "a", "4"), "\"4\"", "something has changed");
        assert_eq!(ask(7, "b", "5"), "\"5\"", "what is old is not kept");
        assert_eq!(ask(8, "a", "6"), "\"4\"", "and takes the place of nothing");
        assert!(answers.get(Revision(8), "c".to_owned(), || Err(Problem::invalid("no"))).is_err());
        assert!(answers.get(Revision(8), "a".to_owned(), never).is_ok());
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let answers = Answers::default();
        let large = "x".repeat(MOST_BYTES / 4);
        for number in 0..2 * MOST {
            answers.get(Revision(1), number.to_string(), || answer("small")).unwrap();
        }
        assert_eq!(answers.0.lock().unwrap().answers.len(), MOST);
        for number in 0..8 {
            answers.get(Revision(2), number.to_string(), || answer(&large)).unwrap();
        }
        assert_eq!(answers.0.lock().unwrap().answers.len(), 3);
    }

    #[test]
    fn who_takes_gzip_gets_it() {
        for (says, takes) in [
            (&["gzip"][..], true),
            (&["deflate, GZIP;q=0.5"], true),
            (&["br", "gzip, deflate"], true),
            (&["gzip;q=0"], false),
            (&["gzip; q=0.0, br"], false),
            (&["gzip;q=x"], false),
            (&["identity"], false),
            (&[], false),
        ] {
            let mut asked = HeaderMap::new();
            for value in says {
                asked.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            let response = answer(&"long ".repeat(SHORT)).unwrap().response(&asked);
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), takes, "{says:?}");
            let short = answer("short").unwrap().response(&asked);
            assert!(!short.headers().contains_key(header::CONTENT_ENCODING));
        }
    }
}
