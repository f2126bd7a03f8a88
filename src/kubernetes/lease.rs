//! Who leads: the algorithm of client-go's leader election, as a machine without a clock and a wire.
//!
//! Invariant: a lead lasts [`Terms::renew`] from the moment its last good write was *sent*, and
//! nobody takes a Lease over before it saw no change of it for [`Terms::lease`] on its own monotonic
//! clock. Every write names the resourceVersion it was made from, so a Lease that moved in between is
//! not overwritten. Clocks may be set as they like; their rates may differ by half.

use std::time::Duration;

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Without a sign of life for so long, a leader is taken to be dead.
    pub lease: Duration,
    /// A leader that could not renew for so long stops; shorter than `lease`.
    pub renew: Duration,
    /// Time between two tries.
    pub retry: Duration,
}

impl Default for Terms {
    /// Those of the parts of Kubernetes itself.
    fn default() -> Self {
        Terms {
            lease: Duration::from_secs(15),
            renew: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

impl Terms {
    /// Terms from the length of a lease, in the proportions of the default. 15 s and more is what a
    /// busy API server copes with.
    #[must_use]
    pub fn of(lease: Duration) -> Self {
        Terms {
            lease,
            renew: lease * 2 / 3,
            retry: lease * 2 / 15,
        }
    }
}

/// A Lease, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `metadata.resourceVersion`: another one is a sign of life, whatever the times in it say.
    pub version: String,
    /// `None` or empty: nobody.
    pub holder: Option<String>,
    /// How often the Lease changed hands.
    pub transitions: i32,
    /// What its holder says a lease lasts.
    pub lease: Option<Duration>,
}

/// A write to make, under the precondition of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bid {
    /// `None`: there is no Lease, create it.
    pub version: Option<String>,
    /// `None`: let it go.
    pub holder: Option<String>,
    /// It changes hands with this write: `acquireTime` is now.
    pub acquires: bool,
    pub transitions: i32,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read the Lease; then [`Machine::read`].
    Read,
    /// Make this write; then [`Machine::written`].
    Write(Bid),
    /// Nothing before this moment.
    Sleep(Duration),
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is there, as this version.
    Done(String),
    /// Another was faster: nothing was written.
    Lost,
    /// No answer, or none that tells: it may be there.
    Unclear,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Lead {
    until: Duration,
    transitions: i32,
}

/// One candidate. Moments are durations on its own monotonic clock, from any start.
#[derive(Debug, Clone)]
pub struct Machine {
    me: String,
    terms: Terms,
    /// The Lease as it surely was when it was last read or written; `None`: read it first.
    #[allow(
        clippy::option_option,
        reason = "not read is not the same as not there"
    )]
    known: Option<Option<Seen>>,
    /// What another wrote last, and since when it has not changed.
    foreign: Option<(Seen, Duration)>,
    lead: Option<Lead>,
    /// Not before.
    wake: Duration,
}

impl Machine {
    /// A candidate that has seen nothing yet. `me` is of this process alone.
    #[must_use]
    pub fn new(me: &str, terms: Terms) -> Self {
        Machine {
            me: me.to_owned(),
            terms,
            known: None,
            foreign: None,
            lead: None,
            wake: Duration::ZERO,
        }
    }

    /// Until when it leads; `None` where it does not.
    #[must_use]
    pub fn leads(&self, now: Duration) -> Option<Duration> {
        let lead = self.lead.as_ref()?;
        (now < lead.until).then_some(lead.until)
    }

    /// Who was seen to lead last, other than this candidate.
    #[must_use]
    pub fn rival(&self) -> Option<&str> {
        let (seen, _) = self.foreign.as_ref()?;
        seen.holder.as_deref()
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self, now: Duration) -> Step {
        if now < self.wake {
            return Step::Sleep(self.wake);
        }
        match &self.known {
            None => Step::Read,
            Some(seen) => self.bid(now, seen.as_ref()).map_or(Step::Read, Step::Write),
        }
    }

    /// The write that a known Lease allows.
    fn bid(&self, now: Duration, seen: Option<&Seen>) -> Option<Bid> {
        let mine = |version, acquires, transitions| Bid {
            version,
            holder: Some(self.me.clone()),
            acquires,
            transitions,
        };
        let Some(seen) = seen else {
            return Some(mine(None, true, 0));
        };
        let version = Some(seen.version.clone());
        match holder(seen) {
            Some(name) if name == self.me => Some(mine(version, false, seen.transitions)),
            Some(_) if !self.is_over(now, seen) => None,
            _ => Some(mine(version, true, seen.transitions.saturating_add(1))),
        }
    }

    /// Another's lease that has not changed for as long as it lasts.
    fn is_over(&self, now: Duration, seen: &Seen) -> bool {
        let lasts = seen.lease.unwrap_or_default().max(self.terms.lease);
        let since = self.foreign.as_ref().map(|(_, since)| *since);
        since.is_some_and(|since| now >= since + lasts)
    }

    /// Takes in what a read gave: `Ok(None)` where there is no Lease. `jitter` is drawn from 0..=1.
    pub fn read(&mut self, now: Duration, outcome: Result<Option<Seen>, ()>, jitter: f64) {
        let Ok(seen) = outcome else {
            self.known = None;
            self.wake = now + self.pause(now, jitter);
            return;
        };
        let other = seen
            .as_ref()
            .filter(|seen| holder(seen).is_some_and(|name| name != self.me));
        if let Some(other) = other {
            self.lead = None;
            let same = self
                .foreign
                .as_ref()
                .is_some_and(|(known, _)| known.version == other.version);
            if !same {
                self.foreign = Some((other.clone(), now));
            }
        } else {
            self.foreign = None;
        }
        let bids = self.bid(now, seen.as_ref()).is_some();
        self.known = bids.then_some(seen);
        self.wake = if bids {
            now
        } else {
            now + self.pause(now, jitter)
        };
    }

    /// Takes in what came of a write that was sent at `sent`.
    pub fn written(
        &mut self,
        sent: Duration,
        now: Duration,
        bid: &Bid,
        outcome: Written,
        jitter: f64,
    ) {
        match outcome {
            Written::Done(version) => {
                self.known = Some(Some(Seen {
                    version,
                    holder: bid.holder.clone(),
                    transitions: bid.transitions,
                    lease: None,
                }));
                self.foreign = None;
                self.lead = bid.holder.is_some().then(|| Lead {
                    until: sent + self.terms.renew,
                    transitions: bid.transitions,
                });
                self.wake = now.max(sent + self.terms.retry);
            }
            // Who was faster, is seen by reading; a leader looks at once.
            Written::Lost if self.leads(now).is_some() => {
                self.known = None;
                self.wake = now;
            }
            Written::Lost | Written::Unclear => {
                self.known = None;
                self.wake = now + self.pause(now, jitter);
            }
        }
    }

    /// A leader tries again soon; candidates spread out, so that they do not race each other.
    fn pause(&self, now: Duration, jitter: f64) -> Duration {
        match self.leads(now) {
            Some(_) => self.terms.retry,
            None => self.terms.retry.mul_f64(1.0 + jitter.clamp(0.0, 1.0)),
        }
    }

    /// Ends a lead; the write lets others take over at once. `None` where there is nothing to let go.
    pub fn resign(&mut self) -> Option<Bid> {
        let lead = self.lead.take()?;
        let seen = self.known.take()??;
        (holder(&seen) == Some(&*self.me)).then_some(Bid {
            version: Some(seen.version),
            holder: None,
            acquires: false,
            transitions: lead.transitions,
        })
    }
}

fn holder(seen: &Seen) -> Option<&str> {
    seen.holder.as_deref().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn held_by(name: &str, version: u32) -> Seen {
        Seen {
            version: version.to_string(),
            holder: Some(name.into()),
            transitions: 3,
            lease: Some(S(15)),
        }
    }

    fn bid(step: Step) -> Bid {
        match step {
            Step::Write(bid) => bid,
            other => panic!("{other:?}"),
        }
    }

    fn leader(now: Duration) -> Machine {
        let mut machine = Machine::new("a", Terms::default());
        machine.read(now, Ok(None), 0.0);
        let first = bid(machine.next(now));
        machine.written(now, now, &first, Written::Done("1".into()), 0.0);
        machine
    }

    #[test]
    fn a_free_lease_is_created_and_leads_from_when_the_write_was_sent() {
        let mut machine = Machine::new("a", Terms::default());
        assert_eq!(machine.next(S(0)), Step::Read);
        machine.read(S(1), Ok(None), 0.0);
        let first = bid(machine.next(S(1)));
        assert_eq!((first.version.clone(), first.acquires), (None, true));
        assert_eq!(machine.leads(S(1)), None);
        machine.written(S(1), S(4), &first, Written::Done("7".into()), 0.0);
        assert_eq!(machine.leads(S(4)), Some(S(11)));
        assert_eq!(machine.leads(S(11)), None);
        let renewal = bid(machine.next(S(4)));
        assert_eq!(renewal.version.as_deref(), Some("7"));
        assert!(!renewal.acquires);
    }

    #[test]
    fn a_lease_of_another_is_over_by_our_own_clock_alone() {
        let mut machine = Machine::new("b", Terms::default());
        machine.read(S(100), Ok(Some(held_by("a", 5))), 0.0);
        machine.read(S(110), Ok(Some(held_by("a", 8))), 0.0);
        machine.read(S(124), Ok(Some(held_by("a", 8))), 0.0);
        assert!(matches!(machine.next(S(124)), Step::Sleep(_)));
        machine.read(S(125), Ok(Some(held_by("a", 8))), 0.0);
        let takes = bid(machine.next(S(125)));
        assert_eq!(takes.version.as_deref(), Some("8"));
        assert_eq!((takes.acquires, takes.transitions), (true, 4));
    }

    #[test]
    fn a_lost_race_is_looked_into() {
        let mut machine = leader(S(0));
        let renewal = bid(machine.next(S(2)));
        machine.written(S(2), S(3), &renewal, Written::Lost, 0.5);
        assert_eq!(machine.next(S(3)), Step::Read);
        assert!(machine.leads(S(3)).is_some());
        machine.read(S(3), Ok(Some(held_by("b", 9))), 0.5);
        assert_eq!(machine.leads(S(3)), None);
        assert_eq!(machine.rival(), Some("b"));
    }

    #[test]
    fn a_lost_reply_does_not_lead() {
        let mut machine = Machine::new("a", Terms::default());
        machine.read(S(0), Ok(None), 0.0);
        let first = bid(machine.next(S(0)));
        machine.written(S(0), S(5), &first, Written::Unclear, 0.0);
        assert_eq!(machine.leads(S(5)), None);
        assert_eq!(machine.next(S(5)), Step::Sleep(S(7)));
        assert_eq!(machine.next(S(7)), Step::Read);
        // It was there after all: another write makes sure.
        machine.read(S(7), Ok(Some(held_by("a", 2))), 0.0);
        let again = bid(machine.next(S(7)));
        machine.written(S(7), S(7), &again, Written::Done("3".into()), 0.0);
        assert_eq!(machine.leads(S(7)), Some(S(17)));
    }

    #[test]
    fn who_resigns_lets_others_lead_at_once() {
        let mut machine = leader(S(0));
        let last = machine.resign().unwrap();
        assert_eq!(last.holder, None);
        assert_eq!(machine.leads(S(0)), None);
        let mut other = Machine::new("b", Terms::default());
        let free = Seen {
            holder: None,
            ..held_by("", 2)
        };
        other.read(S(0), Ok(Some(free)), 0.0);
        assert!(bid(other.next(S(0))).acquires);
        assert_eq!(other.resign(), None);
    }
}
