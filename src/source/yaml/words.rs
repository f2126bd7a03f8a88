//! What the parser's refusals say: in the words of somebody who writes manifests.

use super::DEPTH_LIMIT;
use crate::source::diagnostic::Fault;
use crate::source::suggest::quote;
use serde_saphyr::granit_parser::{ErrorKind, ScanError, Tag};
use std::ops::Range;

pub(super) fn syntax(error: &ScanError, text: &str) -> Fault {
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let tab = text.as_bytes().get(at) == Some(&b'\t');
    let (message, help) = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => tabs(),
        _ if tab => tabs(),
        ErrorKind::UnknownAnchor => (
            "an alias to an anchor that is not there".to_owned(),
            "define the anchor (&name) earlier in the same document, or write the value out",
        ),
        ErrorKind::RecursionLimitExceeded => return too_deep(at..at),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry => (
            "this line does not fit the lines above it".to_owned(),
            "indent it like its neighbours, and write `name: value` with a space after the colon",
        ),
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnclosedFlowCollection { .. } => (
            "a `,` or a closing bracket is missing before this".to_owned(),
            "put `,` between the entries, and close every `{` and `[`",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::UnexpectedEofFlowSequence => (
            "a `,` or `]` is missing before this".to_owned(),
            "put `,` between the entries, and close every `[`",
        ),
        ErrorKind::SimpleKeyExpected => (
            "a name without a value".to_owned(),
            "write `name: value`, with a colon and a space",
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a second `:` where a value should be".to_owned(),
            "put the value in quotes, or start a new line for the second name",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "a quote that is never closed".to_owned(),
            "close the quote on this text",
        ),
        kind => (
            format!("this is not YAML: {kind}"),
            "correct the syntax; what follows in this file was not read",
        ),
    };
    Fault::new(at..at + 1, message, help)
}

fn tabs() -> (String, &'static str) {
    let message = "a tab where YAML wants spaces".to_owned();
    (message, "indent with spaces")
}

pub(super) fn tag(tag: &Tag, at: Range<usize>) -> Fault {
    let (handle, suffix) = tag.original_parts();
    let message = format!(
        "the tag {} has no meaning here",
        quote(&format!("{handle}{suffix}"))
    );
    Fault::new(at, message, "remove the tag; quotes make a text of a value")
}

pub(super) fn complex_key(at: Range<usize>) -> Fault {
    let message = "a mapping, list or alias stands where a name should be";
    let help = "names are plain text; a template such as {{ ... }} must be filled in first";
    Fault::new(at, message, help)
}

pub(super) fn too_deep(at: Range<usize>) -> Fault {
    let message = format!("nested deeper than {DEPTH_LIMIT} levels");
    let help = "no manifest needs this; check what wrote the file";
    Fault::new(at, message, help).limit(format!("{DEPTH_LIMIT} levels of mappings and lists"))
}

pub(super) fn too_many_nodes(at: Range<usize>, limit: usize) -> Fault {
    let message = format!("the file holds more than {limit} values");
    let help = "split the file";
    Fault::new(at, message, help).limit(format!("{limit} values in a file"))
}

pub(super) fn too_many_aliases(at: Range<usize>, limit: usize) -> Fault {
    let message = format!("the aliases of this file stand for more than {limit} values");
    let help = "write the values out; an alias repeats all that its anchor holds";
    Fault::new(at, message, help).limit(format!("{limit} values through anchors and aliases"))
}

pub(super) fn alias_to_itself(at: Range<usize>) -> Fault {
    let message = "an alias inside the value that its own anchor marks";
    Fault::new(at, message, "write the value out")
}

pub(super) fn bad_merge(at: Range<usize>) -> Fault {
    let message = "`<<` merges a mapping, or a list of mappings";
    let help = "point it at an anchor on a mapping (<<: *name), or write the fields out";
    Fault::new(at, message, help)
}
