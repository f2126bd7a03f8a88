//! The few queries that the server knows, and their results on the wire.

use super::message::Out;

/// Object ids of types (`pg_type`).
const INT4: u32 = 23;
const TEXT: u32 = 25;

/// One row of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    name: &'static str,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Int(i32),
    Text(String),
}

/// What a query comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    Row(Row),
    /// No rows; the word that tells of its end.
    Done(&'static str),
    Nothing,
    Unknown,
}

/// `max_connections`, and how many connections are open.
pub(super) fn known(query: &str, (max, open): (u32, u32)) -> Known {
    let query = query.trim().trim_end_matches(';').trim().to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    let row = |name, value| Known::Row(Row { name, value });
    match words[..] {
        [] => Known::Nothing,
        ["select", "version()"] => row(
            "version",
            Value::Text("PostgreSQL 15.8 (emulated)".to_owned()),
        ),
        ["select", "pg_is_in_recovery()"] => row("pg_is_in_recovery", Value::Text("f".to_owned())),
        ["select", "count(*)", "from", "pg_stat_activity"] => row("count", int(open)),
        ["show", "max_connections"] => row("max_connections", Value::Text(max.to_string())),
        ["select", number] => match number.parse() {
            Ok(number) => row("?column?", Value::Int(number)),
            Err(_) => Known::Unknown,
        },
        ["begin"] | ["begin", "read", "only"] => Known::Done("BEGIN"),
        ["commit"] => Known::Done("COMMIT"),
        ["rollback"] => Known::Done("ROLLBACK"),
        ["set", ..] => Known::Done("SET"),
        ["start", "transaction", ..] => Known::Done("START TRANSACTION"),
        _ => Known::Unknown,
    }
}

fn int(number: u32) -> Value {
    Value::Int(i32::try_from(number).unwrap_or(i32::MAX))
}

impl Known {
    /// The columns, as asked for by Describe.
    pub fn describe(&self, out: &mut Out) {
        match self {
            Self::Row(row) => row.describe(out),
            _ => out.message(b'n', &[]),
        }
    }

    /// The rows and the end.
    pub fn execute(&self, binary: bool, out: &mut Out) {
        match self {
            Self::Row(row) => {
                row.data(binary, out);
                out.message(b'C', b"SELECT 1\0");
            }
            Self::Done(word) => out.message(b'C', format!("{word}\0").as_bytes()),
            Self::Nothing => out.message(b'I', &[]),
            Self::Unknown => out.error("ERROR", "0A000", "the emulator does not know this query"),
        }
    }
}

impl Row {
    fn describe(&self, out: &mut Out) {
        let (kind, size): (u32, i16) = match self.value {
            Value::Int(_) => (INT4, 4),
            Value::Text(_) => (TEXT, -1),
        };
        let mut content = 1_u16.to_be_bytes().to_vec();
        content.extend(self.name.as_bytes());
        content.push(0);
        // Of no table, and no column of one.
        content.extend([0; 6]);
        content.extend(kind.to_be_bytes());
        content.extend(size.to_be_bytes());
        content.extend((-1_i32).to_be_bytes());
        content.extend([0; 2]);
        out.message(b'T', &content);
    }

    fn data(&self, binary: bool, out: &mut Out) {
        let value = match (&self.value, binary) {
            (Value::Int(number), true) => number.to_be_bytes().to_vec(),
            (Value::Int(number), false) => number.to_string().into_bytes(),
            (Value::Text(text), _) => text.clone().into_bytes(),
        };
        let mut content = 1_u16.to_be_bytes().to_vec();
        content.extend(u32::try_from(value.len()).unwrap_or_default().to_be_bytes());
        content.extend(value);
        out.message(b'D', &content);
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, known};

    #[test]
    fn queries_that_probes_send_are_known() {
        for query in [
            "SELECT 1",
            "select 1;",
            " Show max_connections ",
            "select version()",
        ] {
            assert!(matches!(known(query, (200, 7)), Known::Row(_)), "{query}");
        }
        for query in ["BEGIN", "BEGIN READ ONLY"] {
            assert_eq!(known(query, (1, 1)), Known::Done("BEGIN"));
        }
        assert_eq!(known(" ; ", (1, 1)), Known::Nothing);
        for query in [
            "drop table users",
            "select * from users",
            "select 1; select 2",
        ] {
            assert_eq!(known(query, (1, 1)), Known::Unknown, "{query}");
        }
    }
}
