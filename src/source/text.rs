//! One text of a set: decoded, with lines, so that byte ranges become places people can find.

use super::diagnostic::{Problem, Problems, Related};
use super::files::File;
use std::ops::Range;

/// Longest part of a source line that a diagnostic quotes, in bytes.
const EXCERPT: usize = 200;

/// A decoded file.
#[derive(Debug)]
pub(super) struct Text {
    /// Path as the user gave it, or `<stdin>`.
    pub name: String,
    pub body: String,
    line_starts: Vec<usize>,
}

/// A place with the line it stands on.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
    pub excerpt: Excerpt,
}

/// A source line, clipped around the part that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub line: String,
    /// Byte range in `line`.
    pub span: Range<usize>,
    /// The line starts before the excerpt does.
    pub clipped: bool,
}

impl Text {
    /// Decodes a file: UTF-8, with or without a byte order mark, and no NUL.
    pub fn read(file: &File, problems: &mut Problems) -> Option<Text> {
        match decode(&file.bytes) {
            Ok(body) => Some(Text::new(&file.name, body)),
            Err((message, help)) => {
                let message = format!("{} {message}", file.name);
                problems.add(Problem::whole(&file.name, message, help));
                None
            }
        }
    }

    pub fn new(name: &str, body: &str) -> Text {
        let starts = body.match_indices('\n').map(|(at, _)| at + 1);
        Text {
            name: name.to_owned(),
            body: body.to_owned(),
            line_starts: std::iter::once(0).chain(starts).collect(),
        }
    }

    /// The 1-based line that holds this byte.
    pub fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Line and column, both 1-based; the column counts characters.
    pub fn line_column(&self, at: usize) -> (usize, usize) {
        let at = floor(&self.body, at);
        let line = self.line(at);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        (line, self.body[start..at].chars().count() + 1)
    }

    pub fn place(&self, at: Range<usize>) -> Place {
        let (line, column) = self.line_column(at.start);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let end = self.line_starts.get(line).copied();
        let whole = self.body[start..end.unwrap_or(self.body.len())].trim_end();
        let from = floor(whole, at.start.saturating_sub(start).min(whole.len()));
        let to = floor(whole, at.end.saturating_sub(start).clamp(from, whole.len()));
        Place {
            line,
            column,
            excerpt: Excerpt::clip(whole, from, to),
        }
    }

    pub fn related(&self, at: Range<usize>, label: &str) -> Related {
        let place = self.place(at);
        Related {
            file: self.name.clone(),
            line: place.line,
            column: place.column,
            label: label.to_owned(),
            excerpt: Some(place.excerpt),
        }
    }
}

impl Excerpt {
    fn clip(line: &str, from: usize, to: usize) -> Excerpt {
        let start = if line.len() <= EXCERPT {
            0
        } else {
            floor(line, from.saturating_sub(EXCERPT / 2))
        };
        let end = floor(line, start + EXCERPT);
        let to = to.clamp(from.min(end), end);
        Excerpt {
            line: line[start..end].to_owned(),
            span: from - start..to - start,
            clipped: start > 0,
        }
    }

    /// Leaves out all but the part that matters.
    pub fn cut(&mut self) {
        let part = &self.line[self.span.clone()];
        let before = if self.span.start > 0 { "… " } else { "" };
        let span = before.len()..before.len() + part.len();
        self.line = format!("{before}{part} …");
        self.span = span;
        self.clipped = true;
    }
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

fn decode(bytes: &[u8]) -> Result<&str, (String, String)> {
    let save = "save the file as UTF-8 text".to_owned();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(("is UTF-16, and manifests are UTF-8".to_owned(), save));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let line = bytes[..at].split(|b| *b == b'\n').count();
        let what = format!("is not UTF-8: byte {at} (0x{byte:02x}, on line {line}) is no text");
        (what, save.clone())
    })?;
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        let what = format!("holds a NUL at byte {at} (line {line}), so it is not a text file");
        return Err((what, "remove the byte, or leave the file out".to_owned()));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines_from_one() {
        let text = Text::new("a", "ab: 1\r\nü: x\n");
        let at = text.body.find('x').unwrap();
        assert_eq!(text.line_column(at), (2, 4));
        let place = text.place(at..at + 1);
        assert_eq!(place.excerpt.line, "ü: x");
        assert_eq!(&place.excerpt.line[place.excerpt.span], "x");
        assert_eq!(text.line_column(usize::MAX), (3, 1));
    }

    #[test]
    fn long_lines_are_clipped_around_the_place() {
        let line = format!("{}X{}", "é".repeat(5000), "ü".repeat(5000));
        let text = Text::new("a", &line);
        let at = line.find('X').unwrap();
        let place = text.place(at..line.len());
        assert!(place.excerpt.line.len() <= EXCERPT);
        assert!(place.excerpt.line[place.excerpt.span].starts_with('X'));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        assert_eq!(decode(b"\xef\xbb\xbfa: 1"), Ok("a: 1"));
        let (what, _) = decode(b"a: 1\nb: \xff").unwrap_err();
        assert!(what.contains("byte 8 (0xff, on line 2)"), "{what}");
        let (what, _) = decode(b"a: \0").unwrap_err();
        assert!(what.contains("NUL at byte 3 (line 1)"), "{what}");
        assert!(decode(b"\xff\xfea\0").unwrap_err().0.contains("UTF-16"));
    }
}
