//! What is declared: what the certificate is for, how its domains are proved, and where it serves.

use crate::core::fields::Fields;
use crate::kinds::suffix::suffixed;
use serde_json::{Map, Value, json};

const DOMAINS: &str = "managed.domains";
const RECORD_TYPE: &str = "dnsAuthorization.type";
/// Where a host name would stand in an entry that is for everything else.
pub(super) const PRIMARY: &str = "PRIMARY";

/// What a certificate is for: equal content needs no rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Sorted.
    pub domains: Vec<String>,
    /// `None`: any type of record will do.
    pub record_type: Option<String>,
}

impl Content {
    /// From the declared fields; `None` when nothing is declared.
    pub fn of(declared: &Fields) -> Option<Content> {
        let domains = names(declared.get(DOMAINS));
        let record_type = declared.get(RECORD_TYPE).and_then(Value::as_str);
        (!domains.is_empty()).then(|| Content {
            domains,
            record_type: record_type.map(str::to_owned),
        })
    }

    /// From `spec.resource`.
    pub fn declared(resource: &Map<String, Value>) -> Content {
        let text = |object: &str, field: &str| resource.get(object)?.get(field).cloned();
        Content {
            domains: names(text("managed", "domains").as_ref()),
            record_type: text("dnsAuthorization", "type")
                .and_then(|kind| Some(kind.as_str()?.to_owned())),
        }
    }

    pub fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        if !self.domains.is_empty() {
            fields.insert(DOMAINS.to_owned(), json!(self.domains));
        }
        if let Some(kind) = &self.record_type {
            fields.insert(RECORD_TYPE.to_owned(), json!(kind));
        }
        fields
    }

    /// The domains that need an authorization: a wildcard shares that of its base.
    pub fn bases(&self) -> Vec<String> {
        let mut bases: Vec<String> = self.domains.iter().map(|d| base(d).to_owned()).collect();
        bases.sort();
        bases.dedup();
        bases
    }

    /// The name of the `round`-th certificate that an attempt makes for this content.
    pub fn name(&self, family: &str, attempt: i64, round: usize) -> String {
        let domains = self.domains.join(",");
        let kind = self.record_type.as_deref().unwrap_or_default();
        suffixed(
            family,
            &[
                domains.as_bytes(),
                b"\n",
                kind.as_bytes(),
                &attempt.to_be_bytes(),
                &round.to_be_bytes(),
            ],
        )
    }

    /// The name of the authorization of one of its domains.
    pub fn authorization_name(&self, family: &str, domain: &str) -> String {
        let kind = self.record_type.as_deref().unwrap_or_default();
        suffixed(family, &[domain.as_bytes(), b"\n", kind.as_bytes()])
    }
}

/// Of `*.example.com` it is `example.com`.
pub(super) fn base(domain: &str) -> &str {
    domain.strip_prefix("*.").unwrap_or(domain)
}

/// Host names in canonical form: lower case, no final dot, sorted, each once.
pub(super) fn names(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = items.filter_map(Value::as_str).map(canonical).collect();
    names.sort();
    names.dedup();
    names
}

pub(super) fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// A place where the certificate serves: an entry of a map, by what it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub map: String,
    /// A host name, a wildcard, or [`PRIMARY`].
    pub host: String,
}

impl Slot {
    /// The places in `spec.resource`, as they are declared.
    pub fn declared(resource: &Map<String, Value>) -> Vec<Slot> {
        let items = resource.get("attachTo").and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Slot::of).collect()
    }

    /// One place in `spec.resource`.
    pub fn of(item: &Value) -> Option<Slot> {
        let host = item["hostname"].as_str().map(canonical);
        Some(Slot {
            map: item["map"].as_str()?.to_owned(),
            host: host.unwrap_or_else(|| PRIMARY.to_owned()),
        })
    }

    /// The places in declared fields.
    pub fn all(declared: &Fields) -> Vec<Slot> {
        let fields = declared.keys();
        fields
            .filter_map(|field| {
                let place = field.strip_prefix("attachTo[")?.strip_suffix(']')?;
                let (map, host) = place.split_once('/')?;
                Some(Slot {
                    map: map.to_owned(),
                    host: host.to_owned(),
                })
            })
            .collect()
    }

    pub fn field(&self) -> String {
        format!("attachTo[{self}]")
    }

    /// The composite field with the certificates of the entry.
    pub fn certificates_field(&self) -> String {
        format!("certificateMapEntries[{self}].certificates")
    }

    /// The name of an entry that is made for it.
    pub fn entry_name(&self, family: &str) -> String {
        suffixed(family, &[self.host.as_bytes()])
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.map, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(domains: &Value) -> Content {
        let resource = json!({"managed": {"domains": domains}});
        Content::declared(resource.as_object().unwrap())
    }

    #[test]
    fn a_wildcard_shares_the_authorization_of_its_base() {
        let own = content(&json!([
            "*.B.example.com.",
            "b.example.com",
            "a.b.example.com"
        ]));
        assert_eq!(own.bases(), ["a.b.example.com", "b.example.com"]);
        assert_eq!(Content::of(&own.fields()), Some(own));
    }

    #[test]
    fn equal_content_gets_an_equal_name_in_one_attempt() {
        let one = content(&json!(["a.com", "*.a.com"]));
        let two = content(&json!(["*.A.com", "a.com."]));
        assert_eq!(one.name("c", 1, 0), two.name("c", 1, 0));
        assert_ne!(one.name("c", 1, 0), one.name("c", 2, 0));
        assert_ne!(one.name("c", 1, 0), one.name("c", 1, 1));
        let other = Content {
            record_type: Some("PER_PROJECT_RECORD".to_owned()),
            ..one.clone()
        };
        assert_ne!(one.name("c", 1, 0), other.name("c", 1, 0));
    }

    #[test]
    fn places_go_through_fields_and_back() {
        let resource = json!({"attachTo": [
            {"map": "front", "hostname": "*.A.com."}, {"map": "front", "matcher": "PRIMARY"}
        ]});
        let slots = Slot::declared(resource.as_object().unwrap());
        let fields: Fields = slots.iter().map(|s| (s.field(), json!(true))).collect();
        assert_eq!(Slot::all(&fields), slots);
        assert_eq!(slots[0].to_string(), "front/*.a.com");
        assert_eq!(slots[1].to_string(), "front/PRIMARY");
    }
}
