//! What was found out lately, by address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

/// How long an answer counts at the most, from the moment at which it was asked for.
const FRESH: Duration = Duration::from_secs(10);

/// How many addresses are kept at the most.
const MOST: usize = 4096;

/// Answers of type `T`, each found out once for all who ask at the same time. `E` is the state of the world in which an
/// answer counts.
#[derive(Debug)]
pub(super) struct Cache<T, E>(Mutex<HashMap<IpAddr, Slot<T, E>>>);

#[derive(Debug)]
struct Slot<T, E> {
    asked: Instant,
    world: E,
    answer: Arc<OnceCell<T>>,
}

impl<T, E> Default for Cache<T, E> {
    fn default() -> Cache<T, E> {
        Cache(Mutex::default())
    }
}

impl<T: Clone, E: PartialEq> Cache<T, E> {
    /// The answer for an address in this world; `find` is asked where none is known, or the one that is known is not to be
    /// `kept`. Cancel safe: another one who waits goes on.
    pub(super) async fn get(
        &self,
        address: IpAddr,
        world: E,
        kept: impl Fn(&T) -> bool,
        find: impl AsyncFnOnce() -> T,
    ) -> T {
        let answer = self.slot(address, world, kept);
        answer.get_or_init(|| find()).await.clone()
    }

    fn slot(&self, address: IpAddr, world: E, kept: impl Fn(&T) -> bool) -> Arc<OnceCell<T>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&address)
            && slot.counts(&world)
            && slot.answer.get().is_none_or(kept)
        {
            return Arc::clone(&slot.answer);
        }
        if slots.len() >= MOST {
            slots.retain(|_, slot| slot.counts(&world));
        }
        if slots.len() >= MOST
            && let Some(oldest) = slots.iter().min_by_key(|(_, slot)| slot.asked).map(|(address, _)| *address)
        {
            slots.remove(&oldest);
        }
        let answer = Arc::default();
        slots.insert(address, Slot { asked: Instant::now(), world, answer: Arc::clone(&answer) });
        answer
    }
}

impl<T, E: PartialEq> Slot<T, E> {
    fn counts(&self, world: &E) -> bool {
        self.world == *world && self.asked.elapsed() < FRESH
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x6440_0000 + number).into()
    }

    #[tokio::test]
    async fn many_who_ask_at_once_are_one_question() {
        let (cache, asked) = (Cache::default(), AtomicUsize::new(0));
        let find = async || {
            tokio::task::yield_now().await;
            asked.fetch_add(1, Ordering::Relaxed)
        };
        let all = (0..50).map(|_| cache.get(address(1), 1, |_| true, find));
        assert_eq!(futures_util::future::join_all(all).await, [0; 50]);
        assert_eq!(cache.get(address(2), 1, |_| true, find).await, 1, "another address is another question");
    }

    #[tokio::test]
    async fn an_answer_counts_in_its_world_and_only_if_it_is_kept() {
        let (cache, asked) = (Cache::default(), AtomicUsize::new(0));
        let get = async |world: u64, kept: bool| {
            let find = async || asked.fetch_add(1, Ordering::Relaxed);
            cache.get(address(1), world, |_| kept, find).await
        };
        assert_eq!(get(1, true).await, 0);
        assert_eq!(get(1, true).await, 0);
        assert_eq!(get(2, true).await, 1);
        assert_eq!(get(2, false).await, 2);
        assert_eq!(get(2, true).await, 2);
        let old = Instant::now().checked_sub(FRESH).unwrap();
        cache.0.lock().unwrap().get_mut(&address(1)).unwrap().asked = old;
        assert_eq!(get(2, true).await, 3, "an answer that is too old");
    }

    #[tokio::test]
    async fn who_stops_waiting_does_not_take_the_answer_from_the_others() {
        let cache = Cache::default();
        let (let_go, gate) = tokio::sync::oneshot::channel::<()>();
        let first = cache.get(address(1), 1, |_: &i32| true, async || std::future::pending().await);
        assert!(tokio::time::timeout(Duration::from_millis(1), first).await.is_err());
        let second = cache.get(
            address(1),
            1,
            |_| true,
            async || {
                let _ = gate.await;
                7
            },
        );
        let_go.send(()).unwrap();
        assert_eq!(second.await, 7);
    }

    #[tokio::test]
    async fn no_more_addresses_are_kept_than_there_is_room_for() {
        let cache = Cache::default();
        for number in 0..u32::try_from(MOST).unwrap() + 100 {
            cache.get(address(number), 1, |_| true, async || number).await;
        }
        let slots = cache.0.lock().unwrap();
        assert_eq!(slots.len(), MOST);
        assert!(slots.contains_key(&address(u32::try_from(MOST).unwrap() + 99)), "the newest stays");
    }
}
