//! Query parameters: the standard ones that every Google API takes, the method's own, and page tokens.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;
use url::form_urlencoded;

use super::errors::ApiError;
use super::messages::{int32, unreadable};
use super::route::Route;

/// The default page is not documented. Chosen: small enough that clients meet a second page in earnest.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 500;

/// cloud.google.com/apis/docs/system-parameters; each may also be written with a leading `$`.
const STANDARD: &[&str] = &[
    "access_token",
    "alt",
    "apiVersion",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "userProject",
    ".xgafv",
];

/// Standard parameters whose value nobody may read in a log.
const SECRET: &[&str] = &["access_token", "key", "oauth_token"];

#[derive(Debug)]
pub(super) struct Params {
    own: BTreeMap<String, Vec<String>>,
    pub fields: Option<String>,
    pub pretty: bool,
    /// `alt=json;enum-encoding=int`: enums in the reply are numbers.
    pub enum_numbers: bool,
    /// The client speaks a dated version of the API, not the channel that its path names.
    pub dated: bool,
}

/// Where clients say which dated version they speak; as a query parameter it is `$apiVersion`.
const VERSION_HEADER: &str = "x-goog-api-version";

impl Params {
    pub fn read(query: &str, headers: &HeaderMap, route: &Route) -> Result<Self, ApiError> {
        let mut params = Self {
            own: BTreeMap::new(),
            fields: None,
            pretty: true,
            enum_numbers: false,
            dated: headers.contains_key(VERSION_HEADER),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let plain = name.strip_prefix('$').unwrap_or(&name);
            if let Some(own) = own_name(route.method.query, &name) {
                let values = params.own.entry(own.to_owned()).or_default();
                values.push(value.into_owned());
            } else if STANDARD.contains(&plain) {
                params.set_standard(plain, &value)?;
            } else {
                return Err(unknown_parameter(&name));
            }
        }
        Ok(params)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.own.get(name)?.last().map(String::as_str)
    }

    /// Every value of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> &[String] {
        self.own.get(name).map_or(&[], Vec::as_slice)
    }

    /// Google reads `pageSize` 0 as the default and caps what is too large.
    pub fn page_size(&self) -> Result<usize, ApiError> {
        let Some(text) = self.get("pageSize").filter(|text| !text.is_empty()) else {
            return Ok(PAGE_DEFAULT);
        };
        let Some(size) = int32(&Value::from(text)) else {
            let description = format!("Invalid value at 'page_size' (TYPE_INT32), \"{text}\"");
            return Err(unreadable(&description, "page_size"));
        };
        match usize::try_from(size) {
            Ok(0) => Ok(PAGE_DEFAULT),
            Ok(size) => Ok(size.min(PAGE_MAX)),
            Err(_) => Err(ApiError::invalid("page_size must not be negative.")),
        }
    }

    /// The last key of the page before, from a token of this collection.
    pub fn page_token(&self, parent: &str) -> Result<Option<String>, ApiError> {
        let token = self.get("pageToken").filter(|token| !token.is_empty());
        token.map(|token| open_token(token, parent)).transpose()
    }

    fn set_standard(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "fields" if !value.is_empty() => self.fields = Some(value.to_owned()),
            "apiVersion" if self.dated => {
                let description =
                    "The API version must be given once: as a header or as a parameter.";
                return Err(unreadable(description, "$apiVersion"));
            }
            "apiVersion" => self.dated = true,
            "prettyPrint" => match value {
                "" | "true" | "1" => self.pretty = true,
                "false" | "0" => self.pretty = false,
                _ => return Err(bad_standard("prettyPrint", value)),
            },
            "alt" => match value.split_once(';').unwrap_or((value, "")) {
                ("" | "json", encoding) => self.enum_numbers = encoding == "enum-encoding=int",
                _ => return Err(bad_standard("alt", value)),
            },
            ".xgafv" if !matches!(value, "1" | "2") => return Err(bad_standard("$.xgafv", value)),
            _ => {}
        }
        Ok(())
    }
}

/// The transcoder takes `updateMask` and `update_mask` alike.
fn own_name(parameters: &'static [&'static str], name: &str) -> Option<&'static str> {
    parameters
        .iter()
        .copied()
        .find(|known| *known == name || snake(known) == name)
}

pub(super) fn snake(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut snake, c| {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
        snake
    })
}

fn unknown_parameter(name: &str) -> ApiError {
    let description = format!(
        "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' \
         could not be found in request message."
    );
    unreadable(&description, "")
}

fn bad_standard(name: &str, value: &str) -> ApiError {
    unreadable(
        &format!("Invalid value \"{value}\" for query parameter '{name}'."),
        name,
    )
}

/// The query with secrets blanked, for the log.
pub(super) fn loggable(query: &str) -> String {
    let secret = |name: &str| SECRET.contains(&name.strip_prefix('$').unwrap_or(name));
    if !form_urlencoded::parse(query.as_bytes()).any(|(name, _)| secret(&name)) {
        return query.to_owned();
    }
    let mut shown = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        shown.append_pair(&name, if secret(&name) { "REDACTED" } else { &value });
    }
    shown.finish()
}

/// One page of `items`, which are sorted by key, and the token of the next page.
pub(super) fn page<'a, T>(
    items: impl Iterator<Item = (&'a str, T)>,
    parent: &str,
    params: &Params,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    page_of(items, parent, params, params.page_size()?)
}

/// The same with a size that the API read in its own way.
pub(super) fn page_of<'a, T>(
    items: impl Iterator<Item = (&'a str, T)>,
    parent: &str,
    params: &Params,
    size: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let after = params.page_token(parent)?;
    let mut rest = items
        .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after.as_str()))
        .peekable();
    let mut page = Vec::new();
    let mut last = "";
    while page.len() < size
        && let Some((key, item)) = rest.next()
    {
        page.push(item);
        last = key;
    }
    let next = rest.peek().is_some().then(|| seal_token(last, parent));
    Ok((page, next))
}

/// A token names the last key seen, and is good for its own collection only.
pub(super) fn seal_token(last: &str, parent: &str) -> String {
    let hex: Vec<String> = last.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{:016x}{}", checksum(last, parent), hex.concat())
}

pub(super) fn open_token(token: &str, parent: &str) -> Result<String, ApiError> {
    let opened = || {
        let (sum, hex) = token.split_at_checked(16)?;
        let digits = hex.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> = digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let last = String::from_utf8(bytes?).ok()?;
        (u64::from_str_radix(sum, 16).ok()? == checksum(&last, parent)).then_some(last)
    };
    opened().ok_or_else(|| ApiError::invalid("The page token is invalid."))
}

/// FNV-1a, which stays the same across builds.
pub(super) fn checksum(last: &str, parent: &str) -> u64 {
    parent
        .bytes()
        .chain([0])
        .chain(last.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
