//! The rotation: create beside, attach, wait until it serves, let it hold, detach, delete.
//!
//! Invariant: an old certificate leaves a proxy only when the new one is ACTIVE and on that proxy.
//! Everything is told from what is live, so a rotation goes on from wherever it was left.

use super::family::{Content, Member};
use super::proxy::Proxy;
use super::{certificates_field, proxy_field};
use crate::api::Reason;
use crate::core::fields::Fields;
use crate::core::procedure::{Call, Next, Procedure, Scene};
use crate::core::record::Verb;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// Most classic certificates on one proxy. Source: compute v1, `setSslCertificates`.
const PROXY_LIMIT: usize = 15;
/// Certificates that may fail for good before evenkeel stops making new ones.
const ROUNDS: usize = 3;
/// How long provisioning may take where the manifest says nothing: Google says up to 60 minutes.
const PROVISIONING: Duration = Duration::from_mins(90);
/// The mark that must hold for the bake.
const SERVING: &str = "serving";
/// The mark that holds as long as the attempt: what was lost before it does not count against it.
const BEGAN: &str = "began";

/// Where the rotation stands, and the next call.
pub(super) fn change(scene: &Scene<'_>) -> Procedure {
    match Rotation::new(scene) {
        Some(rotation) => rotation.procedure(),
        None => without_content(),
    }
}

/// No content is no wish for a removal.
fn without_content() -> Procedure {
    let message = "the manifest has neither managed.domains nor selfManaged".to_owned();
    Procedure {
        steps: vec!["create".to_owned()],
        at: 0,
        marks: Vec::new(),
        object: None,
        next: Next::Broken {
            reason: Reason::InvalidSpec,
            message,
        },
    }
}

/// Deletes what no proxy uses, and waits for the rest.
pub(super) fn removal(scene: &Scene<'_>) -> Procedure {
    let members = own_members(scene);
    let proxies = super::proxies(scene.live.map(|present| &present.raw));
    let users = |member: &Member| -> Vec<String> {
        let using = proxies
            .iter()
            .filter(|proxy| proxy.certificates.contains(&member.name));
        using.map(|proxy| proxy.name.clone()).collect()
    };
    let free = members.iter().find(|member| users(member).is_empty());
    let next = match (free, members.first()) {
        (Some(member), _) => delete(member),
        (None, Some(member)) => Next::Wait {
            message: format!(
                "{} is in use by target HTTPS proxies {}; give these another certificate first",
                member.name,
                users(member).join(", ")
            ),
            limit: None,
        },
        (None, None) => Next::Done,
    };
    Procedure {
        steps: vec!["delete".to_owned()],
        at: 0,
        marks: Vec::new(),
        object: None,
        next,
    }
}

/// The certificates that evenkeel may take away again. Others may have a name of the same form:
/// Terraform's `random_id` makes such suffixes too.
fn own_members(scene: &Scene<'_>) -> Vec<Member> {
    let mut members = super::members(scene.live.map(|present| &present.raw));
    members.retain(|member| scene.adopted || member.is_made_for(scene.name));
    members
}

struct Rotation<'a> {
    scene: &'a Scene<'a>,
    content: Content,
    members: Vec<Member>,
    proxies: Vec<Proxy>,
    /// Declared proxies that GCP does not have.
    missing: Vec<String>,
    /// The certificate that shall serve: its name, and itself once it exists.
    name: String,
    target: Option<Member>,
}

impl<'a> Rotation<'a> {
    fn new(scene: &'a Scene<'a>) -> Option<Self> {
        let content = super::content_of(scene.declared)?;
        let members = own_members(scene);
        let declared = super::attach_to(scene.declared);
        let all = super::proxies(scene.live.map(|present| &present.raw));
        let missing = declared
            .iter()
            .filter(|name| !all.iter().any(|p| p.name == **name))
            .cloned()
            .collect();
        let proxies: Vec<_> = all
            .into_iter()
            .filter(|p| declared.contains(&p.name))
            .collect();
        let target = best(&members, &content, &proxies).cloned();
        let lost = members
            .iter()
            .filter(|m| m.content == content && m.is_lost())
            .count();
        let name = match &target {
            Some(member) => member.name.clone(),
            None => fresh_name(&content, scene.name, lost, &members),
        };
        Some(Rotation {
            scene,
            content,
            members,
            proxies,
            missing,
            name,
            target,
        })
    }

    fn procedure(&self) -> Procedure {
        let mut moves = vec![(format!("create {}", self.name), self.create())];
        for proxy in &self.proxies {
            let text = format!("attach {} to {}", self.name, proxy.name);
            moves.push((text, self.attach(proxy)));
        }
        moves.push((
            format!("wait until {} serves", self.name),
            self.wait_active(),
        ));
        let serving_old = || self.proxies.iter().filter(|proxy| self.serves_old(proxy));
        // An old certificate that a proxy of others serves stays: there is nothing to hold for.
        if serving_old().next().is_some() || !self.removable().is_empty() {
            moves.push((
                format!("hold for {}", crate::api::HumanDuration(self.scene.bake)),
                self.soak(),
            ));
        }
        for proxy in serving_old() {
            let text = format!("detach the old certificates from {}", proxy.name);
            moves.push((text, Some(self.detach(proxy))));
        }
        for old in self.removable() {
            moves.push((format!("delete {}", old.name), Some(delete(old))));
        }
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
            marks: self.marks(),
            object: None,
            next,
        }
    }

    fn marks(&self) -> Vec<String> {
        let serving = self.is_serving().then(|| SERVING.to_owned());
        let lost = self.lost().map(lost_mark);
        lost.chain(serving).chain([BEGAN.to_owned()]).collect()
    }

    /// The certificates with this content that failed for good.
    fn lost(&self) -> impl Iterator<Item = &Member> {
        let ours = |m: &&Member| m.content == self.content && m.is_lost();
        self.members.iter().filter(ours)
    }

    /// It failed after the attempt began. A retry is another attempt.
    fn in_this_attempt(&self, member: &Member) -> bool {
        let since = self.scene.since;
        let lost = since.get(&lost_mark(member));
        since
            .get(BEGAN)
            .is_some_and(|began| lost.is_none_or(|lost| lost > began))
    }

    fn create(&self) -> Option<Next> {
        if self.target.is_some() {
            return None;
        }
        let lost = self.lost().filter(|m| self.in_this_attempt(m)).count();
        if lost >= ROUNDS {
            let message = format!(
                "{lost} certificates with this content failed for good; mend the domains, then \
                 `evenkeel rollout retry`"
            );
            return Some(Next::Broken {
                reason: Reason::VerifyFailed,
                message,
            });
        }
        let field = certificates_field(&self.name);
        Some(Next::Call(Box::new(Call {
            verb: Verb::Create,
            object: format!("sslCertificates/{}", self.name),
            body: super::body(self.scene.resource, &self.content, &self.name),
            before: Fields::new(),
            after: [(field, json!("present"))].into(),
        })))
    }

    fn attach(&self, proxy: &Proxy) -> Option<Next> {
        if proxy.certificates.contains(&self.name) {
            return None;
        }
        if proxy.certificate_map {
            let message = format!(
                "proxy {} has a certificate map, which overrides its certificates; take the map \
                 away or use Certificate Manager for this proxy",
                proxy.name
            );
            return Some(Next::Broken {
                reason: Reason::InvalidSpec,
                message,
            });
        }
        if proxy.certificates.len() >= PROXY_LIMIT {
            let message = format!(
                "proxy {} has {} certificates, and GCP allows {PROXY_LIMIT}; detach one that no \
                 longer serves",
                proxy.name,
                proxy.certificates.len()
            );
            return Some(Next::Broken {
                reason: Reason::InvalidSpec,
                message,
            });
        }
        let mut list = proxy.certificates.clone();
        list.push(self.name.clone());
        Some(set_list(proxy, &list))
    }

    fn wait_active(&self) -> Option<Next> {
        if let Some(name) = self.missing.first() {
            let message = format!("the target HTTPS proxy {name} does not exist; waiting for it");
            return Some(Next::Wait {
                message,
                limit: None,
            });
        }
        let target = self.target.as_ref()?;
        if target.is_active() {
            return None;
        }
        let mut message = target.trouble();
        if self.proxies.is_empty() {
            message.push_str("; attachTo is empty, and Google issues only what a proxy serves");
        }
        Some(Next::Wait {
            message,
            limit: Some(PROVISIONING),
        })
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
        let message = format!("{} serves; the old ones stay until {until:.0}", self.name);
        Some(Next::Hold { message, until })
    }

    fn detach(&self, proxy: &Proxy) -> Next {
        let old = self.old();
        let mut list: Vec<String> = vec![self.name.clone()];
        let keep = |name: &&String| **name != self.name && !old.iter().any(|o| o.name == **name);
        list.extend(proxy.certificates.iter().filter(keep).cloned());
        set_list(proxy, &list)
    }

    /// The target is ACTIVE and on every declared proxy.
    fn is_serving(&self) -> bool {
        self.missing.is_empty()
            && self.target.as_ref().is_some_and(Member::is_active)
            && self
                .proxies
                .iter()
                .all(|proxy| proxy.certificates.contains(&self.name))
    }

    /// The members of the family that are no longer wanted.
    fn old(&self) -> Vec<&Member> {
        self.members
            .iter()
            .filter(|member| member.name != self.name)
            .collect()
    }

    fn serves_old(&self, proxy: &Proxy) -> bool {
        self.old()
            .iter()
            .any(|old| proxy.certificates.contains(&old.name))
    }

    /// Old certificates that no proxy at all uses, but for the ones about to be detached.
    fn removable(&self) -> Vec<&Member> {
        let all = super::proxies(self.scene.live.map(|present| &present.raw));
        let declared = |proxy: &Proxy| self.proxies.iter().any(|own| own.name == proxy.name);
        let used = |member: &Member| {
            all.iter()
                .any(|proxy| !declared(proxy) && proxy.certificates.contains(&member.name))
        };
        self.old()
            .into_iter()
            .filter(|member| !used(member))
            .collect()
    }
}

fn lost_mark(member: &Member) -> String {
    format!("lost {}", member.name)
}

/// The proxy's whole list, which is what GCP takes.
fn set_list(proxy: &Proxy, list: &[String]) -> Next {
    let field = proxy_field(&proxy.name);
    Next::Call(Box::new(Call {
        verb: Verb::Patch,
        object: format!("targetHttpsProxies/{}", proxy.name),
        body: json!({
            "sslCertificates": list.iter().map(|name| proxy.url_of(name)).collect::<Vec<_>>(),
            // Somebody else's change in between is a conflict, not a lost update.
            "fingerprint": proxy.fingerprint,
        }),
        before: [(field.clone(), json!(proxy.certificates))].into(),
        after: [(field, json!(list))].into(),
    }))
}

fn delete(old: &Member) -> Next {
    let field = certificates_field(&old.name);
    Next::Call(Box::new(Call {
        verb: Verb::Delete,
        object: format!("sslCertificates/{}", old.name),
        body: Value::Null,
        before: [(field.clone(), json!("present"))].into(),
        after: [(field, Value::Null)].into(),
    }))
}

/// The member to keep: the right content, not lost; one that serves before one that does not, the
/// newest among equals.
fn best<'m>(members: &'m [Member], content: &Content, proxies: &[Proxy]) -> Option<&'m Member> {
    let attached = |member: &Member| {
        proxies
            .iter()
            .filter(|p| p.certificates.contains(&member.name))
            .count()
    };
    members
        .iter()
        .filter(|member| member.content == *content && !member.is_lost())
        .max_by_key(|m| {
            (
                m.is_active(),
                attached(m),
                m.created.clone(),
                m.name.clone(),
            )
        })
}

/// A name that no member has, the same each time it is asked for.
fn fresh_name(content: &Content, base: &str, lost: usize, members: &[Member]) -> String {
    let taken = |name: &String| members.iter().any(|member| member.name == *name);
    (lost..=lost + members.len())
        .map(|round| content.name(base, round))
        .find(|name| !taken(name))
        .unwrap_or_else(|| content.name(base, lost + members.len()))
}
