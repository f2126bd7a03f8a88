//! Whether somebody who may has signed a commit: what `git verify-commit` does, with keys of the
//! configuration alone. The programs are the system's `ssh-keygen` and `gpg`.

use super::trouble::{Trouble, words};
use super::{Mode, Verify};
use gix::Commit;
use gix::objs::signature::Format;
use gix::objs::signature::verify::{Options, Outcome, Status, TrustLevel};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says nothing where the signature is good and the key is known.
pub(super) fn verify(
    commit: &Commit<'_>,
    verify: &Verify,
    clone: &Path,
    place: &str,
) -> Result<(), Trouble> {
    let help = "sign the commit with a key that the operator knows (git commit -S), and push again";
    let refused = |why: String| Trouble::content(place, format!("{place} {why}"), help);
    let broken = |error: &gix::Error| refused(format!("cannot be verified: {}", words(error)));
    let Some((signature, data)) = commit.signature().map_err(|error| broken(&error))? else {
        return Err(refused("is not signed".to_owned()));
    };
    let (wanted, word) = match verify.mode {
        Mode::Ssh => (Format::Ssh, "SSH"),
        Mode::Gpg => (Format::OpenPgp, "GPG"),
    };
    if Format::from_signature(&signature) != Some(wanted) {
        return Err(refused(format!("is not signed with a key of {word}")));
    }
    if !verify.keys.is_file() {
        let message = format!(
            "{} cannot be read: no keys to verify by",
            verify.keys.display()
        );
        return Err(Trouble::passing(place, message, "check verify.keys"));
    }
    let options = match verify.mode {
        Mode::Ssh => by_ssh(commit, verify).map_err(|error| broken(&error))?,
        Mode::Gpg => by_gpg(verify, clone).map_err(|why| {
            let message = format!("{} cannot be used: {why}", verify.keys.display());
            Trouble::passing(place, message, "export the keys with gpg --export --armor")
        })?,
    };
    let outcome = data
        .verify(&signature, options)
        .map_err(|error| broken(&error))?;
    if outcome.is_valid() {
        return Ok(());
    }
    Err(refused(why(&outcome)))
}

fn why(outcome: &Outcome) -> String {
    let key = outcome.fingerprint.as_ref().or(outcome.key.as_ref());
    let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
    let what = match outcome.status {
        // SSH: a signature of somebody who is not among the allowed signers.
        Status::Good => "is signed with a key that is not allowed",
        Status::Expired => "carries a signature that has expired",
        Status::Bad => "carries a signature that does not fit what was committed",
        Status::Error => "is signed with a key that the operator does not know",
        _ => "is signed with a key that is not to be trusted: expired or revoked",
    };
    format!("{what}{key}")
}

fn by_ssh(commit: &Commit<'_>, verify: &Verify) -> gix::Result<Options> {
    Ok(Options::Ssh {
        program: "ssh-keygen".into(),
        program_arguments: Vec::new(),
        environment: Vec::new(),
        allowed_signers: fs::canonicalize(&verify.keys).map_err(gix::Error::from_error)?,
        revocation_file: None,
        verify_time: commit.time()?,
        // Of an allowed signer: anybody's signature is Undefined.
        minimum_trust: TrustLevel::Fully,
    })
}

/// A key ring of its own with nothing but the keys of the configuration: being in it is the trust.
fn by_gpg(verify: &Verify, clone: &Path) -> Result<Options, String> {
    let ring = key_ring(clone).map_err(|error| error.to_string())?;
    let home = |ring: &Path| -> Vec<OsString> {
        vec![
            "--homedir".into(),
            ring.into(),
            "--batch".into(),
            "--no-autostart".into(),
            "--no-auto-key-retrieve".into(),
        ]
    };
    let imported = Command::new("gpg")
        .args(home(&ring))
        .args(["--quiet", "--import"])
        .arg(&verify.keys)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("gpg: {error}"))?;
    if !imported.status.success() {
        let said = String::from_utf8_lossy(&imported.stderr);
        return Err(said.lines().last().unwrap_or_default().to_owned());
    }
    Ok(Options::OpenPgp {
        program: "gpg".into(),
        program_arguments: home(&ring),
        environment: Vec::new(),
        minimum_trust: TrustLevel::Undefined,
    })
}

/// An empty folder that only we may enter, which gpg insists on.
fn key_ring(clone: &Path) -> std::io::Result<PathBuf> {
    let ring = fs::canonicalize(clone)?.join("keys");
    if ring.exists() {
        fs::remove_dir_all(&ring)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&ring)?;
    Ok(ring)
}
