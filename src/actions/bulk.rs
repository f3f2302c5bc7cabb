//! One action for many things.

use futures_util::StreamExt;
use futures_util::stream;

/// How many go on at once. The servers decide what they do side by side; more than this only waits there.
const AT_ONCE: usize = 64;

/// Does the same for each item, many at once, and gives the outcomes in the order of the items. One that fails does not
/// keep the others from being done.
pub(crate) async fn bulk<T, R>(items: impl IntoIterator<Item = T>, each: impl AsyncFn(T) -> R) -> Vec<R> {
    stream::iter(items).map(|item| each(item)).buffered(AT_ONCE).collect().await
}
