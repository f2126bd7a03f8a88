//! Certificate Manager around an operator: what is there, who serves what, and the public DNS.

use super::{PROJECT, World};
use bytes::Bytes;
use evenkeel::emulator::{Emulator, LogEntry, Outcome};
use evenkeel::gcp::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub const PLACE: &str = "v1/projects/netra-staging/locations/global";

impl World {
    /// Somebody else's call to Certificate Manager, and time for it to take effect.
    pub async fn manage(&self, method: &str, path: &str, body: Value) -> Value {
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:1/{PLACE}/{path}"))
            .header("x-by", "somebody-else")
            .body(body)
            .unwrap();
        let Outcome::Reply(reply) = self.emulator.handle(self.clock.now(), &request).outcome else {
            panic!("{method} {path}: no reply");
        };
        let status = reply.status();
        assert!(status.is_success(), "{method} {path}: {:?}", reply.body());
        tokio::time::sleep(Duration::from_secs(20)).await;
        serde_json::from_slice(reply.body()).unwrap()
    }

    /// The true state of an object such as `certificates/x`.
    pub fn managed(&self, object: &str) -> Option<Value> {
        self.emulator.advance(self.clock.now());
        self.emulator.truth(&format!("/{PLACE}/{object}"))
    }

    /// Every object of a collection, such as `certificates`, by its short name, as it truly is.
    pub fn collection(&self, collection: &str) -> BTreeMap<String, Value> {
        self.emulator.advance(self.clock.now());
        collection_of(&self.emulator, collection)
    }

    /// The records to publish, as the authorizations have them.
    pub fn dns_records(&self) -> BTreeMap<String, String> {
        self.emulator.advance(self.clock.now());
        records_of(&self.emulator)
    }

    /// A person puts every record there is into the DNS.
    pub fn publish_all(&self) {
        self.emulator.advance(self.clock.now());
        self.emulator.set_dns(self.dns_records());
    }

    /// A person who looks once a minute, and puts each new record into the DNS.
    pub fn keep_published(&self) {
        let person = Person {
            emulator: Arc::clone(&self.emulator),
            clock: Arc::clone(&self.clock),
        };
        tokio::task::spawn_local(person.publish());
    }

    /// What each entry serves, by host name: certificates, and whether they are ACTIVE.
    pub fn served(&self) -> BTreeMap<String, Vec<(String, bool)>> {
        let certificates = self.collection("certificates");
        let entries = self.collection("certificateMapEntries").into_values();
        entries
            .map(|entry| {
                let host = entry["hostname"].as_str().unwrap_or("PRIMARY").to_owned();
                let served = entry["certificates"].as_array().unwrap().iter();
                let served = served.map(|name| {
                    let name = name.as_str().unwrap().rsplit('/').next().unwrap();
                    let active = certificates[name]["managed"]["state"] == "ACTIVE";
                    (name.to_owned(), active)
                });
                (host, served.collect())
            })
            .collect()
    }

    /// Calls that change Certificate Manager, after the first `skipped`: `POST certificates`.
    pub fn changes(&self, skipped: usize) -> Vec<String> {
        let own = self.changes_made().into_iter().skip(skipped);
        own.map(|entry| {
            let path = entry.path.rsplit("/global/").next().unwrap_or_default();
            format!("{} {path}", entry.method)
        })
        .collect()
    }

    pub fn changes_made(&self) -> Vec<LogEntry> {
        let writes = self.writes().into_iter();
        writes
            .filter(|w| !w.foreign && w.path.contains("/locations/global/"))
            .collect()
    }

    /// A wildcard that somebody made by hand and serves in `front`: authorization, certificate, map, entry.
    pub async fn by_hand(&self, name: &str, domains: &[&str], base: &str) {
        let full = |what: &str, id: &str| format!("{}/{what}/{id}", &PLACE[3..]);
        let auth = json!({"domain": base});
        self.manage("POST", "dnsAuthorizations?dnsAuthorizationId=by-hand", auth)
            .await;
        self.publish_all();
        let certificate = json!({"managed": {
            "domains": domains, "dnsAuthorizations": [full("dnsAuthorizations", "by-hand")],
        }});
        self.manage(
            "POST",
            &format!("certificates?certificateId={name}"),
            certificate,
        )
        .await;
        self.manage("POST", "certificateMaps?certificateMapId=front", json!({}))
            .await;
        let entry = json!({"hostname": domains[0], "certificates": [full("certificates", name)]});
        let path = "certificateMaps/front/certificateMapEntries?certificateMapEntryId=hand-made";
        self.manage("POST", path, entry).await;
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(self.served()[domains[0]], [(name.to_owned(), true)]);
    }
}

struct Person {
    emulator: Arc<Emulator>,
    clock: Arc<dyn Clock>,
}

impl Person {
    async fn publish(self) {
        let mut published = BTreeMap::new();
        loop {
            self.emulator.advance(self.clock.now());
            let records = records_of(&self.emulator);
            if records != published {
                self.emulator.set_dns(records.clone());
                published = records;
            }
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
    }
}

fn collection_of(emulator: &Emulator, collection: &str) -> BTreeMap<String, Value> {
    let all = emulator.truths("certificatemanager.googleapis.com");
    let ours = format!("projects/{PROJECT}/");
    let own = all.into_iter().filter(|(name, _)| name.starts_with(&ours));
    own.filter_map(|(name, body)| {
        let (holder, id) = name.rsplit_once('/')?;
        let found = holder.ends_with(&format!("/{collection}"));
        found.then(|| (id.to_owned(), body))
    })
    .collect()
}

fn records_of(emulator: &Emulator) -> BTreeMap<String, String> {
    let authorizations = collection_of(emulator, "dnsAuthorizations").into_values();
    let record = |own: Value| {
        let text = |field: &str| own["dnsResourceRecord"][field].as_str().map(str::to_owned);
        Some((text("name")?, text("data")?))
    };
    authorizations.filter_map(record).collect()
}
