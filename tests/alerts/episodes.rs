//! Whatever is seen, lost, refused or killed: each episode is told once that it began and once that
//! it is over, in this order.

use crate::support::{alert, check, failing, provider, start, warning};
use evenkeel::api::alert::ProviderKind;
use evenkeel::api::{AlertSpec, Document};
use evenkeel::core::alert::{
    Book, Entry, Event, Exchange, Message, Notice, Object, Receipt, Sight, Topic,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NAMES: [&str; 2] = ["load", "cpu"];

#[derive(Debug, Clone)]
enum Step {
    /// An object is judged: it fails, it is near the limit, and whether that is all.
    See(usize, bool, bool, bool),
    /// Its manifest goes, or comes back.
    Declare(usize, bool),
    /// The next call that is due.
    Call(Fate),
    Wait(u64),
    /// The process dies in the middle of a call, which may have arrived. `true`: also before what
    /// was seen last is on disk.
    Die(bool, bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Accepted,
    /// It arrived, and the reply was lost.
    ReplyLost,
    NotArrived,
    Refused,
}

fn step() -> impl Strategy<Value = Step> {
    let fate = prop_oneof![
        4 => Just(Fate::Accepted),
        2 => Just(Fate::ReplyLost),
        2 => Just(Fate::NotArrived),
        1 => Just(Fate::Refused),
    ];
    prop_oneof![
        5 => (0..NAMES.len(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(object, fails, near, complete)| Step::See(object, fails, near, complete)),
        1 => (0..NAMES.len(), any::<bool>()).prop_map(|(object, on)| Step::Declare(object, on)),
        8 => fate.prop_map(Step::Call),
        4 => (1_u64..5000).prop_map(Step::Wait),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(lose, arrives)| Step::Die(lose, arrives)),
    ]
}

/// What was there to be told, counted without the code under test.
#[derive(Debug, Clone, Default)]
struct Truth {
    lasting: BTreeSet<(Object, Topic)>,
    begun: u32,
}

impl Truth {
    fn see(&mut self, object: &Object, sight: &Sight) {
        let seen: BTreeSet<_> = sight.troubles.iter().map(|t| t.topic.clone()).collect();
        if sight.complete {
            self.lasting
                .retain(|(of, topic)| of != object || seen.contains(topic));
        }
        for topic in seen {
            self.begun += u32::from(self.lasting.insert((object.clone(), topic)));
        }
    }
}

/// A receiver that knows a message by its id.
#[derive(Debug, Default)]
struct Receiver {
    ids: BTreeSet<String>,
    open: BTreeMap<(Object, Topic), String>,
    begun: u32,
    ended: u32,
}

impl Receiver {
    fn take(&mut self, notice: &Notice) {
        if !self.ids.insert(notice.id.clone()) {
            return;
        }
        let episode = &notice.episode;
        let about = (episode.object.clone(), episode.trouble.topic.clone());
        match notice.event {
            Event::Firing => {
                let before = self.open.insert(about, episode.id.clone());
                assert_eq!(before, None, "began before the last one was over");
                self.begun += 1 + episode.flaps;
            }
            Event::Repeat => assert_eq!(self.open.get(&about), Some(&episode.id)),
            Event::Resolved => {
                assert_eq!(self.open.remove(&about), Some(episode.id.clone()));
                self.ended += 1 + episode.flaps;
            }
            Event::Test => panic!("nobody asked for a test"),
        }
    }
}

struct Run {
    book: Book,
    saved: BTreeMap<String, Entry>,
    alerts: Vec<Document<AlertSpec>>,
    declared: BTreeSet<Object>,
    truth: Truth,
    /// As it was when the book was saved.
    durable: (Truth, BTreeSet<Object>),
    receiver: Receiver,
    confirmed: BTreeSet<String>,
    now: Timestamp,
}

impl Run {
    fn new(kind: ProviderKind) -> Self {
        let declared: BTreeSet<_> = NAMES.iter().map(|name| check(name)).collect();
        let mut run = Run {
            book: Book::new(Vec::new()),
            saved: BTreeMap::new(),
            alerts: vec![alert("infra", provider(kind))],
            declared: declared.clone(),
            truth: Truth::default(),
            durable: (Truth::default(), declared),
            receiver: Receiver::default(),
            confirmed: BTreeSet::new(),
            now: start(),
        };
        run.declare();
        run.save();
        run
    }

    fn declare(&mut self) {
        self.book
            .declare(&self.alerts, self.declared.clone(), self.now);
    }

    fn save(&mut self) {
        for change in self.book.changes() {
            match change.entry {
                Some(entry) => self.saved.insert(change.id, entry),
                None => self.saved.remove(&change.id),
            };
        }
        self.durable = (self.truth.clone(), self.declared.clone());
    }

    fn see(&mut self, object: &Object, sight: Sight) {
        if self.declared.contains(object) {
            self.truth.see(object, &sight);
        }
        self.book.see(object, sight, self.now);
    }

    fn due(&mut self) -> Option<(Exchange, Vec<Notice>)> {
        let exchange = self.book.due(self.now).pop();
        self.save();
        let exchange = exchange?;
        let Message::Notices(notices) = exchange.message.clone() else {
            panic!("no digest was asked for");
        };
        for notice in &notices {
            let again = self.confirmed.contains(&notice.id);
            // An Alertmanager is refreshed, and that is not written down.
            let refresh = exchange.provider.kind == ProviderKind::Alertmanager
                && notice.event == Event::Repeat;
            assert!(!again || refresh, "told again: {notice:?}");
        }
        Some((exchange, notices))
    }

    fn call(&mut self, fate: Fate) {
        let Some((exchange, notices)) = self.due() else {
            return;
        };
        if matches!(fate, Fate::Accepted | Fate::ReplyLost) {
            notices.iter().for_each(|notice| self.receiver.take(notice));
        }
        let receipt = match fate {
            Fate::Accepted => Receipt::Accepted,
            Fate::Refused => Receipt::Refused("400".into()),
            Fate::ReplyLost | Fate::NotArrived => Receipt::Failed {
                why: "no reply".into(),
                asked: None,
            },
        };
        self.book.settle(&exchange.route, &receipt, 0.5, self.now);
        self.save();
        if fate == Fate::Accepted {
            self.confirmed.extend(notices.into_iter().map(|n| n.id));
        }
    }

    fn die(&mut self, lose: bool, arrives: bool) {
        if lose {
            (self.truth, self.declared) = self.durable.clone();
        } else if let Some((_, notices)) = self.due()
            && arrives
        {
            notices.iter().for_each(|notice| self.receiver.take(notice));
        }
        let text = serde_json::to_string(&self.saved).unwrap();
        self.saved = serde_json::from_str(&text).unwrap();
        self.book = Book::new(self.saved.values().cloned().collect());
        self.declare();
        self.save();
    }

    fn step(&mut self, step: &Step) {
        // No two moments are the same.
        self.now += Duration::from_millis(1);
        match *step {
            Step::See(object, fails, near, complete) => {
                let mut troubles = Vec::new();
                troubles.extend(fails.then(failing));
                troubles.extend(near.then(warning));
                let sight = Sight { troubles, complete };
                self.see(&check(NAMES[object]), sight);
            }
            Step::Declare(object, on) => {
                let object = check(NAMES[object]);
                if on {
                    self.declared.insert(object);
                } else {
                    self.truth.lasting.retain(|(of, _)| *of != object);
                    self.declared.remove(&object);
                }
                self.declare();
            }
            Step::Call(fate) => self.call(fate),
            Step::Wait(seconds) => self.now += Duration::from_secs(seconds),
            Step::Die(lose, arrives) => self.die(lose, arrives),
        }
    }

    /// Nothing fails any more, and everything is well.
    fn heal(&mut self) {
        for name in NAMES {
            self.see(&check(name), Sight::well());
        }
        self.save();
        for _ in 0..200 {
            self.now += Duration::from_mins(10);
            self.call(Fate::Accepted);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn each_episode_is_told_once_at_each_end(
        steps in prop::collection::vec(step(), 1..120),
        batches in any::<bool>(),
    ) {
        let kind = if batches { ProviderKind::Alertmanager } else { ProviderKind::Webhook };
        let mut run = Run::new(kind);
        for step in &steps {
            run.step(step);
        }
        run.heal();
        prop_assert!(run.receiver.open.is_empty(), "{:?}", run.receiver.open);
        prop_assert_eq!(run.receiver.begun, run.truth.begun);
        prop_assert_eq!(run.receiver.ended, run.truth.begun);
        let left: Vec<_> = run.saved.values().collect();
        prop_assert!(matches!(left[..], [Entry::Route(_)]), "{:?}", left);
    }
}
