//! One line of searches for each project.

use crate::check::google::refused;
use crate::core::check::{ProberError, ProberFault, delay};
use crate::gcp::logging::{Logging, PACE, PAGE_SIZE, Search};
use jiff::Timestamp;
use regex::Regex;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Most pages of one search. Google gives up for now after a while, and goes on with the next page.
const PAGES: usize = 25;

/// What a check looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::check) struct Wanted {
    pub filter: String,
    pub window: Duration,
    pub extract: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::check) struct Found {
    /// Entries, at most [`PAGE_SIZE`].
    pub count: usize,
    /// The number of each entry that has one, the newest first.
    pub values: Vec<f64>,
    /// Of entries after this moment.
    pub after: Timestamp,
}

/// Searches the logs of every project.
pub(in crate::check) struct Poller {
    logging: Logging,
    lines: Mutex<HashMap<String, Arc<Line>>>,
}

/// The searches of a project.
#[derive(Default)]
struct Line {
    /// When the next search may start. Held while one waits for that; handed out in the order of
    /// asking.
    turn: tokio::sync::Mutex<Option<Instant>>,
    answers: Mutex<HashMap<Wanted, Arc<Answer>>>,
}

/// An answer, and when it came. Held while its search is under way: who asks for the same meanwhile
/// waits for it.
type Answer = tokio::sync::Mutex<Option<(Instant, Found)>>;

impl Poller {
    pub fn new(logging: Logging) -> Self {
        Poller {
            logging,
            lines: Mutex::default(),
        }
    }

    /// What a search finds now; the same as for another check that asked for the same and still waits.
    pub async fn find(
        &self,
        project: &str,
        wanted: Wanted,
        extract: Option<&Regex>,
        now: Timestamp,
    ) -> Result<Found, ProberError> {
        let asked = Instant::now();
        let line = Arc::clone(locked(&self.lines).entry(project.to_owned()).or_default());
        let answer = line.answer(&wanted);
        let mut answer = answer.lock().await;
        if let Some((at, found)) = &*answer
            && *at >= asked
        {
            return Ok(found.clone());
        }
        // Time passes while a check waits for its turn.
        let search = |waited: Duration| span(wanted.window, now, waited);
        let found = self.search(project, &line, &wanted, extract, asked, search);
        let found = found.await?;
        *answer = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    async fn search(
        &self,
        project: &str,
        line: &Line,
        wanted: &Wanted,
        extract: Option<&Regex>,
        asked: Instant,
        span: impl Fn(Duration) -> (Timestamp, Timestamp),
    ) -> Result<Found, ProberError> {
        line.turn().await;
        let (after, until) = span(asked.elapsed());
        let search = Search {
            project,
            filter: &wanted.filter,
            after,
            until,
            texts: extract.is_some(),
        };
        let mut found = Found {
            count: 0,
            values: Vec::new(),
            after,
        };
        let mut token = None;
        for _ in 0..PAGES {
            let page = self.logging.page(&search, token.as_deref()).await;
            let page = page.map_err(|fault| refused(&fault))?;
            found.take(&page.entries, extract);
            token = page.next;
            if token.is_none() || found.count == PAGE_SIZE {
                return Ok(found);
            }
            line.turn().await;
        }
        let text = format!(
            "the search did not end within {PAGES} pages: name the resource.type and the log in the filter, or take a \
             shorter window"
        );
        Err(ProberError::new(ProberFault::Unavailable, text))
    }
}

impl Found {
    fn take(&mut self, texts: &[String], extract: Option<&Regex>) {
        let room = PAGE_SIZE - self.count;
        let texts = &texts[..texts.len().min(room)];
        self.count += texts.len();
        let Some(extract) = extract else { return };
        let number = |text: &String| extract.captures(text)?.get(1)?.as_str().parse().ok();
        let numbers = texts.iter().filter_map(number);
        self.values
            .extend(numbers.filter(|number: &f64| number.is_finite()));
    }
}

impl Line {
    /// The place of an answer; forgets those that nobody waits for.
    fn answer(&self, wanted: &Wanted) -> Arc<Answer> {
        let mut answers = locked(&self.answers);
        answers.retain(|_, answer| Arc::strong_count(answer) > 1);
        Arc::clone(answers.entry(wanted.clone()).or_default())
    }

    /// Waits for leave to search once. Dropping the future gives up the place and takes nothing.
    async fn turn(&self) {
        let mut free = self.turn.lock().await;
        if let Some(at) = *free {
            tokio::time::sleep_until(at).await;
        }
        *free = Some(Instant::now() + PACE);
    }
}

/// The window of entries that have come in by now.
fn span(window: Duration, asked: Timestamp, waited: Duration) -> (Timestamp, Timestamp) {
    let now = asked.checked_add(waited).unwrap_or(asked);
    let until = now.checked_sub(delay::LOG).unwrap_or(Timestamp::MIN);
    let after = until.checked_sub(window).unwrap_or(Timestamp::MIN);
    (after, until)
}

/// A poisoned lock here guards what can be asked again.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
