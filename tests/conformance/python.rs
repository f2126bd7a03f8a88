//! A Python of its own for others' programs, in the target folder: made once for each set of requirements.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

#[derive(Debug, Clone)]
pub struct Python {
    pub interpreter: PathBuf,
    /// Compiled files go here, not into the sources.
    #[allow(dead_code, reason = "for those who run sources of ours")]
    pub cache: PathBuf,
}

/// Python with all of `requirements` (a file of pip, with hashes); or why that cannot be.
pub fn prepared(requirements: &str) -> Result<Python, String> {
    let mut version = Command::new("python3");
    let version = said(version.arg("--version"))?;
    let key = Sha256::digest(format!("{version}{requirements}"));
    let key: Vec<String> = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = key[..6].concat();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = target.join(format!("conformance-{key}"));
    let python = Python {
        interpreter: home.join("bin/python"),
        cache: home.join("cache"),
    };
    // Other runs of this test may be at it too.
    let lock = File::create(home.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let complete = home.join("complete");
    if !complete.exists() {
        install(&home, &python.interpreter, requirements)?;
        fs::write(complete, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}

fn install(home: &Path, interpreter: &Path, requirements: &str) -> Result<(), String> {
    let file = home.with_extension("txt");
    fs::write(&file, requirements).map_err(|error| error.to_string())?;
    let mut make = Command::new("python3");
    said(make.args(["-m", "venv", "--clear"]).arg(home))?;
    let mut pip = Command::new(interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--no-compile"])
        .args(["--disable-pip-version-check", "--only-binary", ":all:"])
        .args(["--retries", "1", "--timeout", "15"])
        .args(["--require-hashes", "--requirement"])
        .arg(file);
    said(&mut pip).map(|_| ())
}

/// What a command says when all goes well; otherwise the reason.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed:\n{errors}"))
}
