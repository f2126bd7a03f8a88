//! Everything that went over a wire: what was wrong with it, and which methods were met.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exchange, Surface};

/// Which exchanges there were. A method is met when it was answered with success.
#[derive(Debug, Default)]
pub struct Tally {
    pub exchanges: usize,
    /// Each with the exchange that it was found in.
    pub problems: Vec<String>,
    pub met: BTreeSet<String>,
    forgiven: Option<&'static str>,
}

impl Tally {
    /// Problems that end in these words are none.
    pub fn forgiving(words: &'static str) -> Self {
        Self {
            forgiven: Some(words),
            ..Self::default()
        }
    }

    /// Like [`Tally::add`]; a request that was refused must be well-formed as well.
    pub fn add_strictly(&mut self, exchange: &Exchange) {
        if exchange.status >= 400 {
            self.check_request(exchange);
        }
        self.add(exchange);
    }

    /// A request whose reply was lost.
    pub fn add_unanswered(&mut self, exchange: &Exchange) {
        self.exchanges += 1;
        self.check_request(exchange);
    }

    fn check_request(&mut self, exchange: &Exchange) {
        let (verb, path) = (exchange.method, exchange.path);
        let found = match Surface::of_request(verb, path) {
            Some(surface) => surface.request_problems(verb, path, exchange.query, &exchange.body),
            None => vec!["no API has such a method".to_owned()],
        };
        self.note(found, exchange);
    }

    pub fn add(&mut self, exchange: &Exchange) {
        self.exchanges += 1;
        let (verb, path) = (exchange.method, exchange.path);
        let Some(surface) = Surface::of_request(verb, path) else {
            self.note(vec!["no API has such a method".to_owned()], exchange);
            return;
        };
        self.note(surface.problems(exchange), exchange);
        if exchange.status == 200 {
            let id = surface.method_id(verb, path).map(str::to_owned);
            self.met.extend(id);
        }
    }

    fn note(&mut self, mut found: Vec<String>, exchange: &Exchange) {
        found.retain(|problem| self.forgiven.is_none_or(|words| !problem.ends_with(words)));
        if !found.is_empty() {
            self.problems.push(format!("{found:#?}\nin {exchange:#?}"));
        }
    }

    /// All is well, and every method in `wanted` was met.
    pub fn assert<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) {
        let problems = self.problems.iter().take(5);
        let shown: Vec<&str> = problems.map(String::as_str).collect();
        let count = self.problems.len();
        assert!(count == 0, "{count} problems\n{}", shown.join("\n"));
        let missed: Vec<&str> = wanted
            .into_iter()
            .filter(|id| !self.met.contains(*id))
            .collect();
        assert!(
            missed.is_empty(),
            "{missed:#?} not met, but\n{}",
            self.report()
        );
    }

    /// The methods met, a line for each API.
    pub fn report(&self) -> String {
        let mut apis: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for id in &self.met {
            let (api, method) = id.split_once('.').unwrap_or(("", id));
            apis.entry(api).or_default().push(method);
        }
        let line = |(api, methods): (&str, Vec<&str>)| {
            format!("{api}: {} methods: {}", methods.len(), methods.join(", "))
        };
        let lines: Vec<String> = apis.into_iter().map(line).collect();
        format!("{} exchanges\n{}", self.exchanges, lines.join("\n"))
    }
}
