//! The task that tells people.

use super::courier::Courier;
use crate::api::{AlertSpec, Document};
use crate::core::alert::{Book, Exchange, Health, Link, Object, Receipt, Sight, Store, StoreError};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Tells the time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Draws from `0.0..1.0`.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What a desk works with.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub courier: Courier,
    pub now: Now,
    pub jitter: Jitter,
}

/// What came in and was not looked at yet. Of an object the last sight counts, so it is bounded
/// by what the manifests declare.
#[derive(Default)]
struct Mail {
    declared: Option<(Vec<Document<AlertSpec>>, BTreeSet<Object>)>,
    sights: BTreeMap<Object, Sight>,
}

#[derive(Default)]
struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Notify,
}

impl Mailbox {
    fn put(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrived.notify_one();
    }

    fn take(&self) -> Mail {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut mail)
    }
}

/// Where the engine puts what it sees. Cheap to clone; nothing here ever waits.
#[derive(Clone)]
pub struct Handle {
    mailbox: Arc<Mailbox>,
    health: watch::Receiver<Vec<Health>>,
}

impl Handle {
    /// The manifests as they are now: every Alert, and every object that may have troubles. The
    /// troubles of an object that is not among them are over.
    pub fn declare(&self, alerts: Vec<Document<AlertSpec>>, objects: BTreeSet<Object>) {
        self.mailbox
            .put(|mail| mail.declared = Some((alerts, objects)));
    }

    /// What is wrong with an object now.
    pub fn report(&self, object: Object, sight: Sight) {
        self.mailbox.put(|mail| {
            mail.sights.insert(object, sight);
        });
    }

    /// How each Alert gets on.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Vec<Health>> {
        self.health.clone()
    }
}

/// The running task.
pub struct Desk {
    handle: Handle,
    close: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
}

impl Desk {
    /// Goes on from what was told before. Call inside the runtime. Nothing is begun or ended
    /// before the first [`Handle::declare`].
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn start(ports: Ports) -> Result<Desk, StoreError> {
        let book = Book::new(ports.store.recall()?);
        let mailbox = Arc::new(Mailbox::default());
        let (tell, health) = watch::channel(book.health());
        let (close, closed) = oneshot::channel();
        let work = Work {
            ports,
            book,
            mailbox: Arc::clone(&mailbox),
            health: tell,
            unsaved: false,
        };
        Ok(Desk {
            handle: Handle { mailbox, health },
            close,
            task: tokio::spawn(work.run(closed)),
        })
    }

    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Tells what is due, for at most `patience`, and stops. What is left is told by the next
    /// process.
    pub async fn close(self, patience: Duration) {
        // A task that is gone already has nothing to close.
        let _ = self.close.send(patience);
        let _ = self.task.await;
    }
}

type Calls = FuturesUnordered<BoxFuture<'static, (Exchange, Receipt)>>;

struct Work {
    ports: Ports,
    book: Book,
    mailbox: Arc<Mailbox>,
    health: watch::Sender<Vec<Health>>,
    /// The last attempt at saving failed.
    unsaved: bool,
}

impl Work {
    async fn run(mut self, mut closed: oneshot::Receiver<Duration>) {
        let mut calls = Calls::new();
        let mut deadline = None;
        loop {
            self.read_mail();
            self.start_calls(&mut calls);
            self.tell_health();
            if deadline.is_some() && calls.is_empty() {
                break;
            }
            let mailbox = Arc::clone(&self.mailbox);
            tokio::select! {
                () = mailbox.arrived.notified() => {}
                Some((exchange, receipt)) = calls.next() => self.settle(&exchange, &receipt),
                () = self.until_due() => {}
                patience = &mut closed, if deadline.is_none() => {
                    // A desk that was dropped goes at once.
                    let patience = patience.unwrap_or_default();
                    deadline = Some(Instant::now() + patience);
                }
                () = until(deadline) => break,
            }
        }
        self.save();
    }

    fn read_mail(&mut self) {
        let mail = self.mailbox.take();
        let now = (self.ports.now)();
        if let Some((alerts, objects)) = mail.declared {
            self.book.declare(&alerts, objects, now);
        }
        for (object, sight) in mail.sights {
            self.book.see(&object, sight, now);
        }
    }

    fn start_calls(&mut self, calls: &mut Calls) {
        let due = self.book.due((self.ports.now)());
        self.save();
        for exchange in due {
            let courier = self.ports.courier.clone();
            calls.push(Box::pin(async move {
                let receipt = courier.deliver(&exchange).await;
                (exchange, receipt)
            }));
        }
    }

    fn settle(&mut self, exchange: &Exchange, receipt: &Receipt) {
        let (now, jitter) = ((self.ports.now)(), (self.ports.jitter)());
        let link = self.book.settle(&exchange.route, receipt, jitter, now);
        let alert = &*exchange.alert;
        match (link, receipt) {
            (Link::Down, Receipt::Failed { why, .. }) => {
                tracing::warn!(alert, %why, "messages do not get through; they wait");
            }
            (Link::Up, _) => tracing::info!(alert, "messages get through again"),
            (_, Receipt::Refused(why)) => {
                tracing::warn!(alert, %why, "the receiver refuses a message");
            }
            _ => {}
        }
        self.save();
    }

    /// People are told even where it cannot be written down that they were.
    fn save(&mut self) {
        let changes = self.book.changes();
        if changes.is_empty() {
            return;
        }
        match self.ports.store.remember(&changes) {
            Ok(()) => self.unsaved = false,
            Err(error) => {
                if !std::mem::replace(&mut self.unsaved, true) {
                    tracing::error!(%error, "a restart may tell again what was told");
                }
                self.book.put_back(changes);
            }
        }
    }

    fn tell_health(&self) {
        let now = self.book.health();
        self.health.send_if_modified(|health| {
            let changed = *health != now;
            *health = now;
            changed
        });
    }

    async fn until_due(&self) {
        match self.book.next() {
            None => std::future::pending().await,
            Some(at) => {
                let wait = at.duration_since((self.ports.now)());
                // A clock of its own must not make this spin.
                let wait = Duration::try_from(wait).unwrap_or_default();
                tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            }
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
