//! Certificates of Certificate Manager, as people make them, and the map entries that serve them.

use super::gcp::{Gcp, PROJECT};
use super::{certificates, texts};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How Google is to know that the domains are ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Proof {
    /// By records of this type, or of Google's own choice.
    Dns(Option<&'static str>),
    /// By the load balancer that has the certificate.
    Balancer,
    /// Not at all: its owner brought it.
    Own,
}

#[derive(Debug, Clone)]
pub struct Managed {
    pub name: String,
    pub location: &'static str,
    pub proof: Proof,
    pub domains: Vec<String>,
    /// Whether the records are in the DNS.
    pub published: bool,
    /// Host names of the entries; nothing stands for `PRIMARY`.
    pub entries: Vec<Option<String>>,
}

impl Managed {
    /// A manifest can say all of it, and Google has nothing left to do.
    pub fn is_kept(&self) -> bool {
        matches!(self.proof, Proof::Dns(_)) && self.published && self.location == "global"
    }

    fn place(&self) -> String {
        format!("projects/{PROJECT}/locations/{}", self.location)
    }

    async fn make(&self, gcp: &Gcp, collection: &str, id: &str, body: Value) {
        let one = match collection.rsplit('/').next() {
            Some("dnsAuthorizations") => "dnsAuthorization",
            Some("certificateMaps") => "certificateMap",
            Some("certificateMapEntries") => "certificateMapEntry",
            _ => "certificate",
        };
        let path = format!("v1/{}/{collection}?{one}Id={id}", self.place());
        gcp.call("POST", &path, &body).await;
    }

    async fn authorize(&self, gcp: &Gcp, kind: Option<&str>) -> Vec<String> {
        let bases = self
            .domains
            .iter()
            .map(|domain| domain.trim_start_matches("*."));
        let mut bases: Vec<&str> = bases.collect();
        bases.sort_unstable();
        bases.dedup();
        let mut names = Vec::new();
        for (index, base) in bases.into_iter().enumerate() {
            let id = format!("{}-auth-{index}", self.name);
            let mut body = json!({"domain": base});
            if let Some(kind) = kind {
                body["type"] = json!(kind);
            }
            self.make(gcp, "dnsAuthorizations", &id, body).await;
            names.push(format!("{}/dnsAuthorizations/{id}", self.place()));
        }
        names
    }

    pub async fn create(&self, gcp: &Gcp) {
        let body = match self.proof {
            Proof::Dns(kind) => {
                let proofs = self.authorize(gcp, kind).await;
                json!({"managed": {"domains": self.domains, "dnsAuthorizations": proofs}})
            }
            Proof::Balancer => {
                json!({"managed": {"domains": [self.domains[0].trim_start_matches("*.")]}})
            }
            Proof::Own => json!({"selfManaged": {
                "pemCertificate": certificates::PEM, "pemPrivateKey": certificates::KEY,
            }}),
        };
        self.make(gcp, "certificates", &self.name, body).await;
        if self.entries.is_empty() {
            return;
        }
        let map = format!("{}-map", self.name);
        self.make(gcp, "certificateMaps", &map, json!({})).await;
        for (index, host) in self.entries.iter().enumerate() {
            let certificate = format!("{}/certificates/{}", self.place(), self.name);
            let mut entry = json!({"certificates": [certificate]});
            match host {
                Some(host) => entry["hostname"] = json!(host),
                None => entry["matcher"] = json!("PRIMARY"),
            }
            let entries = format!("certificateMaps/{map}/certificateMapEntries");
            self.make(gcp, &entries, &format!("e{index}"), entry).await;
        }
    }
}

/// Puts the records of those that are published into the DNS.
pub fn publish(gcp: &Gcp, all: &[Managed]) {
    let truths = gcp.emulator.truths("certificatemanager.googleapis.com");
    let record = |(name, body): (String, Value)| {
        let owner = |one: &&Managed| {
            let prefix = format!("{}/dnsAuthorizations/{}-auth-", one.place(), one.name);
            name.starts_with(&prefix)
        };
        all.iter().find(owner).filter(|one| one.published)?;
        let text = |field: &str| body["dnsResourceRecord"][field].as_str().map(str::to_owned);
        Some((text("name")?, text("data")?))
    };
    let records: BTreeMap<String, String> = truths.into_iter().filter_map(record).collect();
    gcp.emulator.set_dns(records);
}

pub fn managed() -> impl Strategy<Value = Managed> {
    let name = (texts::name(), proptest::option::of("[0-9a-f]{8}")).prop_map(|(name, suffix)| {
        suffix.map_or(name.clone(), |suffix| format!("{name}-{suffix}"))
    });
    let fixed = Proof::Dns(Some("FIXED_RECORD"));
    let project = Proof::Dns(Some("PER_PROJECT_RECORD"));
    let proof = prop_oneof![
        6 => select(vec![Proof::Dns(None), fixed, project]),
        1 => Just(Proof::Balancer),
        1 => Just(Proof::Own),
    ];
    let hosts = vec!["*.", "", "a.", "*.b."];
    let domains = subsequence(hosts, 1..=4).prop_shuffle();
    let location = prop_oneof![5 => Just("global"), 1 => Just("us-central1")];
    let published = proptest::bool::weighted(0.8);
    let entries = (0..5_usize, any::<bool>());
    let parts = (name, location, proof, domains, published, entries);
    parts.prop_map(|(name, location, proof, domains, published, entries)| {
        let full = |host: &&str| format!("{host}{name}.example.com");
        let domains: Vec<String> = domains.iter().map(full).collect();
        let (hosts, primary) = entries;
        let mut entries: Vec<Option<String>> =
            domains.iter().take(hosts).cloned().map(Some).collect();
        entries.extend(primary.then_some(None));
        let mut one = Managed {
            name,
            location,
            proof,
            domains,
            published,
            entries,
        };
        if one.location != "global" {
            // Maps are global only, and so is the proof by what they are attached to.
            one.entries.clear();
            if one.proof == Proof::Balancer {
                one.proof = Proof::Own;
            }
        }
        one
    })
}
