//! The pure core: what is told, in which order, and how often.

use crate::support::{after, alert, check, failing, provider, sight, start, trouble, warning};
use evenkeel::api::alert::{AlertSpec, AlertTarget, ProviderKind};
use evenkeel::api::{AlertSeverity, Document, HumanDuration};
use evenkeel::core::alert::{
    Because, Book, Change, Entry, Event, Exchange, Link, Message, Notice, Object, Receipt, Sight,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A book with a memory that outlives it, one Alert and one check.
struct Desk {
    book: Book,
    saved: BTreeMap<String, Entry>,
    alerts: Vec<Document<AlertSpec>>,
    objects: BTreeSet<Object>,
    now: Timestamp,
}

impl Desk {
    fn new(kind: ProviderKind) -> Self {
        let mut desk = Desk {
            book: Book::new(Vec::new()),
            saved: BTreeMap::new(),
            alerts: vec![alert("infra", provider(kind))],
            objects: BTreeSet::from([check("load")]),
            now: start(),
        };
        desk.declare();
        desk
    }

    fn declare(&mut self) {
        self.book
            .declare(&self.alerts, self.objects.clone(), self.now);
    }

    fn spec(&mut self) -> &mut AlertSpec {
        &mut self.alerts[0].spec
    }

    fn see(&mut self, sight: Sight) {
        self.book.see(&check("load"), sight, self.now);
        self.save();
    }

    fn save(&mut self) {
        for Change { id, entry } in self.book.changes() {
            match entry {
                Some(entry) => self.saved.insert(id, entry),
                None => self.saved.remove(&id),
            };
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The process dies, and another goes on from what was saved.
    fn restart(&mut self) {
        let text = serde_json::to_string(&self.saved).unwrap();
        self.saved = serde_json::from_str(&text).unwrap();
        self.book = Book::new(self.saved.values().cloned().collect());
        self.declare();
        self.save();
    }

    fn due(&mut self) -> Vec<Exchange> {
        let due = self.book.due(self.now);
        self.save();
        due
    }

    fn settle(&mut self, exchange: &Exchange, receipt: &Receipt) -> Link {
        let link = self.book.settle(&exchange.route, receipt, 0.5, self.now);
        self.save();
        link
    }

    /// Everything that is due, accepted: the event and reason of each.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let due = self.due();
            if due.is_empty() {
                return told;
            }
            for exchange in due {
                told.extend(notices(&exchange).iter().map(said));
                self.settle(&exchange, &Receipt::Accepted);
            }
        }
    }

    fn next(&self) -> Option<Timestamp> {
        self.book.next()
    }
}

fn notices(exchange: &Exchange) -> Vec<Notice> {
    match &exchange.message {
        Message::Notices(notices) => notices.clone(),
        Message::Digest(_) => Vec::new(),
    }
}

fn said(notice: &Notice) -> String {
    let reason = &notice.episode.trouble.topic.reason;
    format!("{} {reason}", notice.event.as_str())
}

fn failed() -> Receipt {
    Receipt::Failed {
        why: "no connection".to_owned(),
        asked: None,
    }
}

fn refused() -> Receipt {
    Receipt::Refused("400 invalid_payload".to_owned())
}

#[test]
fn a_trouble_is_told_once_at_each_end() {
    let mut desk = Desk::new(ProviderKind::Slack);
    assert!(desk.told().is_empty(), "nothing was judged yet");
    desk.see(Sight::well());
    assert!(desk.told().is_empty());
    for _ in 0..3 {
        desk.see(sight(&[failing()]));
        desk.wait(30);
    }
    assert_eq!(desk.told(), ["firing ExpectationsMissed"]);
    desk.see(sight(&[failing()]));
    assert!(desk.told().is_empty());
    desk.see(Sight::well());
    assert_eq!(desk.told(), ["resolved ExpectationsMissed"]);
    desk.see(Sight::well());
    assert!(desk.told().is_empty());
    let left: Vec<_> = desk.saved.values().collect();
    assert!(matches!(left[..], [Entry::Route(_)]), "{left:?}");
}

#[test]
fn what_cannot_be_judged_neither_begins_nor_ends() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.see(sight(&[failing()]));
    assert_eq!(desk.told(), ["firing ExpectationsMissed"]);
    desk.see(Sight::unknown());
    assert!(desk.told().is_empty());
    desk.restart();
    assert!(desk.told().is_empty(), "judged by nobody since the restart");
    desk.see(sight(&[failing()]));
    assert!(desk.told().is_empty());
    desk.restart();
    desk.see(Sight::well());
    assert_eq!(desk.told(), ["resolved ExpectationsMissed"]);
}

#[test]
fn what_often_passes_by_itself_must_last() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.wait(10_000);
    let mut retrying = trouble("Retrying", AlertSeverity::Warning);
    retrying.grace = Duration::from_mins(10);
    desk.see(sight(&[retrying.clone()]));
    assert!(desk.told().is_empty());
    let ripe = desk.now + Duration::from_mins(10);
    assert_eq!(desk.next(), Some(ripe));
    desk.wait(300);
    desk.see(Sight::well());
    desk.wait(600);
    assert!(desk.told().is_empty(), "it passed");
    desk.see(sight(&[retrying.clone()]));
    let since = desk.now;
    desk.wait(300);
    desk.see(sight(&[retrying]));
    desk.wait(300);
    let due = desk.due();
    let notice = &notices(&due[0])[0];
    assert_eq!(said(notice), "firing Retrying");
    assert_eq!(notice.episode.trouble.since, since, "not since the start");
}

#[test]
fn it_repeats_while_it_lasts_and_counts() {
    let mut desk = Desk::new(ProviderKind::Webhook);
    desk.see(sight(&[failing()]));
    desk.told();
    assert_eq!(desk.next(), Some(after(3600)));
    desk.wait(3599);
    assert!(desk.told().is_empty());
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        desk.wait(3600);
        desk.restart();
        desk.see(sight(&[failing()]));
        let due = desk.due();
        let notice = notices(&due[0]).remove(0);
        assert_eq!(said(&notice), "repeat ExpectationsMissed");
        assert!(ids.insert(notice.id), "each repeat has an id of its own");
        desk.settle(&due[0], &Receipt::Accepted);
        assert!(desk.told().is_empty());
    }
}

#[test]
fn another_severity_or_reason_ends_the_one_and_begins_the_other() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.see(sight(&[warning()]));
    assert_eq!(desk.told(), ["firing NearLimit"]);
    desk.see(sight(&[failing()]));
    let due = desk.due();
    let worse = notices(&due[0]).remove(0);
    assert_eq!(said(&worse), "firing ExpectationsMissed");
    desk.settle(&due[0], &Receipt::Accepted);
    let due = desk.due();
    let ended = notices(&due[0]).remove(0).episode.ended.unwrap();
    assert_eq!(ended.because, Because::Became("ExpectationsMissed".into()));
}

#[test]
fn the_end_comes_when_the_object_or_the_watch_goes() {
    let because = |desk: &mut Desk| {
        let due = desk.due();
        let notice = notices(&due[0]).remove(0);
        assert_eq!(notice.event, Event::Resolved);
        desk.settle(&due[0], &Receipt::Accepted);
        notice.episode.ended.unwrap().because
    };
    let ill = || {
        let mut desk = Desk::new(ProviderKind::Slack);
        desk.see(sight(&[warning()]));
        desk.told();
        desk
    };

    let mut desk = ill();
    desk.objects.clear();
    desk.declare();
    assert_eq!(because(&mut desk), Because::Removed);

    // The manifest went while nobody ran.
    let mut desk = ill();
    desk.objects.clear();
    desk.restart();
    assert_eq!(because(&mut desk), Because::Removed);

    let mut desk = ill();
    desk.spec().min_severity = AlertSeverity::Critical;
    desk.declare();
    assert_eq!(because(&mut desk), Because::Unwatched);

    let mut desk = ill();
    desk.spec().select = vec![AlertTarget {
        kind: "Check".into(),
        name: "other-*".into(),
    }];
    desk.restart();
    assert_eq!(because(&mut desk), Because::Unwatched);

    let mut desk = ill();
    desk.alerts.clear();
    desk.restart();
    assert_eq!(because(&mut desk), Because::Unwatched);
    assert!(desk.told().is_empty());
    assert!(desk.saved.is_empty(), "nothing is left of it");
}

#[test]
fn another_provider_is_told_anew_and_the_old_one_of_the_end() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.see(sight(&[failing()]));
    desk.told();
    desk.spec().provider = provider(ProviderKind::Pagerduty);
    desk.declare();
    let due = desk.due();
    let by = |kind| due.iter().find(|exchange| exchange.provider.kind == kind);
    let event = |kind| notices(by(kind).unwrap())[0].event;
    assert_eq!(event(ProviderKind::Slack), Event::Resolved);
    assert_eq!(event(ProviderKind::Pagerduty), Event::Firing);
}

#[test]
fn a_gone_alert_that_cannot_be_told_is_let_go_after_a_day() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.see(sight(&[failing()]));
    desk.told();
    desk.alerts.clear();
    desk.declare();
    for _ in 0..26 {
        for exchange in desk.due() {
            desk.settle(&exchange, &failed());
        }
        desk.wait(3600);
    }
    assert!(desk.due().is_empty());
    assert!(desk.saved.is_empty());
    assert_eq!(desk.next(), None);
}

#[test]
fn a_dead_receiver_costs_one_call_at_a_time_and_then_hears_everything() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.objects = (0..50).map(|n| check(&format!("c{n}"))).collect();
    desk.declare();
    for object in desk.objects.clone() {
        desk.book.see(&object, sight(&[failing()]), desk.now);
    }
    let mut calls = 0;
    let mut links = Vec::new();
    for _ in 0..3600 {
        for exchange in desk.due() {
            assert!(desk.due().is_empty(), "one at a time");
            calls += 1;
            links.push(desk.settle(&exchange, &failed()));
        }
        desk.wait(1);
    }
    assert!((30..120).contains(&calls), "{calls} calls in an hour");
    assert_eq!(links.remove(0), Link::Down);
    assert!(links.iter().all(|link| *link == Link::Same));
    let health = desk.book.health().remove(0);
    assert_eq!((health.firing, health.untold), (50, 50));
    assert_eq!(health.failing.unwrap().1, "no connection");
    desk.wait(120);
    let due = desk.due();
    assert_eq!(desk.settle(&due[0], &Receipt::Accepted), Link::Up);
    assert_eq!(desk.told().len(), 49);
    assert_eq!(desk.book.health()[0].untold, 0);
}

#[test]
fn a_refused_message_stands_in_nobodys_way() {
    for kind in [ProviderKind::Slack, ProviderKind::Alertmanager] {
        let mut desk = Desk::new(kind);
        desk.objects = BTreeSet::from([check("bad"), check("good"), check("well")]);
        desk.declare();
        for object in desk.objects.clone() {
            desk.book.see(&object, sight(&[failing()]), desk.now);
        }
        let bad = |notice: &Notice| notice.episode.object.name == "bad";
        let mut told = BTreeSet::new();
        let mut refusals = 0;
        loop {
            let Some(exchange) = desk.due().pop() else {
                break;
            };
            let notices = notices(&exchange);
            if notices.iter().any(bad) {
                refusals += 1;
                desk.settle(&exchange, &refused());
            } else {
                told.extend(notices.into_iter().map(|n| n.episode.object.name));
                desk.settle(&exchange, &Receipt::Accepted);
            }
        }
        assert_eq!(told, BTreeSet::from(["good".into(), "well".into()]));
        assert!(refusals <= 2, "alone, and then not again at once");
        let wait = desk.next().unwrap();
        assert!(wait <= desk.now + Duration::from_mins(10));
        // Over, and still refused: a day later nobody tries any more.
        desk.book.see(&check("bad"), Sight::well(), desk.now);
        desk.wait(600);
        let due = desk.due();
        assert!(notices(&due[0]).iter().any(bad) || kind == ProviderKind::Alertmanager);
        desk.settle(&due[0], &refused());
        desk.wait(24 * 3600);
        for exchange in desk.due() {
            assert!(!notices(&exchange).iter().any(bad));
        }
    }
}

#[test]
fn an_alertmanager_is_told_every_minute_in_one_call_and_nothing_is_written_down_for_it() {
    let mut desk = Desk::new(ProviderKind::Alertmanager);
    desk.objects = (0..100).map(|n| check(&format!("c{n}"))).collect();
    desk.declare();
    for object in desk.objects.clone() {
        desk.book.see(&object, sight(&[failing()]), desk.now);
    }
    desk.save();
    assert_eq!(desk.told().len(), 100);
    desk.wait(60);
    let first = desk.due().remove(0);
    assert_eq!(notices(&first).len(), 64);
    desk.book
        .settle(&first.route, &Receipt::Accepted, 0.5, desk.now);
    assert!(desk.book.changes().is_empty());
    assert_eq!(desk.told().len(), 36);
    desk.restart();
    assert_eq!(desk.told().len(), 100, "at once after a restart");
}

#[test]
fn many_short_episodes_behind_a_dead_receiver_count_as_one() {
    let mut desk = Desk::new(ProviderKind::Slack);
    for _ in 0..30 {
        desk.see(sight(&[failing()]));
        desk.wait(1);
        desk.see(Sight::well());
        desk.wait(1);
    }
    let mut firing = 0;
    let mut resolved = 0;
    let mut flaps = 0;
    while let Some(exchange) = desk.due().pop() {
        let notice = notices(&exchange).remove(0);
        match notice.event {
            Event::Firing => firing += 1,
            Event::Resolved => resolved += 1,
            other => panic!("{other:?}"),
        }
        if notice.event == Event::Resolved {
            flaps += notice.episode.flaps;
        }
        desk.settle(&exchange, &Receipt::Accepted);
    }
    assert_eq!((firing, resolved, flaps), (8, 8, 22));
}

#[test]
fn a_status_update_comes_in_time_and_once() {
    let mut desk = Desk::new(ProviderKind::Slack);
    desk.spec().digest = Some(HumanDuration(Duration::from_hours(2)));
    desk.declare();
    desk.see(sight(&[failing()]));
    desk.told();
    desk.see(sight(&[warning()]));
    desk.told();
    desk.wait(7200);
    let update = |desk: &mut Desk| {
        desk.due().into_iter().find_map(|exchange| {
            let digest = match &exchange.message {
                Message::Digest(digest) => Some(digest.clone()),
                Message::Notices(_) => None,
            };
            desk.settle(&exchange, &Receipt::Accepted);
            digest
        })
    };
    assert_eq!(update(&mut desk), None, "the repeat goes first");
    let digest = update(&mut desk).unwrap();
    assert_eq!(
        (digest.critical, digest.warning, digest.resolved),
        (0, 1, 1)
    );
    assert_eq!(digest.lines[0].reason, "NearLimit");
    desk.restart();
    assert_eq!(update(&mut desk), None);
    desk.see(Sight::well());
    desk.told();
    // Nobody ran for a while: one update, not five.
    desk.wait(10 * 3600);
    desk.restart();
    let digest = update(&mut desk).unwrap();
    assert_eq!((digest.firing(), digest.resolved), (0, 1));
    assert_eq!(update(&mut desk), None);
}
