//! The expressions that the filters of Cloud Monitoring and Cloud Logging are written in.
//!
//! Sources: "Logging query language" and "Monitoring filters". Comparisons are joined by AND, OR and NOT; side by
//! side means AND; OR binds tighter than AND, as both documents say. What fields and functions mean is for the API
//! to say. Nothing is skipped: what cannot be read is a [`Problem`] with its place.

/// Enough for any filter that a client writes, and bounds the depth of the parser.
const TOKENS_MAX: usize = 1_000;
const DEPTH_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    /// `field sign value`, the field in its parts.
    Compare(Vec<String>, Sign, Operand),
    /// `log_id("run.googleapis.com/requests")`
    Call(String, Vec<String>),
    /// A text alone.
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Equal,
    Differs,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
    Matches,
    MatchesNot,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    Text(String),
    /// `starts_with("netra")`
    Call(String, Vec<String>),
    /// `("a" OR "b")`
    AnyOf(Vec<String>),
}

/// Where an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub line: usize,
    pub column: usize,
    /// Empty at the end.
    pub token: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            column,
            token,
        } = self;
        write!(
            f,
            "syntax error at line {line}, column {column}, token '{token}'"
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(Sign),
    Open,
    Close,
    Comma,
}

#[derive(Debug, Clone)]
struct Placed {
    token: Token,
    at: usize,
    end: usize,
}

/// None: an empty expression, which everything meets.
pub(super) fn parse(text: &str) -> Result<Option<Expression>, Problem> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        text,
        tokens: &tokens,
        next: 0,
        depth: 0,
    };
    let expression = parser.all()?;
    match parser.peek() {
        None => Ok(Some(expression)),
        Some(_) => Err(parser.problem()),
    }
}

impl Expression {
    /// Every comparison that must hold, without those in alternatives.
    pub fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            other => vec![other],
        }
    }
}

fn problem(text: &str, at: usize, end: usize) -> Problem {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let token = text.get(at..end).unwrap_or_default().to_owned();
    Problem {
        line,
        column,
        token,
    }
}

fn tokens(text: &str) -> Result<Vec<Placed>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or_default();
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let refused = |length: usize| problem(text, at, at + length);
        let (token, length) = match first {
            '"' | '\'' => quoted(rest).ok_or_else(|| refused(rest.len()))?,
            _ => sign(rest).unwrap_or_else(|| word(rest)),
        };
        if length == 0 || tokens.len() >= TOKENS_MAX {
            return Err(refused(first.len_utf8()));
        }
        let end = at + length;
        tokens.push(Placed { token, at, end });
        at = end;
    }
    Ok(tokens)
}

/// Its content, with `\x` for x, and its length as written.
fn quoted(rest: &str) -> Option<(Token, usize)> {
    let mut letters = rest.char_indices();
    let (_, quote) = letters.next()?;
    let mut content = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => content.push(letters.next()?.1),
            end if end == quote => return Some((Token::Quoted(content), at + 1)),
            other => content.push(other),
        }
    }
    None
}

fn sign(rest: &str) -> Option<(Token, usize)> {
    let signs = [
        ("!=", Token::Sign(Sign::Differs)),
        ("!~", Token::Sign(Sign::MatchesNot)),
        ("=~", Token::Sign(Sign::Matches)),
        ("<=", Token::Sign(Sign::LessOrEqual)),
        (">=", Token::Sign(Sign::GreaterOrEqual)),
        ("=", Token::Sign(Sign::Equal)),
        (":", Token::Sign(Sign::Has)),
        ("<", Token::Sign(Sign::Less)),
        (">", Token::Sign(Sign::Greater)),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    let mut signs = signs.into_iter();
    let (text, token) = signs.find(|(text, _)| rest.starts_with(text))?;
    Some((token, text.len()))
}

fn word(rest: &str) -> (Token, usize) {
    let ends = |c: char| c.is_whitespace() || "()=:<>!~,\"'".contains(c);
    let end = rest.find(ends).unwrap_or(rest.len());
    (Token::Word(rest[..end].to_owned()), end)
}

// all = any (["AND"] any)*; any = one ("OR" one)*; one = ["NOT" | "-"] one | "(" all ")" | field sign value | text
struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Placed],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn all(&mut self) -> Result<Expression, Problem> {
        let mut parts = vec![self.any()?];
        while !matches!(self.peek(), None | Some(Token::Close)) {
            self.take_word("AND");
            parts.push(self.any()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn any(&mut self) -> Result<Expression, Problem> {
        let mut parts = vec![self.one()?];
        while self.take_word("OR") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn one(&mut self) -> Result<Expression, Problem> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.problem());
        }
        let read = self.one_inside();
        self.depth -= 1;
        read
    }

    fn one_inside(&mut self) -> Result<Expression, Problem> {
        if self.take_word("NOT") || self.take_word("-") {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        if self.take(&Token::Open) {
            let inner = self.all()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let minus = matches!(self.peek(), Some(Token::Word(word)) if word.len() > 1 && word.starts_with('-'));
        let read = self.comparison(minus)?;
        Ok(if minus {
            Expression::Not(Box::new(read))
        } else {
            read
        })
    }

    fn comparison(&mut self, minus: bool) -> Result<Expression, Problem> {
        let first = match self.advance() {
            Some(Token::Quoted(text)) => return Ok(Expression::Text(text)),
            Some(Token::Word(word)) if !is_operator(&word) => word,
            _ => return Err(self.problem_before()),
        };
        let first = if minus { first[1..].to_owned() } else { first };
        if self.peek() == Some(&Token::Open) {
            return Ok(Expression::Call(first, self.arguments()?));
        }
        let field = self.field(&first);
        let Some(Token::Sign(sign)) = self.peek().cloned() else {
            return Ok(Expression::Text(first));
        };
        self.next += 1;
        let value = self.operand()?;
        Ok(Expression::Compare(field, sign, value))
    }

    /// `labels."a.b".c`: parts may be quoted.
    fn field(&mut self, first: &str) -> Vec<String> {
        let mut parts = split(first);
        let mut open = first.ends_with('.');
        loop {
            match self.peek().cloned() {
                Some(Token::Quoted(part)) if open => {
                    parts.push(part);
                    open = false;
                }
                Some(Token::Word(more)) if !open && more.starts_with('.') => {
                    parts.extend(split(&more));
                    open = more.ends_with('.');
                }
                _ => return parts,
            }
            self.next += 1;
        }
    }

    fn operand(&mut self) -> Result<Operand, Problem> {
        if self.take(&Token::Open) {
            let mut values = vec![self.value()?];
            while self.take_word("OR") {
                values.push(self.value()?);
            }
            self.expect(&Token::Close)?;
            return Ok(Operand::AnyOf(values));
        }
        let quoted = matches!(self.peek(), Some(Token::Quoted(_)));
        let value = self.value()?;
        if !quoted && self.peek() == Some(&Token::Open) {
            return Ok(Operand::Call(value, self.arguments()?));
        }
        Ok(Operand::Text(value))
    }

    fn value(&mut self) -> Result<String, Problem> {
        match self.advance() {
            Some(Token::Quoted(text)) => Ok(text),
            Some(Token::Word(word)) if !is_operator(&word) => Ok(word),
            _ => Err(self.problem_before()),
        }
    }

    fn arguments(&mut self) -> Result<Vec<String>, Problem> {
        self.expect(&Token::Open)?;
        let mut arguments = vec![self.value()?];
        while self.take(&Token::Comma) {
            arguments.push(self.value()?);
        }
        self.expect(&Token::Close)?;
        Ok(arguments)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|placed| &placed.token)
    }

    fn advance(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word == wanted);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), Problem> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(self.problem())
        }
    }

    fn problem_before(&mut self) -> Problem {
        self.next = self.next.saturating_sub(1);
        self.problem()
    }

    fn problem(&self) -> Problem {
        match self.tokens.get(self.next) {
            Some(placed) => problem(self.text, placed.at, placed.end),
            None => problem(self.text, self.text.len(), self.text.len()),
        }
    }
}

fn is_operator(word: &str) -> bool {
    matches!(word, "AND" | "OR" | "NOT")
}

fn split(word: &str) -> Vec<String> {
    let parts = word.split('.').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Operand, Sign, parse};

    fn field(name: &str, value: &str) -> Expression {
        let parts = name.split('.').map(str::to_owned).collect();
        Expression::Compare(parts, Sign::Equal, Operand::Text(value.to_owned()))
    }

    fn read(text: &str) -> Expression {
        parse(text).unwrap().unwrap()
    }

    #[test]
    fn or_binds_tighter_than_and_and_neighbours_are_joined() {
        let (a, b, c) = (field("a", "1"), field("b", "2"), field("c", "3"));
        let either = Expression::Any(vec![b.clone(), c.clone()]);
        let wanted = Expression::All(vec![a.clone(), either]);
        for text in [
            "a=1 AND b=2 OR c=3",
            "a = \"1\" b=2 OR c=3",
            "a=1\n-- note\nAND (b=2 OR c=3)",
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        let not = Expression::Not(Box::new(b));
        assert_eq!(
            read("a=1 NOT b=2"),
            Expression::All(vec![a.clone(), not.clone()])
        );
        assert_eq!(read("a=1 -b=2"), Expression::All(vec![a, not]));
    }

    #[test]
    fn fields_and_values_have_several_forms() {
        assert_eq!(read("resource.labels.\"a.b\"=x"), {
            let parts = ["resource", "labels", "a.b"].map(str::to_owned).into();
            Expression::Compare(parts, Sign::Equal, Operand::Text("x".to_owned()))
        });
        assert_eq!(read("severity>=(ERROR OR \"x y\")"), {
            let values = ["ERROR", "x y"].map(str::to_owned).into();
            Expression::Compare(
                vec!["severity".to_owned()],
                Sign::GreaterOrEqual,
                Operand::AnyOf(values),
            )
        });
        assert_eq!(read("metric.type = starts_with(\"a\")"), {
            let call = Operand::Call("starts_with".to_owned(), vec!["a".to_owned()]);
            let parts = ["metric", "type"].map(str::to_owned).into();
            Expression::Compare(parts, Sign::Equal, call)
        });
        assert_eq!(
            read("log_id(\"x\")"),
            Expression::Call("log_id".to_owned(), vec!["x".to_owned()])
        );
        assert_eq!(
            read("\"say \\\"x\\\"\""),
            Expression::Text("say \"x\"".to_owned())
        );
        assert_eq!(parse("  "), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (text, line, column, token) in [
            ("a=", 1, 3, ""),
            ("a=1 AND", 1, 8, ""),
            ("a=1)", 1, 4, ")"),
            ("(a=1", 1, 5, ""),
            ("a=1\ntimestamp>=2026-06-12T03:23:45Z", 2, 25, ":"),
            ("a=\"x", 1, 3, "\"x"),
            ("OR a=1", 1, 1, "OR"),
        ] {
            let problem = parse(text).unwrap_err();
            assert_eq!(
                (problem.line, problem.column, problem.token.as_str()),
                (line, column, token),
                "{text}"
            );
        }
        assert!(parse(&"(".repeat(200)).is_err());
    }
}
