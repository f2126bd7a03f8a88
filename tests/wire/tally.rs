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

    pub fn add(&mut self, exchange: &Exchange) {
        self.note(exchange, |surface| surface.problems(exchange));
    }

    /// Like [`Tally::add`]; a request that was refused must be well-formed as well.
    pub fn add_strictly(&mut self, exchange: &Exchange) {
        self.note(exchange, |surface| {
            let mut found = surface.problems(exchange);
            if exchange.status >= 400 {
                found.extend(request_problems(surface, exchange));
            }
            found
        });
    }

    /// A request whose reply was lost.
    pub fn add_unanswered(&mut self, exchange: &Exchange) {
        self.note(exchange, |surface| request_problems(surface, exchange));
    }

    /// APIs that have a method in common share its path: it must be in order for one of them.
    fn note(&mut self, exchange: &Exchange, problems: impl Fn(&Surface) -> Vec<String>) {
        self.exchanges += 1;
        let (verb, path) = (exchange.method, exchange.path);
        let mut first = None;
        let mut good = false;
        for surface in Surface::all_of_request(verb, path) {
            let mut found = problems(surface);
            found.retain(|problem| !self.forgives(problem));
            if found.is_empty() {
                good = true;
                let met = surface
                    .method_id(verb, path)
                    .filter(|_| exchange.status == 200);
                self.met.extend(met.map(str::to_owned));
            } else {
                first.get_or_insert(found);
            }
        }
        if !good {
            let found = first.unwrap_or_else(|| vec!["no API has such a method".to_owned()]);
            self.problems.push(format!("{found:#?}\nin {exchange:#?}"));
        }
    }

    fn forgives(&self, problem: &str) -> bool {
        self.forgiven.is_some_and(|words| problem.ends_with(words))
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

fn request_problems(surface: &Surface, exchange: &Exchange) -> Vec<String> {
    surface.request_problems(
        exchange.method,
        exchange.path,
        exchange.query,
        &exchange.body,
    )
}
