//! Inputs to files: directories in order, links that stay inside, sizes that stay small.

use super::diagnostic::{Problem, Problems};
use super::{DOCUMENTS_LIMIT, FILE_LIMIT, FILES_LIMIT, SET_LIMIT};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Deepest directory below an input.
pub(super) const DIRECTORY_DEPTH: usize = 32;
/// What a manifest's file name ends in.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Where to load from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or a directory with everything below it.
    Path(PathBuf),
    Stdin,
}

impl Input {
    /// `-` is stdin, everything else a path.
    #[must_use]
    pub fn parse(text: &OsStr) -> Input {
        if text == "-" {
            Input::Stdin
        } else {
            Input::Path(text.into())
        }
    }
}

/// A file of the set, read.
#[derive(Debug)]
pub(super) struct File {
    /// Path as the user gave it, or `<stdin>`.
    pub name: String,
    /// Path below its input, for the revision.
    pub relative: String,
    pub bytes: Vec<u8>,
}

/// Reads every manifest file of the inputs, each once.
pub(super) fn gather(inputs: &[Input], problems: &mut Problems) -> Vec<File> {
    let mut gatherer = Gatherer {
        problems,
        files: Vec::new(),
        seen: HashSet::new(),
        bytes: 0,
        full: false,
    };
    for input in inputs {
        match input {
            Input::Stdin => gatherer.stdin(),
            Input::Path(path) => gatherer.path(path),
        }
    }
    gatherer.files
}

/// A text that is not in the file system, as a file.
pub(super) fn in_memory(name: &str, bytes: Vec<u8>, problems: &mut Problems) -> Option<File> {
    if bytes.len() > FILE_LIMIT {
        problems.add(too_large(name));
        return None;
    }
    Some(File {
        name: name.to_owned(),
        relative: name.to_owned(),
        bytes,
    })
}

/// `files@sha256:` and 12 hex digits over the sorted relative paths and the contents.
pub(super) fn revision(files: &[File]) -> String {
    let mut sorted: Vec<_> = files.iter().map(|f| (&f.relative, &f.bytes)).collect();
    sorted.sort();
    let mut hash = Sha256::new();
    for (relative, bytes) in sorted {
        for part in [relative.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    let mut revision = "files@sha256:".to_owned();
    for byte in hash.finalize().iter().take(6) {
        let _ = write!(revision, "{byte:02x}");
    }
    revision
}

/// The inputs as a message names them.
pub(super) fn names(inputs: &[Input]) -> String {
    let names: Vec<_> = inputs
        .iter()
        .map(|input| match input {
            Input::Stdin => "<stdin>".to_owned(),
            Input::Path(path) => path.display().to_string(),
        })
        .collect();
    names.join(", ")
}

pub(super) fn no_manifests(names: &str, files: usize) -> Problem {
    let message = match files {
        0 => format!("no manifests in {names}: no *.yaml, *.yml or *.json there"),
        1 => format!("no manifests in {names}: the one file there is empty"),
        n => format!("no manifests in {names}: the {n} files there are empty"),
    };
    let help = "check the path; hidden files are skipped";
    Problem::whole(names, message, help)
}

pub(super) fn too_many_documents(names: &str) -> Problem {
    let message = format!("{names} holds more than {DOCUMENTS_LIMIT} documents");
    let help = "split the set over several operators, or check what generates it";
    Problem::whole(names, message, help).with_limit(format!("{DOCUMENTS_LIMIT} documents in a set"))
}

pub(super) fn too_large(name: &str) -> Problem {
    let message = format!("{name} is larger than 1 MiB");
    let help = "split the file; documents may stand in as many files as you like";
    Problem::whole(name, message, help).with_limit(format!("{FILE_LIMIT} bytes in a file"))
}

pub(super) fn set_too_large(name: &str) -> Problem {
    let message = format!("the set is too large: {name} is where it goes over");
    let help = "split the set over several operators, or check what generates it";
    let limit = format!("{} MiB and {FILES_LIMIT} files in a set", SET_LIMIT >> 20);
    Problem::whole(name, message, help).with_limit(limit)
}

pub(super) fn too_deep(name: &str) -> Problem {
    let message = format!("{name} is more than {DIRECTORY_DEPTH} directories deep");
    let limit = format!("{DIRECTORY_DEPTH} levels of directories");
    Problem::whole(name, message, "move the manifests up").with_limit(limit)
}

struct Gatherer<'p> {
    problems: &'p mut Problems,
    files: Vec<File>,
    /// Real paths: a file that two inputs or links lead to is one file.
    seen: HashSet<PathBuf>,
    bytes: usize,
    full: bool,
}

impl Gatherer<'_> {
    fn stdin(&mut self) {
        let read = read_bounded(io::stdin().lock());
        self.keep("<stdin>", "<stdin>", read);
    }

    fn path(&mut self, path: &Path) {
        let name = path.display().to_string();
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) => return self.failed(&name, &error),
        };
        // A pipe (`<(command)`) has no real path.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if meta.is_dir() {
            self.seen.insert(real.clone());
            self.directory(path, &real, Path::new(""), 0);
        } else if self.seen.insert(real) {
            let relative = path.file_name().unwrap_or_default().to_string_lossy();
            let content = fs::File::open(path).and_then(read_bounded);
            self.keep(&name, &relative, content);
        }
    }

    fn directory(&mut self, shown: &Path, root: &Path, relative: &Path, depth: usize) {
        if depth > DIRECTORY_DEPTH {
            self.problems.add(too_deep(&shown.display().to_string()));
            return;
        }
        let names = match list(shown) {
            Ok(names) => names,
            Err(error) => return self.failed(&shown.display().to_string(), &error),
        };
        for name in names {
            if self.full {
                return;
            }
            self.entry(&shown.join(&name), root, &relative.join(&name), depth);
        }
    }

    fn entry(&mut self, shown: &Path, root: &Path, relative: &Path, depth: usize) {
        let name = shown.display().to_string();
        let is_manifest = is_manifest(shown);
        let found = fs::canonicalize(shown).and_then(|real| Ok((fs::metadata(&real)?, real)));
        let (meta, real) = match found {
            Ok(found) => found,
            Err(error) if is_manifest => return self.failed(&name, &error),
            // A dangling link that no manifest would be behind.
            Err(_) => return,
        };
        if !(meta.is_dir() || is_manifest) {
            return;
        }
        if !real.starts_with(root) {
            return self.outside(&name, &real);
        }
        if !self.seen.insert(real) {
            return;
        }
        if meta.is_dir() {
            self.directory(shown, root, relative, depth + 1);
        } else if meta.is_file() {
            let content = fs::File::open(shown).and_then(read_bounded);
            self.keep(&name, &relative.to_string_lossy(), content);
        } else {
            let message = format!("{name} is no regular file");
            let help = "move it out of the directory";
            self.problems.add(Problem::whole(&name, message, help));
        }
    }

    fn outside(&mut self, name: &str, real: &Path) {
        let message = format!(
            "{name} is a link to {}, outside the directory",
            real.display()
        );
        let help = "copy the file, or give its directory as a source of its own";
        self.problems.add(Problem::whole(name, message, help));
    }

    fn failed(&mut self, name: &str, error: &io::Error) {
        let (what, help) = match error.kind() {
            io::ErrorKind::NotFound => ("does not exist", "check the path"),
            io::ErrorKind::PermissionDenied => (
                "cannot be read: permission denied",
                "let the user that runs evenkeel read it",
            ),
            _ => ("cannot be read", "check the path and the disk"),
        };
        let message = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => format!("{name} {what}"),
            _ => format!("{name} {what}: {error}"),
        };
        self.problems.add(Problem::whole(name, message, help));
    }

    fn keep(&mut self, name: &str, relative: &str, read: io::Result<Option<Vec<u8>>>) {
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return self.problems.add(too_large(name)),
            Err(error) => return self.failed(name, &error),
        };
        self.bytes += bytes.len();
        if self.bytes > SET_LIMIT || self.files.len() >= FILES_LIMIT {
            self.full = true;
            self.problems.add(set_too_large(name));
            return;
        }
        self.files.push(File {
            name: name.to_owned(),
            relative: relative.to_owned(),
            bytes,
        });
    }
}

/// Names in a directory, sorted, without the hidden ones.
fn list(path: &Path) -> io::Result<BTreeSet<std::ffi::OsString>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.insert(name);
        }
    }
    Ok(names)
}

pub(super) fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}

/// `None` when there is more than a file may hold.
fn read_bounded(from: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(FILE_LIMIT).unwrap_or(u64::MAX);
    from.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= FILE_LIMIT).then_some(bytes))
}
