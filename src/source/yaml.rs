//! YAML (and JSON, which is YAML) to nodes, with bounds that hostile input cannot move.
//!
//! Invariant: work and memory are linear in the size of the text. Depth, nodes and what aliases
//! expand to are capped, and the parser is pulled event by event, so nothing recurses on input.

mod words;

use super::diagnostic::{Fault, Faults};
use super::node::{Data, Entry, Node};
use super::scalar;
use super::suggest::quote;
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};
use std::collections::HashMap;
use std::ops::Range;

/// Deepest nesting of mappings and lists.
pub(super) const DEPTH_LIMIT: usize = 64;
/// Most values in one file.
const NODES_LIMIT: usize = 100_000;
/// Most values that the anchors and aliases of one file may stand for.
const ALIAS_LIMIT: usize = 10_000;

/// Every document that holds something. A syntax error ends the file: what follows cannot be
/// told apart.
pub(super) fn parse(text: &str, faults: &mut Faults) -> Vec<Node> {
    let mut options = Options::default();
    options.emit_comments = false;
    let mut builder = Builder::new(faults);
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => builder.event(event, range(span)),
            Err(error) => Err(words::syntax(&error, text)),
        };
        if let Err(fault) = step {
            builder.faults.push(fault);
            break;
        }
    }
    builder.documents
}

fn range(span: Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

/// A mapping or list that is not closed yet.
struct Frame {
    start: usize,
    anchor: usize,
    size: usize,
    height: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    seen: HashMap<String, Range<usize>>,
    /// The key whose value comes next.
    key: Option<Key>,
    merges: Vec<Node>,
}

struct Key {
    text: String,
    at: Range<usize>,
    merge: bool,
}

struct Builder<'f> {
    faults: &'f mut Faults,
    documents: Vec<Node>,
    stack: Vec<Frame>,
    root: Option<Node>,
    /// `None`: the anchored value is too large to repeat.
    anchors: HashMap<usize, Option<Node>>,
    alias_room: usize,
    nodes: usize,
}

impl<'f> Builder<'f> {
    fn new(faults: &'f mut Faults) -> Self {
        Builder {
            faults,
            documents: Vec::new(),
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            alias_room: ALIAS_LIMIT,
            nodes: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), at)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(Open::List(Vec::new()), anchor, tag.as_deref(), at)
            }
            Event::MappingStart(_, anchor, tag) => {
                let map = Open::Map(OpenMap::default());
                self.open(map, anchor, tag.as_deref(), at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at.start),
            Event::Alias(id) => self.alias(id, at),
            Event::DocumentEnd => {
                self.documents
                    .extend(self.root.take().filter(holds_something));
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: Range<usize>,
    ) -> Result<(), Fault> {
        let plain = style == ScalarStyle::Plain;
        if self.expects_key() {
            return self.key(text, plain, at);
        }
        let data = match tag {
            Some(tag) if tag.is_yaml_core_schema_tag("str") => Ok(Data::Text(text.to_owned())),
            Some(tag) if tag.is_custom() => Err(words::tag(tag, at.clone())),
            _ if plain => scalar::plain(text, at.clone()),
            _ => Ok(Data::Text(text.to_owned())),
        };
        let data = data.unwrap_or_else(|fault| {
            self.faults.push(fault);
            Data::Bad
        });
        let node = Node::scalar(at, data, plain && tag.is_none());
        self.insert(node, anchor)
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { open: Open::Map(map), .. }) if map.key.is_none())
    }

    fn key(&mut self, text: &str, plain: bool, at: Range<usize>) -> Result<(), Fault> {
        let Some(Open::Map(map)) = self.stack.last_mut().map(|frame| &mut frame.open) else {
            return Ok(());
        };
        if plain && text.is_empty() {
            let help = "write `name: value`";
            return Err(Fault::new(at, "a value without a name", help));
        }
        map.key = Some(Key {
            text: text.to_owned(),
            at,
            merge: plain && text == "<<",
        });
        Ok(())
    }

    fn open(
        &mut self,
        open: Open,
        anchor: usize,
        tag: Option<&Tag>,
        at: Range<usize>,
    ) -> Result<(), Fault> {
        if self.expects_key() {
            return Err(words::complex_key(at));
        }
        if self.stack.len() >= DEPTH_LIMIT {
            return Err(words::too_deep(at));
        }
        if let Some(tag) = tag.filter(|tag| tag.is_custom()) {
            self.faults.push(words::tag(tag, at.clone()));
        }
        self.stack.push(Frame {
            start: at.start,
            anchor,
            size: 1,
            height: 0,
            open,
        });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Fault> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let data = match frame.open {
            Open::List(items) => Data::List(items),
            Open::Map(map) => Data::Map(merged(map, self.faults)),
        };
        let node = Node {
            at: frame.start..end.max(frame.start),
            data,
            plain: false,
            size: frame.size,
            height: frame.height + 1,
        };
        self.insert(node, frame.anchor)
    }

    fn alias(&mut self, id: usize, at: Range<usize>) -> Result<(), Fault> {
        if self.expects_key() {
            return Err(words::complex_key(at));
        }
        let node = match self.anchors.get(&id) {
            Some(Some(node)) if node.size <= self.alias_room => node.clone(),
            Some(_) => return Err(words::too_many_aliases(at, ALIAS_LIMIT)),
            None => return Err(words::alias_to_itself(at)),
        };
        if self.stack.len() + node.height > DEPTH_LIMIT {
            return Err(words::too_deep(at));
        }
        self.alias_room -= node.size;
        self.insert(Node { at, ..node }, 0)
    }

    fn insert(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > NODES_LIMIT {
            return Err(words::too_many_nodes(node.at, NODES_LIMIT));
        }
        if anchor > 0 {
            self.remember(anchor, &node);
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.size += node.size;
        frame.height = frame.height.max(node.height);
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map(map) => enter(map, node, self.faults),
        }
        Ok(())
    }

    /// Keeps an anchored value for its aliases, out of the same allowance that aliases draw on.
    fn remember(&mut self, anchor: usize, node: &Node) {
        let kept = (node.size <= self.alias_room).then(|| node.clone());
        if kept.is_some() {
            self.alias_room -= node.size;
        }
        self.anchors.insert(anchor, kept);
    }
}

fn enter(map: &mut OpenMap, node: Node, faults: &mut Faults) {
    let Some(key) = map.key.take() else { return };
    if key.merge {
        map.merges.push(node);
        return;
    }
    if let Some(first) = map.seen.get(&key.text) {
        let message = format!("the key {} stands here twice", quote(&key.text));
        let help = "keep one of them";
        faults.push(Fault::new(key.at, message, help).also(first.clone(), "first here"));
        return;
    }
    map.seen.insert(key.text.clone(), key.at.clone());
    map.entries.push(Entry {
        key: key.text,
        key_at: key.at,
        value: node,
    });
}

/// Fills in what `<<` brings: keys written in the mapping itself win.
fn merged(map: OpenMap, faults: &mut Faults) -> Vec<Entry> {
    let mut entries = map.entries;
    let mut seen = map.seen;
    let sources = map.merges.into_iter().flat_map(|merge| match merge.data {
        Data::List(items) => items,
        _ => vec![merge],
    });
    for source in sources {
        let Data::Map(inner) = source.data else {
            faults.push(words::bad_merge(source.at));
            continue;
        };
        for entry in inner {
            if seen
                .insert(entry.key.clone(), entry.key_at.clone())
                .is_none()
            {
                entries.push(entry);
            }
        }
    }
    entries
}

fn holds_something(node: &Node) -> bool {
    !matches!(node.data, Data::Null)
}
