//! How fast we call: a token bucket per project, API and direction.
//!
//! Invariant: calls of one bucket leave in the order they asked, never faster than its rate beyond
//! the burst, and never while Google has asked for silence. A wait that would be long is refused
//! at once with its length, so that nothing queues without bound.

use super::endpoint::Api;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait that a call sleeps through. The engine does better with a longer one.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The direction of a call. Google counts reads and writes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    Read,
    Write,
}

impl Lane {
    /// Word for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Read => "read",
            Lane::Write => "write",
        }
    }
}

/// Which bucket a call draws from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Purse {
    pub project: String,
    pub api: Api,
    pub lane: Lane,
}

/// Calls per second, and how many may go at once after silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_second: f64,
    burst: f64,
}

impl Rate {
    /// Clamped to 0.01..=1000 calls per second and a burst of at least 1.
    #[must_use]
    pub fn new(per_second: f64, burst: u32) -> Self {
        let usable = if per_second.is_finite() {
            per_second
        } else {
            1.0
        };
        Rate {
            per_second: usable.clamp(0.01, 1000.0),
            burst: f64::from(burst.max(1)),
        }
    }

    /// The default of an API.
    ///
    /// Google publishes no number for Serverless VPC Access, so the default is gentle: 1 read per
    /// second with a burst of 5, 1 write in 2 seconds with a burst of 2. A project's own limits are
    /// in Service Usage, `services/vpcaccess.googleapis.com/consumerQuotaMetrics`.
    ///
    /// Compute Engine gives 1,500 requests a minute to each group of methods (Google, "API rate
    /// quotas"), shared with everybody who works on the project. The default takes a fifth at
    /// most: 4 reads per second with a burst of 20, 1 write per second with a burst of 4.
    ///
    /// Cloud Run once published 1000 reads and 100 writes in 100 seconds for each project, Cloud
    /// SQL publishes 500 reads and 180 changes a minute for each user and region, Certificate Manager
    /// 300 of each a minute and project: a fifth of these.
    ///
    /// Cloud Logging answers 60 searches a minute for a whole project, which nobody can raise
    /// ("Quotas and limits"): [`super::logging::PACE`] spreads them out, and here is what is left
    /// for repetitions, 54 a minute in all. No number is published for reads of Cloud Monitoring.
    #[must_use]
    pub fn default_of(api: Api, lane: Lane) -> Self {
        match (api, lane) {
            // A secret is read once for each certificate made, and never written.
            (Api::VpcAccess, Lane::Read) | (Api::SecretManager, _) => Rate::new(1.0, 5),
            (Api::VpcAccess | Api::SqlAdmin, Lane::Write) => Rate::new(0.5, 2),
            (Api::Compute, Lane::Read) => Rate::new(4.0, 20),
            (Api::Compute | Api::CertificateManager, Lane::Write) => Rate::new(1.0, 4),
            (Api::Run, Lane::Read) => Rate::new(2.0, 10),
            (Api::Run, Lane::Write) => Rate::new(0.2, 3),
            (Api::SqlAdmin, Lane::Read) => Rate::new(1.5, 5),
            (Api::CertificateManager, Lane::Read) => Rate::new(1.0, 10),
            (Api::Monitoring, _) => Rate::new(2.0, 20),
            (Api::Logging, _) => Rate::new(0.85, 3),
        }
    }
}

/// What waiting has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// Calls that had to wait.
    pub waited: u64,
    /// Calls that were refused because the wait was too long.
    pub refused: u64,
    /// Sum of the waits.
    pub total: Duration,
}

/// All buckets.
#[derive(Debug, Default)]
pub struct Budgets {
    rates: BTreeMap<(Api, Lane), Rate>,
    buckets: Mutex<HashMap<Purse, Arc<Bucket>>>,
    waits: Mutex<BTreeMap<(Api, Lane), Waits>>,
}

impl Budgets {
    /// Buckets with [`Rate::default_of`] each API.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another rate for an API and direction, for each project.
    #[must_use]
    pub fn with(mut self, api: Api, lane: Lane, rate: Rate) -> Self {
        self.rates.insert((api, lane), rate);
        self
    }

    /// Waits for leave to make one call. Dropping the future gives up the place and takes nothing.
    ///
    /// # Errors
    /// The wait, where it would be longer than [`PATIENCE`]: come back after it.
    pub async fn acquire(&self, purse: &Purse) -> Result<(), Duration> {
        let began = Instant::now();
        let outcome = self.bucket(purse).acquire().await;
        self.note(purse, began.elapsed(), outcome.is_err());
        outcome
    }

    /// No call from this bucket for so long: Google asked for it.
    pub fn pause(&self, purse: &Purse, silence: Duration) {
        locked(&self.bucket(purse).level).pause(Instant::now(), silence);
    }

    /// What waiting has cost, by API and direction.
    #[must_use]
    pub fn waits(&self) -> BTreeMap<(Api, Lane), Waits> {
        locked(&self.waits).clone()
    }

    fn bucket(&self, purse: &Purse) -> Arc<Bucket> {
        let mut buckets = locked(&self.buckets);
        let bucket = buckets.entry(purse.clone()).or_insert_with(|| {
            let set = self.rates.get(&(purse.api, purse.lane)).copied();
            let rate = set.unwrap_or_else(|| Rate::default_of(purse.api, purse.lane));
            Arc::new(Bucket::new(rate))
        });
        Arc::clone(bucket)
    }

    fn note(&self, purse: &Purse, waited: Duration, refused: bool) {
        let mut waits = locked(&self.waits);
        let entry = waits.entry((purse.api, purse.lane)).or_default();
        entry.refused += u64::from(refused);
        if !waited.is_zero() {
            entry.waited += 1;
            entry.total += waited;
        }
    }
}

/// One bucket with its queue.
#[derive(Debug)]
struct Bucket {
    level: Mutex<Level>,
    /// Held while a call waits for its token; tokio hands it out in the order of asking.
    turn: tokio::sync::Mutex<()>,
    queued: AtomicU32,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        Bucket {
            level: Mutex::new(Level {
                rate,
                tokens: rate.burst,
                at: Instant::now(),
            }),
            turn: tokio::sync::Mutex::new(()),
            queued: AtomicU32::new(0),
        }
    }

    async fn acquire(&self) -> Result<(), Duration> {
        let place = Place::take(&self.queued);
        let wait = locked(&self.level).wait(Instant::now(), place.ahead);
        if wait > PATIENCE {
            return Err(wait);
        }
        let _turn = self.turn.lock().await;
        loop {
            let wait = locked(&self.level).take(Instant::now());
            if wait.is_zero() {
                return Ok(());
            }
            // A pause may have come while this call stood in the queue.
            if wait > PATIENCE {
                return Err(wait);
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// A place in the queue, left on drop.
struct Place<'a> {
    queued: &'a AtomicU32,
    ahead: u32,
}

impl<'a> Place<'a> {
    fn take(queued: &'a AtomicU32) -> Self {
        let ahead = queued.fetch_add(1, Ordering::Relaxed);
        Place { queued, ahead }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tokens at a moment. During a pause the moment lies ahead.
#[derive(Debug)]
struct Level {
    rate: Rate,
    tokens: f64,
    at: Instant,
}

impl Level {
    fn refill(&mut self, now: Instant) {
        if now > self.at {
            let gained = (now - self.at).as_secs_f64() * self.rate.per_second;
            self.tokens = (self.tokens + gained).min(self.rate.burst);
            self.at = now;
        }
    }

    /// How long until a token is there with `ahead` others served first.
    fn wait(&mut self, now: Instant, ahead: u32) -> Duration {
        self.refill(now);
        let missing = (f64::from(ahead) + 1.0 - self.tokens).max(0.0);
        // A hair of rounding must not cost a timer tick.
        let seconds = if missing < 1e-9 {
            0.0
        } else {
            missing / self.rate.per_second
        };
        self.at.saturating_duration_since(now) + Duration::from_secs_f64(seconds)
    }

    /// Takes a token, or says how long until there is one.
    fn take(&mut self, now: Instant) -> Duration {
        let wait = self.wait(now, 0);
        if wait.is_zero() {
            self.tokens -= 1.0;
        }
        wait
    }

    /// After a pause there is one token, not a burst: the limit was just hit.
    fn pause(&mut self, now: Instant, silence: Duration) {
        self.refill(now);
        let until = now + silence;
        if until > self.at {
            self.at = until;
            self.tokens = 1.0;
        }
    }
}

/// A poisoned lock here guards plain numbers: they are still good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purse(project: &str, lane: Lane) -> Purse {
        Purse {
            project: project.to_owned(),
            api: Api::VpcAccess,
            lane,
        }
    }

    fn slow() -> Budgets {
        Budgets::new().with(Api::VpcAccess, Lane::Read, Rate::new(1.0, 2))
    }

    /// Seconds since the start, after each of `count` calls.
    async fn times(budgets: &Budgets, purse: &Purse, count: usize) -> Vec<u64> {
        let began = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            budgets.acquire(purse).await.unwrap();
            times.push(began.elapsed().as_millis().try_into().unwrap());
        }
        times.iter().map(|ms: &u64| (ms + 5) / 1000).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_the_rate() {
        let budgets = slow();
        let read = purse("p", Lane::Read);
        assert_eq!(times(&budgets, &read, 5).await, [0, 0, 1, 2, 3]);
        let waits = budgets.waits()[&(Api::VpcAccess, Lane::Read)];
        assert_eq!((waits.waited, waits.refused), (3, 0));
        assert!(waits.total >= Duration::from_secs(3));
        // Other projects and the other direction are not concerned.
        assert_eq!(times(&budgets, &purse("q", Lane::Read), 2).await, [0, 0]);
        assert_eq!(times(&budgets, &purse("p", Lane::Write), 2).await, [0, 0]);
        // Silence refills to the burst, not beyond.
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(times(&budgets, &read, 4).await, [0, 0, 1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_and_ends_without_a_burst() {
        let budgets = slow();
        let read = purse("p", Lane::Read);
        budgets.pause(&read, Duration::from_secs(8));
        budgets.pause(&read, Duration::from_secs(3));
        assert_eq!(times(&budgets, &read, 3).await, [8, 9, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_refused_at_once() {
        let budgets = slow();
        let read = purse("p", Lane::Read);
        budgets.pause(&read, Duration::from_secs(30));
        let began = Instant::now();
        assert_eq!(budgets.acquire(&read).await, Err(Duration::from_secs(30)));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(budgets.waits()[&(Api::VpcAccess, Lane::Read)].refused, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded_and_fair() {
        let budgets = slow();
        let read = purse("p", Lane::Read);
        let order = Mutex::new(Vec::new());
        let calls = (0..20).map(|i| {
            let (budgets, read, order) = (&budgets, &read, &order);
            async move {
                let outcome = budgets.acquire(read).await;
                if outcome.is_ok() {
                    order.lock().unwrap().push(i);
                }
                outcome
            }
        });
        let outcomes = futures::future::join_all(calls).await;
        // Two at once, ten more within the patience of ten seconds.
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 12);
        assert_eq!(*order.lock().unwrap(), (0..12).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_reaches_those_who_wait() {
        let budgets = slow();
        let read = purse("p", Lane::Read);
        times(&budgets, &read, 2).await;
        let (outcome, ()) = tokio::join!(budgets.acquire(&read), async {
            budgets.pause(&read, Duration::from_mins(1));
        });
        assert_eq!(outcome, Err(Duration::from_secs(59)));
    }

    #[test]
    fn rates_are_clamped() {
        assert_eq!(Rate::new(f64::NAN, 0), Rate::new(1.0, 1));
        assert_eq!(Rate::new(-1.0, 3), Rate::new(0.01, 3));
    }
}
