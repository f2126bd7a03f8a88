//! What the operator remembers of an object, as text in `status.journal`: opaque, versioned,
//! compressed, bounded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read, Write};

/// Longest text, in bytes: an object of etcd holds 1.5 MiB, and the spec needs room too.
pub const LIMIT: usize = 256 * 1024;
/// Largest memory that is read back, in bytes.
const UNPACKED: u64 = 16 * 1024 * 1024;
/// What this version writes.
const VERSION: &str = "v1.";

/// A record, and the requests of people that were obeyed, by what is asked: each value once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memo<R> {
    pub record: R,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub handled: BTreeMap<String, String>,
}

/// Why a memory cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoError {
    #[error(
        "what evenkeel remembers of it takes {0} bytes, more than the {LIMIT} that an object may hold"
    )]
    TooLarge(usize),
    #[error("status.journal was written by a newer evenkeel; upgrade this one")]
    Newer,
    #[error("status.journal cannot be read: {0}")]
    Broken(String),
}

impl<R: Serialize> Memo<R> {
    /// As text.
    ///
    /// # Errors
    /// It is too large to keep.
    pub fn pack(&self) -> Result<String, MemoError> {
        let broken = |error: &dyn std::fmt::Display| MemoError::Broken(error.to_string());
        let json = serde_json::to_vec(self).map_err(|error| broken(&error))?;
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
        packer.write_all(&json).map_err(|error| broken(&error))?;
        let bytes = packer.finish().map_err(|error| broken(&error))?;
        let text = format!("{VERSION}{}", STANDARD.encode(bytes));
        if text.len() > LIMIT {
            return Err(MemoError::TooLarge(text.len()));
        }
        Ok(text)
    }
}

impl<R: DeserializeOwned> Memo<R> {
    /// From text.
    ///
    /// # Errors
    /// Another version wrote it, or it is damaged.
    pub fn unpack(text: &str) -> Result<Self, MemoError> {
        let broken = |error: &dyn std::fmt::Display| MemoError::Broken(error.to_string());
        let Some(body) = text.strip_prefix(VERSION) else {
            let versioned = text.starts_with('v') && text.contains('.');
            return Err(if versioned {
                MemoError::Newer
            } else {
                MemoError::Broken("it is not evenkeel's".to_owned())
            });
        };
        let bytes = STANDARD.decode(body).map_err(|error| broken(&error))?;
        let mut json = Vec::new();
        let mut unpacker = ZlibDecoder::new(bytes.as_slice()).take(UNPACKED);
        unpacker
            .read_to_end(&mut json)
            .map_err(|error| broken(&error))?;
        serde_json::from_slice(&json).map_err(|error| broken(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn memo(record: Value) -> Memo<Value> {
        Memo {
            record,
            handled: BTreeMap::from([("retry".to_owned(), "1".to_owned())]),
        }
    }

    #[test]
    fn a_memory_comes_back_as_it_was() {
        let kept = memo(json!({"a": [1, null, "ü"], "long": "x".repeat(10_000)}));
        let text = kept.pack().unwrap();
        assert!(text.len() < 400, "compressed");
        assert_eq!(Memo::unpack(&text), Ok(kept));
    }

    #[test]
    fn what_cannot_be_kept_or_read_is_said() {
        let mut random = fastrand::Rng::with_seed(1);
        let random: Vec<u64> = (0..100_000).map(|_| random.u64(..)).collect();
        assert!(matches!(
            memo(json!(random)).pack(),
            Err(MemoError::TooLarge(_))
        ));
        assert_eq!(Memo::<Value>::unpack("v2.abc"), Err(MemoError::Newer));
        for text in ["", "abc", "v1.###", "v1.AAAA"] {
            let read = Memo::<Value>::unpack(text);
            assert!(
                matches!(read, Err(MemoError::Broken(_))),
                "{text}: {read:?}"
            );
        }
    }
}
