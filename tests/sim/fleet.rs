//! The fleets: connectors only, or a few of every kind with what stands around them.

use super::kinds::backend_service::{self, GROUPS, THEIR_CHECK, group};
use super::kinds::certificate::{self, FOUND, THEIRS};
use super::kinds::{
    Call, Place, Prop, connector, health_check, managed_certificate as managed, pick, run_service,
    sql_instance,
};
use evenkeel::api::{Key, Kind};
use fastrand::Rng;
use serde_json::{Value, json};

const REGION: &str = "us-central1";

/// What is managed, and what is there when the run starts.
pub struct Fleet {
    pub places: Vec<Place>,
    pub props: Vec<Prop>,
}

pub fn connectors(rng: &mut Rng) -> Fleet {
    let count = rng.usize(1..=4);
    let places: Vec<_> = (0..count)
        .map(|index| connector::draw(rng, index))
        .collect();
    let props = places.iter().filter_map(connector::prop).collect();
    Fleet { places, props }
}

/// Resources of every kind.
pub fn mixed(rng: &mut Rng) -> Fleet {
    let mut fleet = Fleet {
        places: Vec::new(),
        props: Vec::new(),
    };
    for _ in 0..rng.u8(1..3) {
        match rng.u8(..10) {
            _ if fleet.places.len() > 3 => {}
            0..4 => once(rng, &mut fleet, Kind::SslCertificate, certificates),
            4..6 => once(rng, &mut fleet, Kind::HealthCheck, edge),
            6..8 => once(rng, &mut fleet, Kind::RunService, services),
            _ => once(rng, &mut fleet, Kind::SqlInstance, instances),
        }
    }
    fleet
}

/// Adds a group of resources, unless there is one with this kind.
fn once(rng: &mut Rng, fleet: &mut Fleet, kind: Kind, add: fn(&mut Rng, &mut Fleet)) {
    if fleet.places.iter().all(|place| place.key.kind != kind) {
        add(rng, fleet);
    }
}

/// One or two services, before them a connector that they may use.
fn services(rng: &mut Rng, fleet: &mut Fleet) {
    let mut lot = json!({});
    if rng.bool() {
        let mut place = connector::draw(rng, 0);
        certificate::PROJECT.clone_into(&mut place.key.project);
        REGION.clone_into(&mut place.key.location);
        fleet.props.extend(connector::prop(&place));
        lot = json!({"connector": place.key.name});
        fleet.places.push(place);
    }
    for index in 0..rng.usize(1..=2) {
        let key = regional(Kind::RunService, format!("api{index}"));
        let made = run_service::make(&key);
        add(rng, fleet, key, lot.clone(), made);
    }
}

/// One or two families of Certificate Manager on the entries of two maps, which they share with
/// certificates of others.
pub fn managed(rng: &mut Rng) -> Fleet {
    let mut fleet = Fleet {
        places: Vec::new(),
        props: Vec::new(),
    };
    let mut make = |call: Call| fleet.props.push(Prop::Made(call));
    make(managed::make_map(managed::MAPS[0]));
    for name in THEIRS {
        let domain = format!("{name}.example.com");
        make(managed::authorize(name, &domain));
        make(managed::make(name, &json!([domain]), &[name.to_owned()]));
    }
    for index in 0..rng.usize(1..=2) {
        let place = managed_family(index);
        let name = &place.key.name;
        let entry = place.lot["slots"][0].clone();
        match rng.u8(..10) {
            found @ 0..6 => {
                let name = match found {
                    0..3 => name.clone(),
                    _ => format!("{name}-{FOUND}"),
                };
                let domain = &place.lot["domains"][0];
                let by_hand = format!("{name}-proof");
                make(managed::authorize(
                    &by_hand,
                    domain.as_str().unwrap_or_default(),
                ));
                make(managed::make(&name, &json!([domain]), &[by_hand]));
                if rng.bool() {
                    make(managed::make_entry(&format!("e{index}"), &entry, &[&name]));
                }
            }
            6 => make(managed::make_entry(
                &format!("e{index}"),
                &entry,
                &[THEIRS[0]],
            )),
            _ => {}
        }
        fleet.places.push(place);
    }
    fleet
}

fn managed_family(index: usize) -> Place {
    let name = format!("wild{index}");
    let domains: Vec<_> = (0..3).map(|n| format!("d{n}.{name}.example.com")).collect();
    let [front, back] = managed::MAPS;
    let mut slots = vec![
        json!({"map": front, "hostname": domains[0]}),
        json!({"map": front, "hostname": format!("*.{}", domains[1])}),
        json!({"map": back, "hostname": domains[0]}),
    ];
    if index == 0 {
        slots.push(json!({"map": front, "matcher": "PRIMARY"}));
    }
    Place {
        lot: json!({"domains": domains, "slots": slots}),
        key: Key {
            kind: Kind::ManagedCertificate,
            project: certificate::PROJECT.to_owned(),
            location: "global".to_owned(),
            name,
        },
    }
}

fn instances(rng: &mut Rng, fleet: &mut Fleet) {
    for index in 0..rng.usize(1..=2) {
        let key = regional(Kind::SqlInstance, format!("db{index}"));
        let made = sql_instance::make(&key);
        add(rng, fleet, key, json!({}), made);
    }
}

fn regional(kind: Kind, name: String) -> Key {
    Key {
        kind,
        project: certificate::PROJECT.to_owned(),
        location: REGION.to_owned(),
        name,
    }
}

/// One or two health checks and the backend services that use them.
fn edge(rng: &mut Rng, fleet: &mut Fleet) {
    let location = pick(rng, &["global", REGION]);
    let key = |kind: Kind, name: String| Key {
        kind,
        project: certificate::PROJECT.to_owned(),
        location: location.to_owned(),
        name,
    };
    for name in GROUPS {
        let record = json!({"name": name, "size": 1});
        let name = format!("//compute.googleapis.com/{}", group(name));
        fleet.props.push(Prop::Record(name, record));
    }
    let theirs = key(Kind::HealthCheck, THEIR_CHECK.to_owned());
    fleet.props.push(Prop::Made(health_check::make(&theirs)));
    let checks: Vec<String> = (0..rng.usize(1..=2)).map(|n| format!("check{n}")).collect();
    for name in &checks {
        let key = key(Kind::HealthCheck, name.clone());
        let made = health_check::make(&key);
        add(rng, fleet, key, json!({}), made);
    }
    for index in 0..rng.usize(1..=2) {
        let key = key(Kind::BackendService, format!("backend{index}"));
        let made = backend_service::make(&key);
        add(rng, fleet, key, json!({"checks": checks}), made);
    }
}

/// A place where there is something already, most of the time.
fn add(rng: &mut Rng, fleet: &mut Fleet, key: Key, lot: Value, made: Call) {
    if rng.u8(..10) < 6 {
        fleet.props.push(Prop::Made(made));
    }
    fleet.places.push(Place { key, lot });
}

/// One to three families on one to three proxies, which they share with certificates of others.
fn certificates(rng: &mut Rng, fleet: &mut Fleet) {
    let proxies: Vec<String> = (0..rng.usize(1..=3)).map(|n| format!("front{n}")).collect();
    let mut lists: Vec<Vec<String>> = vec![Vec::new(); proxies.len()];
    for name in THEIRS {
        let domains = json!([format!("{name}.example.com")]);
        fleet
            .props
            .push(Prop::Made(certificate::make(name, &domains)));
    }
    for index in 0..rng.usize(1..=3) {
        let place = family(rng, index, &proxies);
        if let Some(name) = place.lot["exists"].as_str() {
            let domains = certificate::domains(rng, &place);
            fleet
                .props
                .push(Prop::Made(certificate::make(name, &domains)));
            for list in &mut lists {
                if rng.u8(..10) < 7 {
                    list.push(name.to_owned());
                }
            }
        }
        fleet.places.push(place);
    }
    crowd(rng, fleet, &mut lists[0]);
    for (proxy, mut list) in proxies.iter().zip(lists) {
        if list.is_empty() || rng.u8(..10) < 3 {
            list.push(THEIRS[rng.usize(..THEIRS.len())].to_owned());
        }
        fleet
            .props
            .push(Prop::Made(certificate::make_proxy(proxy, &list)));
    }
    let secret =
        json!({"name": certificate::SECRET, "versions": [{"sensitive": certificate::KEY}]});
    let name = certificate::SECRET;
    fleet.props.push(Prop::Record(
        format!("//secretmanager.googleapis.com/{name}"),
        secret,
    ));
}

fn family(rng: &mut Rng, index: usize, proxies: &[String]) -> Place {
    let name = format!("shop{index}");
    let exists = match rng.u8(..10) {
        0..4 => json!(name),
        4..6 => json!(format!("{name}-{FOUND}")),
        _ => Value::Null,
    };
    let domains: Vec<_> = (0..4).map(|n| format!("d{n}.{name}.example.com")).collect();
    Place {
        lot: json!({"proxies": proxies, "domains": domains, "exists": exists}),
        key: Key {
            kind: Kind::SslCertificate,
            project: certificate::PROJECT.to_owned(),
            location: "global".to_owned(),
            name,
        },
    }
}

/// A proxy that is full, or nearly so.
fn crowd(rng: &mut Rng, fleet: &mut Fleet, list: &mut Vec<String>) {
    if rng.u8(..12) > 0 {
        return;
    }
    let most = certificate::PROXY_LIMIT - 1;
    for index in list.len()..rng.usize(most - 1..=most) {
        let name = format!("crowd-{index}");
        let domains = json!([format!("{name}.example.com")]);
        fleet
            .props
            .push(Prop::Made(certificate::make(&name, &domains)));
        list.push(name);
    }
}
