//! The regular expressions of `eq` filters: as much of RE2 as clients send.
//!
//! Literals, `.`, `\b`, escapes, classes, groups, `|`, `*`, `+`, `?`, `^` and `$`. A match covers the whole
//! text. Invariant: a match takes time in proportion to pattern times text, whatever both are.

/// Bounds the depth of the parser and the size of the machine.
const LENGTH_MAX: usize = 512;

#[derive(Debug)]
enum Step {
    Any,
    One(char),
    Class(Vec<(char, char)>, bool),
    WordEdge,
    Start,
    End,
    Split(usize, usize),
    Jump(usize),
    Done,
}

/// A compiled pattern: a machine whose states are all followed at once.
#[derive(Debug)]
pub(in crate::emulator) struct Pattern {
    steps: Vec<Step>,
}

impl Pattern {
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LENGTH_MAX {
            return None;
        }
        let mut compiler = Compiler {
            rest: text.chars().collect(),
            steps: Vec::new(),
        };
        compiler.rest.reverse();
        compiler.choice()?;
        compiler.steps.push(Step::Done);
        compiler.rest.is_empty().then_some(Self {
            steps: compiler.steps,
        })
    }

    pub fn is_match(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut states = vec![false; self.steps.len()];
        self.follow(0, 0, &text, &mut states);
        for (index, c) in text.iter().enumerate() {
            let mut next = vec![false; self.steps.len()];
            for state in (0..states.len()).filter(|state| states[*state]) {
                if self.steps[state].takes(*c) {
                    self.follow(state + 1, index + 1, &text, &mut next);
                }
            }
            states = next;
        }
        states.last().copied().unwrap_or(false)
    }

    /// Enters a state and all that it leads to without a character.
    fn follow(&self, state: usize, index: usize, text: &[char], states: &mut [bool]) {
        let mut todo = vec![state];
        while let Some(state) = todo.pop() {
            if std::mem::replace(&mut states[state], true) {
                continue;
            }
            match self.steps[state] {
                Step::Split(a, b) => todo.extend([a, b]),
                Step::Jump(to) => todo.push(to),
                Step::WordEdge if is_edge(text, index) => todo.push(state + 1),
                Step::Start if index == 0 => todo.push(state + 1),
                Step::End if index == text.len() => todo.push(state + 1),
                _ => {}
            }
        }
    }
}

impl Step {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any => c != '\n',
            Self::One(wanted) => c == *wanted,
            Self::Class(ranges, negated) => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            _ => false,
        }
    }
}

fn is_edge(text: &[char], index: usize) -> bool {
    let is_word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let before = index.checked_sub(1).and_then(|index| text.get(index));
    before.is_some_and(is_word) != text.get(index).is_some_and(is_word)
}

struct Compiler {
    /// What is left of the pattern, last character first.
    rest: Vec<char>,
    steps: Vec<Step>,
}

impl Compiler {
    fn choice(&mut self) -> Option<()> {
        let start = self.steps.len();
        self.sequence()?;
        if self.take('|') {
            // Split(first, second) first Jump(end) second
            self.insert(start, Step::Split(start + 1, 0));
            let jump = self.steps.len();
            self.steps.push(Step::Jump(0));
            self.choice()?;
            self.steps[start] = Step::Split(start + 1, jump + 1);
            self.steps[jump] = Step::Jump(self.steps.len());
        }
        Some(())
    }

    fn sequence(&mut self) -> Option<()> {
        while self.rest.last().is_some_and(|c| !matches!(c, '|' | ')')) {
            let start = self.steps.len();
            self.atom()?;
            match self.rest.last() {
                Some('*') => {
                    self.insert(start, Step::Split(start + 1, self.steps.len() + 2));
                    self.steps.push(Step::Jump(start));
                }
                Some('+') => {
                    let end = self.steps.len() + 1;
                    self.steps.push(Step::Split(start, end));
                }
                Some('?') => {
                    self.insert(start, Step::Split(start + 1, self.steps.len() + 1));
                }
                _ => continue,
            }
            self.rest.pop();
        }
        Some(())
    }

    fn atom(&mut self) -> Option<()> {
        let step = match self.rest.pop()? {
            '(' => {
                if self.take('?') && !self.take(':') {
                    return None;
                }
                self.choice()?;
                return self.take(')').then_some(());
            }
            '.' => Step::Any,
            '^' => Step::Start,
            '$' => Step::End,
            '[' => self.class()?,
            '\\' => match self.rest.pop()? {
                'b' => Step::WordEdge,
                'd' => Step::Class(vec![('0', '9')], false),
                'w' => Step::Class(vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')], false),
                's' => Step::Class(vec![(' ', ' '), ('\t', '\r')], false),
                c if c.is_ascii_alphanumeric() => return None,
                c => Step::One(c),
            },
            '*' | '+' | '?' | '{' => return None,
            c => Step::One(c),
        };
        self.steps.push(step);
        Some(())
    }

    fn class(&mut self) -> Option<Step> {
        let negated = self.take('^');
        let mut ranges = Vec::new();
        loop {
            let low = match self.rest.pop()? {
                ']' if !ranges.is_empty() => return Some(Step::Class(ranges, negated)),
                '\\' => self.rest.pop()?,
                c => c,
            };
            let is_range = self.rest.last() == Some(&'-')
                && self.rest.len() > 1
                && self.rest[self.rest.len() - 2] != ']';
            if is_range {
                self.rest.pop();
                let high = self.rest.pop()?;
                ranges.push((low, high));
            } else {
                ranges.push((low, low));
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest.last() == Some(&wanted);
        if found {
            self.rest.pop();
        }
        found
    }

    /// Puts a step before steps that were already compiled, whose targets move along.
    fn insert(&mut self, at: usize, step: Step) {
        for old in &mut self.steps[at..] {
            match old {
                Step::Split(a, b) => {
                    *a += 1;
                    *b += 1;
                }
                Step::Jump(to) => *to += 1,
                _ => {}
            }
        }
        self.steps.insert(at, step);
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn matches_whole_texts_as_re2_does() {
        for (pattern, text, expected) in [
            (r".*\bnetra.*", "netra-hc", true),
            (r".*\bnetra.*", "my-netra-hc", true),
            (r".*\bnetra.*", "mynetra", false),
            ("a|b", "b", true),
            ("(a|b)+c?", "abba", true),
            ("(?:ab)*", "ababab", true),
            ("(?:ab)*", "aba", false),
            ("x(a|b|)y", "xy", true),
            ("[a-c]+[^0-9]", "abcz", true),
            ("[a-c]+[^0-9]", "abc1", false),
            (r"a\.b", "a.b", true),
            (r"a\.b", "axb", false),
            ("^abc$", "abc", true),
            ("abc", "xabcx", false),
            ("", "", true),
            (r"\d\w\s", "1a ", true),
        ] {
            let compiled = Pattern::parse(pattern).unwrap();
            assert_eq!(compiled.is_match(text), expected, "{pattern} {text}");
        }
        for bad in ["(", "a)", "*", "[a", r"\", "a{2}", "(?i)a", r"\p"] {
            assert!(Pattern::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn takes_no_longer_on_patterns_that_others_choke_on() {
        let pattern = Pattern::parse(&"(a*)*".repeat(40)).unwrap();
        assert!(!pattern.is_match(&("a".repeat(400) + "b")));
    }
}
