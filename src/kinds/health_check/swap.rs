//! The swap: another check takes over, since the protocol of a check in use cannot change.
//!
//! Create it, move each backend service over, let it hold, delete the old one. Invariant: a
//! backend service always has a check, and none is deleted while it is used. All is told from what
//! is live, so a swap goes on from wherever it was left; until the old check is deleted, the former
//! content moves the users back.

use super::family::{self, Member, User};
use super::protocol::{self, Protocol};
use crate::api::{HumanDuration, Reason};
use crate::core::fields::{self, Fields};
use crate::core::observed::Present;
use crate::core::procedure::{Call, Next, Procedure, SERVING, Scene};
use crate::core::record::Verb;
use crate::core::rules::Change;
use crate::core::steps;
use crate::kinds::compute;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What a new check takes over from the old one where the manifest does not say.
const CARRIED: [&str; 6] = [
    "checkIntervalSec",
    "timeoutSec",
    "healthyThreshold",
    "unhealthyThreshold",
    "description",
    "logConfig.enable",
];
/// Only these protocols take source regions. Source: compute v1, `HealthCheck.sourceRegions`.
const REGIONAL: [&str; 3] = ["TCP", "HTTP", "HTTPS"];

/// Where the swap stands; `None` while one check of the declared protocol is all there is.
pub(super) fn change(scene: &Scene<'_>) -> Option<Procedure> {
    let live = scene.live?;
    let members = family::members(live);
    let wanted = scene.declared.get("type").and_then(Value::as_str);
    if let [only] = members.as_slice()
        && wanted.is_none_or(|wanted| wanted == only.protocol)
    {
        return None;
    }
    Some(match protocol::of(scene.declared) {
        Some(protocol) => Swap::new(scene, live, members, protocol).procedure(),
        None => undecided(&members, live),
    })
}

/// The manifest is gone: its checks go one by one; who uses them was asked before.
pub(super) fn removal(scene: &Scene<'_>) -> Option<Procedure> {
    let members = family::members(scene.live?);
    match members.as_slice() {
        [only] if only.name == scene.name => None,
        [] => None,
        [first, ..] => Some(Procedure {
            steps: members
                .iter()
                .map(|m| format!("delete {}", m.name))
                .collect(),
            at: 0,
            marks: Vec::new(),
            object: None,
            next: delete(first),
        }),
    }
}

fn undecided(members: &[Member], live: &Present) -> Procedure {
    let names: Vec<_> = members
        .iter()
        .map(|m| format!("{} ({})", m.name, m.protocol))
        .collect();
    Procedure {
        steps: vec!["go on with one of the checks".to_owned()],
        at: 0,
        marks: Vec::new(),
        object: live.object.clone(),
        next: Next::Broken {
            reason: Reason::InvalidSpec,
            message: format!(
                "there are {}; say with a type or a block which one stays",
                names.join(", ")
            ),
        },
    }
}

struct Swap<'a> {
    scene: &'a Scene<'a>,
    live: &'a Present,
    protocol: &'static Protocol,
    /// The check that takes over: its name, and itself once it exists.
    name: String,
    target: Option<Member>,
    old: Vec<Member>,
    /// `None`: not read.
    users: Option<Vec<User>>,
    /// Where the family is.
    collection: String,
}

impl<'a> Swap<'a> {
    fn new(
        scene: &'a Scene<'a>,
        live: &'a Present,
        members: Vec<Member>,
        protocol: &'static Protocol,
    ) -> Self {
        let is_free = |name: &str| members.iter().all(|member| member.name != name);
        let fitting = |member: &&Member| member.protocol == protocol.name;
        // The plain name is the shortest.
        let target = members
            .iter()
            .filter(fitting)
            .min_by_key(|m| m.name.len())
            .cloned();
        let name = match &target {
            Some(member) => member.name.clone(),
            None if is_free(scene.name) => scene.name.to_owned(),
            None => family::name_of(scene.name, protocol),
        };
        let old = members
            .into_iter()
            .filter(|member| member.name != name)
            .collect();
        Swap {
            scene,
            live,
            protocol,
            name,
            target,
            old,
            users: family::users(&live.raw),
            collection: family::collection(&live.raw).unwrap_or_default(),
        }
    }

    fn procedure(&self) -> Procedure {
        let mut moves = vec![(
            format!("create {} ({})", self.name, self.protocol.name),
            self.create(),
        )];
        moves.extend(self.mend());
        moves.extend(self.moves());
        let bake = HumanDuration(self.scene.bake);
        moves.push((format!("hold for {bake}"), self.soak()));
        moves.extend(
            self.old
                .iter()
                .map(|old| (format!("delete {}", old.name), Some(delete(old)))),
        );
        let at = moves
            .iter()
            .position(|(_, next)| next.is_some())
            .unwrap_or(moves.len());
        let next = moves
            .get(at)
            .and_then(|(_, next)| next.clone())
            .unwrap_or(Next::Done);
        Procedure {
            steps: moves.into_iter().map(|(text, _)| text).collect(),
            at,
            marks: self
                .is_moved()
                .then(|| SERVING.to_owned())
                .into_iter()
                .collect(),
            object: self.object(),
            next,
        }
    }

    /// What others should refer to: the new check from when it is there.
    fn object(&self) -> Option<String> {
        if self.target.is_none() {
            return self.live.object.clone();
        }
        (self.name != self.scene.name).then(|| family::object_of(&self.name))
    }

    fn create(&self) -> Option<Next> {
        if self.target.is_some() {
            return None;
        }
        let fields = self.fields();
        if let Some(message) = self.obstacle(&fields) {
            let reason = Reason::InvalidSpec;
            return Some(Next::Broken { reason, message });
        }
        let change = Change {
            verb: Verb::Create,
            fields: &fields,
            live: None,
            declared: None,
        };
        let mut body = super::encode(&change).body;
        body["name"] = self.name.clone().into();
        Some(Next::Call(Box::new(Call {
            verb: Verb::Create,
            object: family::object_of(&self.name),
            body,
            before: Fields::new(),
            after: [(family::field(&self.name, "type"), json!(self.protocol.name))].into(),
        })))
    }

    /// Why the new check cannot be made.
    fn obstacle(&self, fields: &Fields) -> Option<String> {
        if let Some(taken) = self.old.iter().find(|old| old.name == self.name) {
            return Some(format!(
                "{} is in the way: it is a {} check under the name for {}; delete it once nobody \
                 uses it",
                taken.name, taken.protocol, self.protocol.name
            ));
        }
        if self.name != self.scene.name && self.scene.name.len() > family::BASE_LIMIT {
            return Some(format!(
                "a name of more than {} characters leaves no room for that of the new check: \
                 declare a HealthCheck under a shorter name, and point healthChecksRef at it",
                family::BASE_LIMIT
            ));
        }
        let missing = super::missing_for_create(fields)?;
        Some(format!("for the new check the manifest lacks {missing}"))
    }

    /// The declared fields, and what the old check has where these are silent.
    fn fields(&self) -> Fields {
        let mut fields = self.scene.declared.clone();
        let defaults = super::defaults(&fields);
        let is_default =
            |path: &str, value: &Value| defaults.iter().any(|(p, v)| *p == path && v == value);
        let regional = REGIONAL
            .contains(&self.protocol.name)
            .then_some("sourceRegions");
        for path in CARRIED.into_iter().chain(regional) {
            let old = self
                .live
                .fields
                .get(path)
                .filter(|value| !is_default(path, value));
            if let (Some(value), false) = (old, fields.contains_key(path)) {
                fields.insert(path.to_owned(), value.clone());
            }
        }
        fields
    }

    /// The new check is there, and not as declared.
    fn mend(&self) -> Option<(String, Option<Next>)> {
        let target = self.target.as_ref()?;
        let differing = fields::diff(self.scene.declared, &target.fields);
        if differing.is_empty() {
            return None;
        }
        let wanted: Fields = differing.into_iter().map(|d| (d.field, d.to)).collect();
        let live = Present::of(family::body(&self.live.raw, &target.name));
        let change = Change {
            verb: Verb::Patch,
            fields: &wanted,
            live: Some(&live),
            declared: None,
        };
        let own = |fields: Fields| -> Fields {
            fields
                .into_iter()
                .map(|(path, value)| (family::field(&target.name, &path), value))
                .collect()
        };
        let texts: Vec<_> = wanted
            .iter()
            .map(|(path, to)| format!("{path} {}", steps::plain(to)))
            .collect();
        let text = format!("set {} of {}", texts.join(", "), target.name);
        let call = Call {
            verb: Verb::Patch,
            object: family::object_of(&target.name),
            body: super::encode(&change).body,
            before: own(fields::restrict(&target.fields, &wanted)),
            after: own(wanted),
        };
        Some((text, Some(Next::Call(Box::new(call)))))
    }

    /// One for each backend service, also for those that have moved.
    fn moves(&self) -> Vec<(String, Option<Next>)> {
        let Some(users) = &self.users else {
            let old: Vec<_> = self.old.iter().map(|old| old.name.as_str()).collect();
            let text = format!(
                "move the backend services of {} to {}",
                old.join(", "),
                self.name
            );
            return vec![(text, self.target.is_some().then_some(Next::Look))];
        };
        users
            .iter()
            .map(|user| {
                let link = user.link.splitn(3, '/').nth(2).unwrap_or(&user.link);
                let text = format!("move {link} to {}", self.name);
                (text, self.uses_old(user).then(|| self.switch(user)))
            })
            .collect()
    }

    fn uses_old(&self, user: &User) -> bool {
        self.old
            .iter()
            .any(|old| user.uses(&self.collection, &old.name))
    }

    /// The new check in the place of the old ones; what else is in the list stays.
    fn switch(&self, user: &User) -> Next {
        let new = format!("{}/{}", self.collection, self.name);
        let is_old = |link: &String| {
            let mut old = self.old.iter();
            old.any(|old| *link == format!("{}/{}", self.collection, old.name))
        };
        let mut list: Vec<String> = Vec::new();
        for link in &user.checks {
            let link = if is_old(link) { &new } else { link };
            if !list.contains(link) {
                list.push(link.clone());
            }
        }
        let field = family::checks_of(&user.link);
        Next::Call(Box::new(Call {
            verb: Verb::Patch,
            object: user.link.clone(),
            body: json!({
                "healthChecks": list.iter().map(|link| compute::full(link)).collect::<Vec<_>>(),
                // Somebody else's change in between is a conflict, not a lost update.
                "fingerprint": user.fingerprint,
            }),
            before: [(field.clone(), json!(user.checks))].into(),
            after: [(field, json!(list))].into(),
        }))
    }

    /// Nobody uses an old check, as far as backend services go.
    fn is_moved(&self) -> bool {
        let users = self.users.as_deref();
        self.target.is_some()
            && users.is_some_and(|users| !users.iter().any(|user| self.uses_old(user)))
    }

    fn soak(&self) -> Option<Next> {
        let since = self
            .scene
            .since
            .get(SERVING)
            .copied()
            .unwrap_or(self.scene.now);
        let until = since.checked_add(self.scene.bake).unwrap_or(Timestamp::MAX);
        if until <= self.scene.now {
            return None;
        }
        let old: Vec<_> = self.old.iter().map(|old| old.name.as_str()).collect();
        let message = format!(
            "{} has taken over; {} stays until {until:.0}, and until then the former content moves \
             its users back",
            self.name,
            old.join(", ")
        );
        Some(Next::Hold { message, until })
    }
}

fn delete(old: &Member) -> Next {
    let field = family::field(&old.name, "type");
    Next::Call(Box::new(Call {
        verb: Verb::Delete,
        object: family::object_of(&old.name),
        body: Value::Null,
        before: [(field.clone(), json!(old.protocol))].into(),
        after: [(field, Value::Null)].into(),
    }))
}
