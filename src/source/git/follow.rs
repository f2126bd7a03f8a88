//! Following a repository: a look now and then, at once when something rings, and sooner again
//! after a failure.

use super::Settings;
use super::clone::{Clone, Rules};
use super::trouble::Trouble;
use crate::secrets::{Secret, Secrets};
use crate::source::{Errors, Set};
use gix::ObjectId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::JoinHandle;

/// Wait after the first failure; it doubles from one to the next.
const RETRY_FIRST: Duration = Duration::from_secs(5);
/// Longest wait after a failure.
const RETRY_LAST: Duration = Duration::from_mins(5);

/// Rings for a look now. Any number of rings before it is one.
#[derive(Debug, std::clone::Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// A repository to take sets from.
pub struct Git {
    settings: Arc<Settings>,
    secrets: Arc<dyn Secrets>,
    rules: Rules,
    /// Held by the look that runs: one that hangs past its deadline keeps others out.
    busy: Arc<Mutex<()>>,
}

/// What a run starts with.
#[derive(Debug)]
pub struct Started {
    pub set: Set,
    /// Why it is not what the server has now: the set is the one that was in force before.
    pub trouble: Option<Errors>,
    commit: Option<ObjectId>,
}

type Seen = (Option<ObjectId>, Result<Set, Trouble>);

impl Git {
    #[must_use]
    pub fn new(settings: Settings, secrets: Arc<dyn Secrets>, rules: Rules) -> Self {
        Git {
            settings: Arc::new(settings),
            secrets,
            rules,
            busy: Arc::default(),
        }
    }

    /// The first look. Where it gives no set, the one that was in force before this start does.
    ///
    /// # Errors
    /// What is wrong, where there is no set from before either.
    pub async fn start(&self) -> Result<Started, Trouble> {
        let (commit, outcome) = self.look().await;
        let trouble = match outcome {
            Ok(set) => {
                return Ok(Started {
                    set,
                    trouble: None,
                    commit,
                });
            }
            Err(trouble) => trouble,
        };
        match self.before().await {
            Some(Ok(set)) => Ok(Started {
                set,
                trouble: Some(trouble.errors),
                commit: None,
            }),
            Some(Err(_)) | None => Err(trouble),
        }
    }

    /// Looks on, in a task of its own.
    #[must_use]
    pub fn follow(self, started: &Started, bell: Bell) -> Follow {
        let (send, news) = mpsc::channel(1);
        let commit = started.commit;
        let task = tokio::spawn(self.run(commit, bell, send));
        Follow { news, task }
    }

    async fn run(self, mut commit: Option<ObjectId>, bell: Bell, news: mpsc::Sender<Told>) {
        let mut failures = 0_u32;
        let mut since = None;
        let mut well = commit.is_some();
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.wait(failures)) => {}
                () = bell.0.notified() => {}
            }
            let (seen, outcome) = self.look().await;
            let told = match outcome {
                Ok(set) => {
                    failures = 0;
                    since = None;
                    let same = well && seen == commit;
                    (commit, well) = (seen, true);
                    if same {
                        continue;
                    }
                    Ok(set)
                }
                Err(trouble) => {
                    well = false;
                    failures = if trouble.passing { failures + 1 } else { 0 };
                    let since = *since.get_or_insert_with(jiff::Timestamp::now);
                    Err(trouble.since(since))
                }
            };
            if news.send(told).await.is_err() {
                return;
            }
        }
    }

    /// Until the next look, a little more or less each time.
    fn wait(&self, failures: u32) -> Duration {
        let wait = match failures.checked_sub(1) {
            None => self.settings.interval,
            Some(before) => {
                let factor = 2_u32.saturating_pow(before.min(16));
                RETRY_FIRST.saturating_mul(factor).min(RETRY_LAST)
            }
        };
        wait.mul_f64(0.9 + 0.2 * fastrand::f64())
    }

    /// One look, within its deadline.
    async fn look(&self) -> Seen {
        let token = match self.token().await {
            Ok(token) => token,
            Err(trouble) => return (None, Err(trouble)),
        };
        let (settings, rules) = (Arc::clone(&self.settings), Arc::clone(&self.rules));
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let Ok(held) = Arc::clone(&self.busy).try_lock_owned() else {
            return (
                None,
                Err(self.hangs("a look at it from before still hangs")),
            );
        };
        let task = tokio::task::spawn_blocking(move || {
            let _held = held;
            look(&settings, token.as_ref(), &rules, &asked)
        });
        let deadline = self.settings.deadline;
        match tokio::time::timeout(deadline, task).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(_)) => (None, Err(self.hangs("the look at it was cut off"))),
            Err(_) => {
                stop.store(true, Ordering::Relaxed);
                let what = format!("no answer within {} s", deadline.as_secs());
                (None, Err(self.hangs(&what)))
            }
        }
    }

    /// The set that was in force before this start.
    async fn before(&self) -> Option<Result<Set, Trouble>> {
        let (settings, rules) = (Arc::clone(&self.settings), Arc::clone(&self.rules));
        let task = tokio::task::spawn_blocking(move || {
            let clone = Clone::open(&settings).ok()?;
            clone.in_force(&*rules)
        });
        task.await.ok()?
    }

    async fn token(&self) -> Result<Option<Secret>, Trouble> {
        let Some(reference) = &self.settings.token else {
            return Ok(None);
        };
        let read = self.secrets.read(reference).await;
        read.map(Some).map_err(|error| {
            let help = "the token of the repository must be there for every look";
            Trouble::passing(self.settings.name(), error.to_string(), help)
        })
    }

    fn hangs(&self, what: &str) -> Trouble {
        let message = format!("{} cannot be fetched: {what}", self.settings.address);
        let help = "the last set that loaded stays in force; it is tried again";
        Trouble::passing(self.settings.name(), message, help)
    }
}

fn look(settings: &Settings, token: Option<&Secret>, rules: &Rules, stop: &AtomicBool) -> Seen {
    let clone = match Clone::open(settings) {
        Ok(clone) => clone,
        Err(trouble) => return (None, Err(trouble)),
    };
    let (id, set) = match clone.look(token, &**rules, stop) {
        Ok((id, set)) => (id, set),
        Err((id, trouble)) => return (id, Err(trouble)),
    };
    if clone.is_worn()
        && let Err(trouble) = clone.renew(token, stop)
    {
        tracing::warn!(error = %trouble.errors, "the clone is not made anew");
    }
    (Some(id), Ok(set))
}

/// What a look gave: a set, or what is wrong.
type Told = Result<Set, Errors>;

/// The sets of a repository, as they come.
pub struct Follow {
    news: mpsc::Receiver<Told>,
    task: JoinHandle<()>,
}

impl Follow {
    /// The next set that is not the one before, or what is wrong. Safe to drop and call again.
    ///
    /// # Errors
    /// All that is wrong with what the server has, or that it cannot be asked.
    pub async fn next(&mut self) -> Told {
        match self.news.recv().await {
            Some(told) => told,
            // Only with the program itself.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.task.abort();
    }
}
