//! Names that Cloud Run makes up: revisions, addresses, etags.

use std::time::Duration;

use jiff::Timestamp;

use crate::emulator::base64;
use crate::emulator::dice::Dice;
use crate::emulator::query::checksum;
use crate::emulator::quota::project_number;
use crate::emulator::timing::later;

/// Whoever calls: the emulator does not tell callers apart.
pub(super) const CALLER: &str = "caller@example.com";

/// The letters that Cloud Run ends the names of revisions with: they spell no words.
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Such as `shop-00002-kvx`.
pub(super) fn revision(service: &str, number: u32, dice: &mut Dice) -> String {
    let mut letter = || {
        let drawn = dice.below(SUFFIX_LETTERS.len() as u64);
        let index = usize::try_from(drawn).unwrap_or_default();
        char::from(SUFFIX_LETTERS.get(index).copied().unwrap_or(b'b'))
    };
    let suffix: String = [letter(), letter(), letter()].into_iter().collect();
    format!("{service}-{number:05}-{suffix}")
}

pub(super) fn etag(at: Timestamp, writes: u64, name: &str) -> String {
    let first = base64::encode(format!("{}.{writes}", at.as_nanosecond()).as_bytes());
    format!("\"{first}/{}\"", base64::encode(name.as_bytes()))
}

pub(super) fn part(name: &str, index: usize) -> &str {
    name.split('/').nth(index).unwrap_or_default()
}

pub(super) fn project(name: &str) -> &str {
    part(name, 1)
}

pub(super) fn region(name: &str) -> &str {
    part(name, 3)
}

fn id(name: &str) -> &str {
    part(name, 5)
}

/// Such as `https://shop-k3j5h2gq7a-uc.a.run.app`; a tag stands before it with three dashes.
pub(super) fn uri(name: &str, tag: &str) -> String {
    let hash = &format!("{:016x}", checksum(project(name), "run"))[..10];
    let tag = if tag.is_empty() {
        String::new()
    } else {
        format!("{tag}---")
    };
    format!(
        "https://{tag}{}-{hash}-{}.a.run.app",
        id(name),
        region_code(region(name))
    )
}

/// Such as `https://shop-123456789012.us-central1.run.app`.
pub(super) fn numbered_uri(name: &str) -> String {
    let number = project_number(project(name));
    format!("https://{}-{number}.{}.run.app", id(name), region(name))
}

/// `uc` for `us-central1`, `ew` for `europe-west1`: a letter of each word, as Google abbreviates most regions.
fn region_code(region: &str) -> String {
    let (area, rest) = region.split_once('-').unwrap_or((region, ""));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    first(area) + &first(rest)
}

/// "The time at which a deleted Service is permanently deleted": 30 days later.
pub(super) fn thirty_days_after(at: Timestamp) -> Timestamp {
    later(at, Duration::from_hours(30 * 24))
}

/// The service account that revisions run as unless told otherwise.
pub(super) fn default_account(project: &str) -> String {
    format!(
        "{}-compute@developer.gserviceaccount.com",
        project_number(project)
    )
}
