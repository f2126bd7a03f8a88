//! The task: it never holds anybody up, and goes on from where it was.

use crate::support::{alert, check, failing, provider, sight, start};
use async_trait::async_trait;
use evenkeel::alert::{Courier, Desk, Handle, Ports, Post, PostError, Reply, Request, Secrets};
use evenkeel::api::alert::ProviderKind;
use evenkeel::api::{AlertSpec, Document, HumanDuration};
use evenkeel::core::alert::{Change, Entry, Object, Sight, Store, StoreError};
use evenkeel::journal::SqliteJournal;
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A receiver without sockets.
#[derive(Clone)]
struct Fake {
    /// The ids of the messages that came.
    got: watch::Sender<Vec<String>>,
    fates: Arc<Mutex<VecDeque<Fate>>>,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It never answers.
    Hang,
    /// The reply is lost.
    Lose,
    Answer(u16, Option<u64>),
}

impl Fake {
    fn new(fates: &[Fate]) -> Fake {
        Fake {
            got: watch::Sender::new(Vec::new()),
            fates: Arc::new(Mutex::new(fates.iter().copied().collect())),
        }
    }

    fn got(&self) -> Vec<String> {
        self.got.borrow().clone()
    }

    async fn wait(&self, count: usize) -> Vec<String> {
        let mut got = self.got.subscribe();
        let all = got.wait_for(|all| all.len() >= count).await.unwrap();
        all.clone()
    }
}

#[async_trait]
impl Post for Fake {
    async fn post(&self, request: Request) -> Result<Reply, PostError> {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let event = body["event"].as_str().unwrap();
        let name = body["object"]["name"].as_str().unwrap_or_default();
        self.got
            .send_modify(|all| all.push(format!("{event} {name}")));
        let fate = self.fates.lock().unwrap().pop_front();
        match fate.unwrap_or(Fate::Answer(200, None)) {
            Fate::Hang => std::future::pending().await,
            Fate::Lose => Err(PostError::Lost("the line went dead".into())),
            Fate::Answer(status, wait) => Ok(Reply {
                status,
                body: String::new(),
                retry_after: wait.map(Duration::from_secs),
            }),
        }
    }
}

fn ports(store: Arc<dyn Store>, post: &Fake) -> Ports {
    let begun = Instant::now();
    Ports {
        store,
        courier: Courier::new(Arc::new(post.clone()), Secrets::default()),
        now: Arc::new(move || start() + begun.elapsed()),
        jitter: Arc::new(|| 0.5),
    }
}

fn memory() -> Arc<SqliteJournal> {
    Arc::new(SqliteJournal::in_memory().unwrap())
}

fn alerts() -> Vec<Document<AlertSpec>> {
    vec![alert("infra", provider(ProviderKind::Webhook))]
}

fn objects(names: &[&str]) -> BTreeSet<Object> {
    names.iter().map(|name| check(name)).collect()
}

fn ill(handle: &Handle, name: &str) {
    handle.report(check(name), sight(&[failing()]));
}

fn well(handle: &Handle, name: &str) {
    handle.report(check(name), Sight::well());
}

/// Lets the task do all that it can do now.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_holds_up_nobody_and_no_other_receiver() {
    let post = Fake::new(&[Fate::Hang]);
    let desk = Desk::start(ports(memory(), &post)).unwrap();
    let handle = desk.handle();
    let mut alerts = alerts();
    handle.declare(alerts.clone(), objects(&["a", "b"]));
    ill(&handle, "a");
    post.wait(1).await;
    // The first receiver hangs from here on.
    let before = Instant::now();
    for _ in 0..10_000 {
        ill(&handle, "b");
        well(&handle, "b");
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    alerts.push(alert("second", provider(ProviderKind::Webhook)));
    alerts[1].spec.provider.url = Some("http://127.0.0.1:10/".to_owned());
    handle.declare(alerts, objects(&["a", "b"]));
    assert_eq!(post.wait(2).await, ["firing a", "firing a"]);
    let health = handle.health().borrow().clone();
    assert_eq!(health.iter().map(|health| health.untold).max(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn failed_calls_are_repeated_ever_more_slowly_until_one_is_accepted() {
    let down = [Fate::Answer(503, None); 6];
    let post = Fake::new(&down);
    post.fates.lock().unwrap().push_back(Fate::Lose);
    post.fates
        .lock()
        .unwrap()
        .push_back(Fate::Answer(429, Some(300)));
    let desk = Desk::start(ports(memory(), &post)).unwrap();
    let handle = desk.handle();
    handle.declare(alerts(), objects(&["a"]));
    ill(&handle, "a");
    let begun = Instant::now();
    let mut times = Vec::new();
    for count in 1..=9 {
        let got = post.wait(count).await;
        assert_eq!(got[count - 1], "firing a");
        times.push(begun.elapsed());
    }
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps[..6].windows(2).all(|pair| pair[0] < pair[1]),
        "{gaps:?}"
    );
    assert!(gaps[7] >= Duration::from_mins(5), "as it asked: {gaps:?}");
    rest().await;
    assert!(handle.health().borrow()[0].failing.is_none());
    well(&handle, "a");
    assert_eq!(post.wait(10).await[9], "resolved a");
    tokio::time::sleep(Duration::from_hours(24)).await;
    assert_eq!(post.got().len(), 10, "and never again");
}

#[tokio::test(start_paused = true)]
async fn a_restart_tells_neither_beginning_nor_end_again() {
    let store = memory();
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(Arc::clone(&store) as _, &post)).unwrap();
    desk.handle().declare(alerts(), objects(&["a", "b", "c"]));
    for name in ["a", "b", "c"] {
        ill(&desk.handle(), name);
    }
    post.wait(3).await;
    rest().await;
    // Killed, not closed.
    drop(desk);
    rest().await;
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(Arc::clone(&store) as _, &post)).unwrap();
    // `b` is well again, and `c` is gone from the manifests.
    desk.handle().declare(alerts(), objects(&["a", "b"]));
    ill(&desk.handle(), "a");
    well(&desk.handle(), "b");
    post.wait(2).await;
    rest().await;
    let got: BTreeSet<_> = post.got().into_iter().collect();
    let ends = ["resolved b", "resolved c"].map(str::to_owned);
    assert_eq!(got, BTreeSet::from(ends));
    desk.close(Duration::from_secs(1)).await;
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(store, &post)).unwrap();
    desk.handle().declare(alerts(), objects(&["a", "b"]));
    ill(&desk.handle(), "a");
    well(&desk.handle(), "b");
    rest().await;
    assert!(post.got().is_empty(), "{:?}", post.got());
}

#[tokio::test(start_paused = true)]
async fn closing_tells_what_is_due_and_does_not_wait_for_the_dead() {
    let store = memory();
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(Arc::clone(&store) as _, &post)).unwrap();
    desk.handle().declare(alerts(), objects(&["a", "b"]));
    ill(&desk.handle(), "a");
    ill(&desk.handle(), "b");
    desk.close(Duration::from_secs(5)).await;
    assert_eq!(post.got().len(), 2);

    let post = Fake::new(&[Fate::Hang]);
    let desk = Desk::start(ports(Arc::clone(&store) as _, &post)).unwrap();
    desk.handle().declare(alerts(), objects(&["a", "b"]));
    well(&desk.handle(), "a");
    let begun = Instant::now();
    desk.close(Duration::from_secs(5)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));

    // What was not confirmed is told by the next one.
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(store, &post)).unwrap();
    desk.handle().declare(alerts(), objects(&["a", "b"]));
    assert_eq!(post.wait(1).await, ["resolved a"]);
}

#[tokio::test(start_paused = true)]
async fn a_status_update_comes_by_itself() {
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(memory(), &post)).unwrap();
    let mut alerts = alerts();
    alerts[0].spec.digest = Some(HumanDuration(Duration::from_hours(6)));
    desk.handle().declare(alerts, objects(&["a"]));
    well(&desk.handle(), "a");
    tokio::time::sleep(Duration::from_hours(25)).await;
    assert_eq!(post.got(), ["digest "; 4]);
}

/// A disk that fails at first.
struct Broken {
    journal: SqliteJournal,
    fails: AtomicBool,
    refusals: AtomicUsize,
}

impl Store for Broken {
    fn recall(&self) -> Result<Vec<Entry>, StoreError> {
        self.journal.recall()
    }

    fn remember(&self, changes: &[Change]) -> Result<(), StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            self.refusals.fetch_add(1, Ordering::SeqCst);
            return Err("disk full".into());
        }
        self.journal.remember(changes)
    }
}

#[tokio::test(start_paused = true)]
async fn people_are_told_though_the_disk_is_full_and_it_is_saved_later() {
    let store = Arc::new(Broken {
        journal: SqliteJournal::in_memory().unwrap(),
        fails: AtomicBool::new(true),
        refusals: AtomicUsize::new(0),
    });
    let post = Fake::new(&[]);
    let desk = Desk::start(ports(Arc::clone(&store) as _, &post)).unwrap();
    desk.handle().declare(alerts(), objects(&["a"]));
    ill(&desk.handle(), "a");
    assert_eq!(post.wait(1).await, ["firing a"]);
    rest().await;
    assert!(store.refusals.load(Ordering::SeqCst) > 0);
    store.fails.store(false, Ordering::SeqCst);
    ill(&desk.handle(), "a");
    rest().await;
    let told = |entry: &Entry| matches!(entry, Entry::Episode(episode) if episode.fired);
    assert!(store.recall().unwrap().iter().any(told));
}

#[test]
fn the_state_file_keeps_what_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut book = evenkeel::core::alert::Book::new(Vec::new());
    book.declare(&alerts(), objects(&["a"]), start());
    book.see(&check("a"), sight(&[failing()]), start());
    let changes = book.changes();
    let journal = SqliteJournal::open(&path, "live").unwrap();
    journal.remember(&changes).unwrap();
    drop(journal);
    let journal = SqliteJournal::open(&path, "live").unwrap();
    let ids = |entries: &[Entry]| -> BTreeSet<String> {
        entries.iter().map(|entry| entry.id().to_owned()).collect()
    };
    let kept = journal.recall().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(
        ids(&kept),
        changes.iter().map(|change| change.id.clone()).collect()
    );
    let gone: Vec<_> = changes
        .iter()
        .map(|change| Change {
            id: change.id.clone(),
            entry: None,
        })
        .collect();
    journal.remember(&gone).unwrap();
    assert!(journal.recall().unwrap().is_empty());
}
