//! The rotation: authorize, make beside, wait until it is ACTIVE, point the entries at it, let it
//! hold, delete.
//!
//! Invariant: an entry is pointed at a certificate that is ACTIVE, and at no other. Everything is told
//! from what is live, so a rotation goes on from wherever it was left.

use super::calls;
use super::content::{Content, Slot};
use super::live::{Authorization, Entry, Member, Seen};
use super::trouble;
use crate::api::{HumanDuration, Reason};
use crate::core::procedure::{Next, Procedure, SERVING, Scene};
use crate::kinds::suffix::base_of;
use jiff::Timestamp;
use std::time::Duration;

/// Most certificates of one entry. Source: certificatemanager v1, `CertificateMapEntry`.
const ENTRY_LIMIT: usize = 4;
/// How long to wait for a certificate where the manifest says nothing: a person publishes a record,
/// and Google itself gives up at some time.
const PATIENCE: Duration = Duration::from_hours(30 * 24);

/// Where the rotation stands, and the next call.
pub(super) fn change(scene: &Scene<'_>) -> Procedure {
    let seen = Seen::read(scene.live.map(|present| &present.raw)).own(scene.name, scene.adopted);
    if let Some(content) = Content::of(scene.declared) {
        return Rotation::new(scene, content, seen).procedure();
    }
    // No content is no wish for a removal.
    Procedure {
        steps: vec!["create".to_owned()],
        at: 0,
        marks: Vec::new(),
        object: None,
        next: broken(
            Reason::InvalidSpec,
            "the manifest has no managed.domains".to_owned(),
        ),
    }
}

struct Rotation<'a> {
    scene: &'a Scene<'a>,
    content: Content,
    slots: Vec<Slot>,
    seen: Seen,
    /// The certificate that shall serve: its name, and itself once it exists.
    name: String,
    target: Option<Member>,
}

/// What a step does, and its next call or wait; `None` when it is done.
type Move = (String, Option<Next>);

impl<'a> Rotation<'a> {
    fn new(scene: &'a Scene<'a>, content: Content, mut seen: Seen) -> Self {
        scene.name.clone_into(&mut seen.family);
        let target = seen.best(&content).cloned();
        let name = match &target {
            Some(member) => member.name.clone(),
            None => fresh_name(&content, scene, &seen),
        };
        Rotation {
            slots: Slot::all(scene.declared),
            scene,
            content,
            seen,
            name,
            target,
        }
    }

    fn procedure(&self) -> Procedure {
        let moves = self.moves();
        let first = moves.iter().position(|(_, next)| next.is_some());
        let at = first.unwrap_or(moves.len());
        let next = moves.get(at).and_then(|(_, next)| next.clone());
        let marks = if self.is_serving() {
            vec![SERVING.to_owned()]
        } else {
            Vec::new()
        };
        Procedure {
            steps: moves.into_iter().map(|(text, _)| text).collect(),
            at,
            marks,
            object: None,
            // Nothing is begun that cannot be brought to its end.
            next: self.refusal().or(next).unwrap_or(Next::Done),
        }
    }

    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for domain in self.content.bases() {
            let text = format!("authorize {domain} if it is not yet");
            moves.push((text, self.authorize(&domain)));
        }
        moves.push((format!("create {}", self.name), self.create()));
        moves.push((
            format!("wait until {} is ACTIVE", self.name),
            self.wait_active(),
        ));
        for map in self.maps() {
            let is_there = self.seen.maps.iter().any(|(name, _)| *name == map);
            let next = (!is_there).then(|| calls::make_map(&map));
            moves.push((
                format!("create certificate map {map} if it is missing"),
                next,
            ));
        }
        for slot in &self.slots {
            moves.push((format!("point {slot} at {}", self.name), self.point(slot)));
        }
        // One that never served is missed by nobody, and one that stays waits for nobody.
        if self.removable().iter().any(|old| old.is_issued()) {
            let text = format!("hold for {}", HumanDuration(self.scene.bake));
            moves.push((text, self.hold()));
        }
        for old in self.removable() {
            let next = calls::delete_certificate(&old.name);
            moves.push((format!("delete {}", old.name), Some(next)));
        }
        for idle in self.idle_authorizations() {
            let next = calls::delete_authorization(&idle.name);
            moves.push((
                format!("delete the authorization of {}", idle.domain),
                Some(next),
            ));
        }
        moves
    }

    fn authorize(&self, domain: &str) -> Option<Next> {
        let proved = self.target.is_some() || self.seen.proof_of(domain, &self.content).is_some();
        (!proved).then(|| calls::authorize(self.scene.name, domain, &self.content))
    }

    fn create(&self) -> Option<Next> {
        if self.target.is_some() {
            return None;
        }
        if let Some(broken) = self.gave_up() {
            return Some(broken);
        }
        Some(calls::certify(
            self.scene.name,
            &self.name,
            &self.content,
            &self.proofs(),
        ))
    }

    /// The authorizations that a new certificate names.
    fn proofs(&self) -> Vec<&Authorization> {
        let bases = self.content.bases();
        let proofs = bases.iter();
        proofs
            .filter_map(|domain| self.seen.proof_of(domain, &self.content))
            .collect()
    }

    /// Google gave up on a certificate that was never issued: once for each attempt that a person
    /// asks for.
    fn gave_up(&self) -> Option<Next> {
        let lost: Vec<&Member> = lost(&self.seen, &self.content).collect();
        if lost.len() <= self.scene.failed {
            return None;
        }
        let newest = lost.last()?;
        Some(Next::Broken {
            reason: Reason::VerifyFailed,
            message: format!("Google gave up: {}", trouble::tell(&self.seen, newest)),
        })
    }

    fn wait_active(&self) -> Option<Next> {
        // One that serves and is about to be renewed goes on serving; nothing new is pointed at it.
        let target = self.target.as_ref().filter(|target| !target.is_active())?;
        if self.is_serving() {
            return None;
        }
        Some(Next::Wait {
            message: trouble::tell(&self.seen, target),
            limit: Some(PATIENCE),
        })
    }

    fn point(&self, slot: &Slot) -> Option<Next> {
        let target = self.target.as_ref().filter(|target| target.is_active());
        let entry = self.seen.entry(slot);
        if entry.is_some_and(|entry| self.is_pointed(entry)) {
            return None;
        }
        let Some(target) = target else {
            // Only said where an earlier step is under way.
            return Some(Next::Wait {
                message: format!("{} is not ACTIVE yet", self.name),
                limit: Some(PATIENCE),
            });
        };
        Some(match entry {
            None => calls::make_entry(self.scene.name, slot, target),
            Some(entry) => calls::point(entry, &self.list_for(entry, target)),
        })
    }

    /// The target first, and what others put there.
    fn list_for(&self, entry: &Entry, target: &Member) -> Vec<String> {
        let others = entry.certificates.iter();
        let others = others.filter(|name| !self.seen.is_member(&super::live::short(name)));
        std::iter::once(&target.full_name)
            .chain(others)
            .cloned()
            .collect()
    }

    /// The entry has the target, and no other member of the family.
    fn is_pointed(&self, entry: &Entry) -> bool {
        entry.has(&self.name) && !self.old().any(|old| entry.has(&old.name))
    }

    fn hold(&self) -> Option<Next> {
        let since = self.scene.since.get(SERVING);
        let since = since.copied().unwrap_or(self.scene.now);
        let until = since.checked_add(self.scene.bake).unwrap_or(Timestamp::MAX);
        if until <= self.scene.now {
            return None;
        }
        let message = format!("{} serves; the old ones stay until {until:.0}", self.name);
        Some(Next::Hold { message, until })
    }

    /// What stands in the way from the start.
    fn refusal(&self) -> Option<Next> {
        self.slots.iter().find_map(|slot| {
            let entry = self.seen.entry(slot)?;
            if !self.is_ours(entry) && !self.scene.adopt {
                let message = format!(
                    "entry {} of map {} serves {} with {}, and evenkeel does not own it; set \
                     adopt: true to add the new certificate to it, or delete it",
                    entry.name,
                    slot.map,
                    slot.host,
                    entry.short_names().collect::<Vec<_>>().join(", ")
                );
                return Some(broken(Reason::AlreadyExists, message));
            }
            let others = entry.short_names().filter(|name| !self.seen.is_member(name));
            let others: Vec<String> = others.collect();
            (others.len() >= ENTRY_LIMIT).then(|| {
                let message = format!(
                    "entry {} of map {} has {}, and GCP allows {ENTRY_LIMIT} certificates; take one \
                     away that no longer serves",
                    entry.name,
                    slot.map,
                    others.join(", ")
                );
                broken(Reason::InvalidSpec, message)
            })
        })
    }

    /// Made for this family, attached by it before, or serving it.
    fn is_ours(&self, entry: &Entry) -> bool {
        base_of(&entry.name) == self.scene.name
            || self.scene.applied.contains_key(&entry.slot.field())
            || entry.short_names().any(|name| self.seen.is_member(&name))
    }

    fn maps(&self) -> Vec<String> {
        let mut maps: Vec<String> = self.slots.iter().map(|slot| slot.map.clone()).collect();
        maps.sort();
        maps.dedup();
        maps
    }

    /// The target serves wherever it is declared to, and nothing old does.
    fn is_serving(&self) -> bool {
        let pointed = |slot: &Slot| {
            let entry = self.seen.entry(slot);
            entry.is_some_and(|entry| self.is_pointed(entry))
        };
        self.target.as_ref().is_some_and(Member::is_usable) && self.slots.iter().all(pointed)
    }

    /// The members of the family that are no longer wanted.
    fn old(&self) -> impl Iterator<Item = &Member> {
        let old = |member: &&Member| member.name != self.name;
        self.seen.members.iter().filter(old)
    }

    /// Old certificates that nothing uses, but for the entries about to be pointed elsewhere.
    fn removable(&self) -> Vec<&Member> {
        let elsewhere = |entry: &Entry| !self.slots.contains(&entry.slot);
        let used = |member: &Member| {
            !member.other_users.is_empty() || self.seen.entries_with(&member.name).any(elsewhere)
        };
        self.old().filter(|member| !used(member)).collect()
    }

    /// Authorizations that were made for this family and prove nothing any more.
    fn idle_authorizations(&self) -> Vec<&Authorization> {
        let going: Vec<&str> = self
            .removable()
            .iter()
            .map(|old| old.name.as_str())
            .collect();
        let needed = |own: &Authorization| match &self.target {
            Some(target) => target.authorizations.contains(&own.name),
            None => self.proofs().iter().any(|proof| proof.name == own.name),
        };
        let idle = |own: &&Authorization| {
            own.is_of(self.scene.name)
                && !needed(own)
                && own.users.iter().all(|user| going.contains(&user.as_str()))
        };
        self.seen.authorizations.iter().filter(idle).collect()
    }
}

fn broken(reason: Reason, message: String) -> Next {
    Next::Broken { reason, message }
}

/// Certificates with this content that Google gave up on before it issued them.
fn lost<'s>(seen: &'s Seen, content: &'s Content) -> impl Iterator<Item = &'s Member> {
    let lost =
        |member: &&Member| member.is_lost() && !member.is_issued() && seen.fits(member, content);
    seen.members.iter().filter(lost)
}

/// A name that no member has, the same each time it is asked for.
fn fresh_name(content: &Content, scene: &Scene<'_>, seen: &Seen) -> String {
    let name = |round| content.name(scene.name, scene.attempt, round);
    let rounds = 0..seen.members.len();
    let free = |name: &String| !seen.is_member(name);
    let found = rounds.map(name).find(free);
    found.unwrap_or_else(|| name(seen.members.len()))
}
