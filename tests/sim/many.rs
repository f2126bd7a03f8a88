//! Many seeds: those that failed once first, then as many as asked for.

use super::run::{Outcome, play};
use super::script::Script;
use super::timeline;
use super::trace::What;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Fleets of connectors only.
const CONNECTORS: Space = Space {
    test: "many::seeds",
    draw: Script::connectors,
    kept: include_str!("seeds.txt"),
    count: 300,
};

/// Fleets of every other kind.
const KINDS: Space = Space {
    test: "many::kinds",
    draw: Script::mixed,
    kept: include_str!("kinds.txt"),
    count: 300,
};

/// Certificates of Certificate Manager. Apart from the other kinds, whose seeds stay what they were.
const MANAGED: Space = Space {
    test: "many::managed",
    draw: Script::managed,
    kept: include_str!("managed.txt"),
    count: 60,
};

/// Connectors and fleets of every kind, with checks and phases.
const GATES: Space = Space {
    test: "many::gates",
    draw: Script::gated,
    kept: include_str!("gates.txt"),
    count: 10,
};

/// Lines of a failing seed's timeline.
const TAIL: usize = 60;

/// Seeds, and the scripts that are drawn from them.
struct Space {
    test: &'static str,
    draw: fn(u64) -> Script,
    /// Seeds that failed once, each with what was wrong.
    kept: &'static str,
    /// Seeds of a run that names no number.
    count: u64,
}

/// What all seeds came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    simulated: Duration,
    writes: u64,
    crashes: u64,
    injected: BTreeMap<String, u64>,
    failures: Vec<(u64, String)>,
}

impl Sum {
    fn add(&mut self, space: &Space, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.simulated += outcome.simulated;
        for fact in &outcome.trace {
            match fact.what {
                What::Sent(_) => self.writes += 1,
                What::Crash(_) => self.crashes += 1,
                _ => {}
            }
        }
        for (name, count) in &outcome.injected {
            *self.injected.entry(name.clone()).or_default() += count;
        }
        if let Some(text) = space.failure(seed, outcome) {
            self.failures.push((seed, text));
        }
    }

    fn print(&self, took: Duration) {
        let faults: u64 = self.injected.values().sum();
        let hours = self.simulated.as_secs() / 3600;
        println!(
            "{} seeds in {:.0} s: {hours} simulated hours, {} writes, {} crashes, {faults} faults of {} kinds",
            self.seeds,
            took.as_secs_f64(),
            self.writes,
            self.crashes,
            self.injected.len(),
        );
        for (name, count) in &self.injected {
            println!("  {count:>8}  {name}");
        }
    }
}

impl Space {
    fn run(&self, seed: u64) -> Outcome {
        play(seed, (self.draw)(seed))
    }

    fn kept(&self) -> impl Iterator<Item = u64> {
        let lines = self.kept.lines();
        lines.filter_map(|line| line.split_whitespace().next()?.parse().ok())
    }

    fn failure(&self, seed: u64, outcome: &Outcome) -> Option<String> {
        let first = outcome.violations.first()?;
        let end = first.at.saturating_add(3).min(outcome.trace.len());
        let tail = timeline::render(&outcome.trace[..end], Some(TAIL));
        let rules: Vec<_> = outcome
            .violations
            .iter()
            .map(|v| format!("  {}: {}", v.rule, v.text))
            .collect();
        Some(format!(
            "{tail}\n\nseed {seed} broke:\n{}\nreplay: EVENKEEL_SEED={seed} cargo test --test sim {} -- --nocapture",
            rules.join("\n"),
            self.test,
        ))
    }

    fn test(&self) {
        if let Some(seed) = number("EVENKEEL_SEED") {
            return self.replay(seed);
        }
        let count = number("EVENKEEL_SEEDS").unwrap_or(self.count);
        let from = number("EVENKEEL_FROM").unwrap_or(1);
        let seeds: Vec<u64> = self.kept().chain(from..from + count).collect();
        let began = Instant::now();
        let sum = self.run_all(&seeds);
        sum.print(began.elapsed());
        if sum.failures.is_empty() {
            return;
        }
        let mut failures = sum.failures;
        failures.sort();
        let lines: Vec<_> = failures
            .iter()
            .map(|(seed, text)| format!("  {seed} {}", brief(text)))
            .collect();
        panic!(
            "{}\n\n{} of {} seeds failed:\n{}",
            failures[0].1,
            lines.len(),
            sum.seeds,
            lines.join("\n")
        );
    }

    /// Each seed in one thread; several seeds at once.
    fn run_all(&self, seeds: &[u64]) -> Sum {
        let sum = Mutex::new(Sum::default());
        let next = AtomicU64::new(0);
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Ok(index) = usize::try_from(next.fetch_add(1, Ordering::Relaxed))
                        && let Some(seed) = seeds.get(index)
                    {
                        let outcome = std::panic::catch_unwind(|| self.run(*seed));
                        let mut sum = sum.lock().unwrap();
                        match outcome {
                            Ok(outcome) => sum.add(self, *seed, &outcome),
                            Err(_) => sum.failures.push((*seed, format!("seed {seed} panicked"))),
                        }
                    }
                });
            }
        });
        sum.into_inner().unwrap()
    }

    fn replay(&self, seed: u64) {
        let outcome = self.run(seed);
        println!("{}", timeline::render(&outcome.trace, None));
        if let Some(text) = self.failure(seed, &outcome) {
            let rules = text.split("\n\n").last().unwrap_or_default();
            panic!("{rules}");
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The first broken rule of a failure.
fn brief(text: &str) -> &str {
    let rules = text.split(" broke:\n").nth(1).unwrap_or(text);
    rules.lines().next().unwrap_or_default().trim()
}

#[test]
fn seeds() {
    CONNECTORS.test();
}

#[test]
fn kinds() {
    KINDS.test();
}

#[test]
fn managed() {
    MANAGED.test();
}

#[test]
fn gates() {
    GATES.test();
}

#[test]
fn the_same_seed_is_the_same_run() {
    for space in [CONNECTORS, KINDS, MANAGED, GATES] {
        for seed in [3, 17, 99] {
            let timelines: Vec<_> = (0..2)
                .map(|_| timeline::render(&space.run(seed).trace, None))
                .collect();
            assert!(timelines[0] == timelines[1], "{} seed {seed}", space.test);
        }
    }
}
