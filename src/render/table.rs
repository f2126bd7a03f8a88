//! Tables as kubectl prints them: a head, columns two spaces apart, no lines.

use super::style::{PLAIN, TITLE, paint};
use anstyle::Style;

/// Space between columns.
const GAP: usize = 2;
/// The last column gets at least this much room before it is cut or wrapped.
const ROOM: usize = 16;

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A cell in a style.
    #[must_use]
    pub fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell {
            text: text.into(),
            style,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::styled(text, PLAIN)
    }
}

/// What happens to a last column that is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// One line for each row.
    Cut,
    /// Lines below, under the column.
    Wrap,
}

/// Rows under a head.
#[derive(Debug, Clone)]
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    last: Last,
    indent: usize,
    /// Columns are never narrower than this, so that lines printed later line up.
    least: Vec<usize>,
}

impl Table {
    /// An empty table; an empty head is not printed.
    #[must_use]
    pub fn new(head: &[&'static str], last: Last) -> Table {
        Table {
            head: head.to_vec(),
            rows: Vec::new(),
            last,
            indent: 0,
            least: Vec::new(),
        }
    }

    /// Moves the whole table to the right.
    #[must_use]
    pub fn indent(mut self, columns: usize) -> Table {
        self.indent = columns;
        self
    }

    /// Least widths of the columns.
    #[must_use]
    pub fn least(mut self, widths: &[usize]) -> Table {
        self.least = widths.to_vec();
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, within `width` columns where that is known, a line end after each line.
    #[must_use]
    pub fn render(&self, width: Option<usize>) -> String {
        let widths = self.widths();
        let mut out = String::new();
        if !self.head.is_empty() {
            let cells: Vec<_> = self
                .head
                .iter()
                .map(|title| Cell::styled(*title, TITLE))
                .collect();
            self.line(&mut out, &cells, &widths, width);
        }
        for row in &self.rows {
            self.line(&mut out, row, &widths, width);
        }
        out
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self
            .rows
            .iter()
            .map(Vec::len)
            .chain([self.head.len()])
            .max()
            .unwrap_or(0);
        (0..columns)
            .map(|column| {
                let head = self.head.get(column).map_or(0, |title| title.len());
                let least = self.least.get(column).copied().unwrap_or(0);
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| cell.text.chars().count()).max();
                widest.unwrap_or(0).max(head).max(least)
            })
            .collect()
    }

    fn line(&self, out: &mut String, row: &[Cell], widths: &[usize], width: Option<usize>) {
        let mut line = " ".repeat(self.indent);
        let last = row.len().saturating_sub(1);
        for (column, cell) in row.iter().enumerate() {
            if column < last {
                let pad = (widths[column] + GAP).saturating_sub(cell.text.chars().count());
                line.push_str(&paint(cell.style, &cell.text));
                line.push_str(&" ".repeat(pad));
                continue;
            }
            let before: usize = self.indent
                + widths[..column]
                    .iter()
                    .map(|width| width + GAP)
                    .sum::<usize>();
            let room = width.map(|width| width.saturating_sub(before).max(ROOM));
            line.push_str(&self.last_cell(cell, before, room));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }

    fn last_cell(&self, cell: &Cell, before: usize, room: Option<usize>) -> String {
        let Some(room) = room else {
            return paint(cell.style, &cell.text);
        };
        match self.last {
            Last::Cut => paint(cell.style, &cut(&cell.text, room)),
            Last::Wrap => {
                let lines: Vec<_> = wrap(&cell.text, room)
                    .iter()
                    .map(|line| paint(cell.style, line))
                    .collect();
                lines.join(&format!("\n{}", " ".repeat(before)))
            }
        }
    }
}

/// At most `room` characters, the last one `…` where something is missing.
#[must_use]
pub fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Lines of at most `room` characters, broken between words where possible.
#[must_use]
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let used = line.chars().count();
        let space = usize::from(used > 0);
        if used > 0 && used + space + word.chars().count() > room {
            lines.push(std::mem::take(&mut line));
        } else if space > 0 {
            line.push(' ');
        }
        line.push_str(word);
        while line.chars().count() > room {
            let rest: String = line.chars().skip(room).collect();
            let head: String = line.chars().take(room).collect();
            lines.push(head);
            line = rest;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn table(last: Last) -> Table {
        let mut table = Table::new(&["NAME", "MESSAGE"], last);
        table.row(vec!["a".into(), "one two three four five six".into()]);
        table.row(vec!["longer".into(), "".into()]);
        table
    }

    #[test]
    fn columns_line_up_and_no_line_ends_in_spaces() {
        let text = plain(&table(Last::Cut).render(None));
        assert_eq!(
            text,
            "NAME    MESSAGE\na       one two three four five six\nlonger\n"
        );
    }

    #[test]
    fn the_last_column_is_cut_or_wrapped() {
        let text = plain(&table(Last::Cut).render(Some(24)));
        assert!(text.contains("a       one two three f…\n"), "{text}");
        let text = plain(&table(Last::Wrap).render(Some(24)));
        assert!(
            text.contains("a       one two three\n        four five six\n"),
            "{text}"
        );
    }

    #[test]
    fn long_words_are_broken() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
