//! Where a resource lives: in a project, globally or in one region or zone.

use crate::emulator::locations::REGIONS;
use crate::emulator::route::Route;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    Global,
    Region(String),
    Zone(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub project: String,
    pub scope: Scope,
}

impl Place {
    pub fn of(route: &Route) -> Self {
        let scope = match (route.var("region"), route.var("zone")) {
            ("", "") => Scope::Global,
            ("", zone) => Scope::Zone(zone.to_owned()),
            (region, _) => Scope::Region(region.to_owned()),
        };
        Self {
            project: route.project().to_owned(),
            scope,
        }
    }

    /// The place of a resource with this relative name.
    pub fn of_name(name: &str) -> Self {
        let parsed = Name::parse(name);
        let scope = match parsed.as_ref().and_then(|name| name.scope.split_once('/')) {
            Some(("regions", region)) => Scope::Region(region.to_owned()),
            Some((_, zone)) => Scope::Zone(zone.to_owned()),
            None => Scope::Global,
        };
        let project = parsed.map_or("", |name| name.project).to_owned();
        Self { project, scope }
    }

    /// `projects/p/regions/r`
    pub fn name(&self) -> String {
        format!("projects/{}/{}", self.project, self.scope.name())
    }

    pub fn is_global(&self) -> bool {
        self.scope == Scope::Global
    }
}

impl Scope {
    /// As aggregated lists name it: `global`, `regions/r`, `zones/z`.
    pub fn name(&self) -> String {
        match self {
            Self::Global => "global".to_owned(),
            Self::Region(region) => format!("regions/{region}"),
            Self::Zone(zone) => format!("zones/{zone}"),
        }
    }
}

/// A relative name in its parts: `projects/p/regions/r/healthChecks/h`.
pub(super) struct Name<'a> {
    pub project: &'a str,
    /// See [`Scope::name`].
    pub scope: &'a str,
    pub collection: &'a str,
}

impl<'a> Name<'a> {
    pub fn parse(name: &'a str) -> Option<Self> {
        let (project, rest) = name.strip_prefix("projects/")?.split_once('/')?;
        let (place, _id) = rest.rsplit_once('/')?;
        let (scope, collection) = place.rsplit_once('/')?;
        Some(Self {
            project,
            scope,
            collection,
        })
    }

    /// `region` or `zone` and its relative name, for the field that says so.
    pub fn place_field(&self) -> Option<(&'static str, String)> {
        let field = match self.scope.split_once('/')?.0 {
            "regions" => "region",
            _ => "zone",
        };
        Some((field, format!("projects/{}/{}", self.project, self.scope)))
    }
}

const ZONES: [&str; 3] = ["a", "b", "c"];

/// The scopes that an aggregated list tells of; zones only when it tells of every scope.
pub(super) fn scopes(with_zones: bool) -> Vec<String> {
    let mut scopes = vec!["global".to_owned()];
    scopes.extend(REGIONS.iter().map(|region| format!("regions/{region}")));
    if with_zones {
        scopes.extend(REGIONS.iter().flat_map(|region| {
            ZONES
                .iter()
                .map(move |letter| format!("zones/{region}-{letter}"))
        }));
    }
    scopes
}

pub(super) fn is_region(region: &str) -> bool {
    REGIONS.contains(&region)
}

pub(super) fn is_zone(zone: &str) -> bool {
    zone.rsplit_once('-')
        .is_some_and(|(region, letter)| is_region(region) && ZONES.contains(&letter))
}
