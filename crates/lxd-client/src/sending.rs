//! The JSON of a request. It leaves out the fields that the server fills in, which are in any other JSON of the same value.

use std::cell::Cell;

use serde::Serialize;

thread_local! {
    static SENDING: Cell<bool> = const { Cell::new(false) };
}

/// The JSON that is sent of this.
pub(crate) fn json(body: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    struct Sending;
    impl Drop for Sending {
        fn drop(&mut self) {
            SENDING.set(false);
        }
    }
    SENDING.set(true);
    let _sending = Sending;
    serde_json::to_vec(body)
}

/// For `skip_serializing_if`, on a field that servers fill in.
pub(crate) fn filled_in<T>(_: &T) -> bool {
    SENDING.get()
}

#[cfg(test)]
mod tests {
    use crate::Network;

    #[test]
    fn what_the_server_fills_in_is_not_sent_and_is_written_otherwise() {
        let network = Network { status: "Created".to_owned(), ..Network::default() };
        let sent = String::from_utf8(super::json(&network).unwrap()).unwrap();
        assert!(!sent.contains("status"), "{sent}");
        let written = serde_json::to_value(&network).unwrap();
        assert_eq!(written["status"], "Created");
    }
}
