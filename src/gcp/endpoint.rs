//! Where each API is: the base addresses, and the rules for overriding them.
//!
//! Invariant: an address carries no user info, no query and no fragment; plain http is for
//! loopback hosts, and for emulators, which get no credentials: a token never leaves in the clear.

use std::collections::BTreeMap;
use url::{Host, Url};

/// The APIs evenkeel calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Serverless VPC Access, `vpcaccess.googleapis.com`.
    VpcAccess,
    /// Compute Engine, `compute.googleapis.com`.
    Compute,
    /// Certificate Manager, `certificatemanager.googleapis.com`.
    CertificateManager,
    /// Secret Manager, `secretmanager.googleapis.com`.
    SecretManager,
    /// Cloud Run, `run.googleapis.com`.
    Run,
    /// Cloud SQL Admin, `sqladmin.googleapis.com`.
    SqlAdmin,
    /// Cloud Monitoring, `monitoring.googleapis.com`.
    Monitoring,
    /// Cloud Logging, `logging.googleapis.com`.
    Logging,
}

impl Api {
    /// Every API.
    pub const ALL: &'static [Api] = &[
        Api::VpcAccess,
        Api::Compute,
        Api::CertificateManager,
        Api::SecretManager,
        Api::Run,
        Api::SqlAdmin,
        Api::Monitoring,
        Api::Logging,
    ];

    /// Short name, as in configuration, metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Api::VpcAccess => "vpcaccess",
            Api::Compute => "compute",
            Api::CertificateManager => "certificatemanager",
            Api::SecretManager => "secretmanager",
            Api::Run => "run",
            Api::SqlAdmin => "sqladmin",
            Api::Monitoring => "monitoring",
            Api::Logging => "logging",
        }
    }

    /// The inverse of [`Api::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Api> {
        Api::ALL.iter().copied().find(|api| api.as_str() == text)
    }

    /// Google's own address.
    fn base(self) -> &'static str {
        match self {
            Api::VpcAccess => "https://vpcaccess.googleapis.com/",
            Api::Compute => "https://compute.googleapis.com/",
            Api::CertificateManager => "https://certificatemanager.googleapis.com/",
            Api::SecretManager => "https://secretmanager.googleapis.com/",
            Api::Run => "https://run.googleapis.com/",
            Api::SqlAdmin => "https://sqladmin.googleapis.com/",
            Api::Monitoring => "https://monitoring.googleapis.com/",
            Api::Logging => "https://logging.googleapis.com/",
        }
    }
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("not an address: {0}")]
    Unreadable(String),
    #[error("an endpoint has a host")]
    NoHost,
    #[error("an endpoint carries no user name or password")]
    UserInfo,
    #[error("an endpoint carries no query and no fragment")]
    Query,
    #[error("{0}: use https (plain http is for loopback hosts)")]
    Plain(String),
    #[error("{0} is Google's: an emulator lives elsewhere")]
    Google(String),
}

/// A checked base address: https, or http on this machine. Its path ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(Url);

impl Base {
    /// Checks an override such as `https://vpcaccess.p.googleapis.com` or
    /// `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// See [`EndpointError`]. The text itself is not repeated: it may hold a password.
    pub fn parse(text: &str) -> Result<Base, EndpointError> {
        Self::checked(text, false)
    }

    fn checked(text: &str, plain_anywhere: bool) -> Result<Base, EndpointError> {
        let mut url =
            Url::parse(text).map_err(|error| EndpointError::Unreadable(error.to_string()))?;
        let host = url.host_str().ok_or(EndpointError::NoHost)?.to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        match url.scheme() {
            "https" => {}
            "http" if plain_anywhere || is_loopback(&host) => {}
            _ => return Err(EndpointError::Plain(host)),
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Base(url))
    }

    /// True for Google's own hosts.
    #[must_use]
    pub fn is_google(&self) -> bool {
        self.0.host_str().is_some_and(|host| {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            ["googleapis.com", "google.com"]
                .iter()
                .any(|zone| host == *zone || host.ends_with(&format!(".{zone}")))
        })
    }

    /// The address of a call: `path` is percent-encoded and has no leading `/`.
    fn join(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// The address of an emulator: never Google's, so it may be called without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorBase(Base);

impl EmulatorBase {
    /// Checks the address of an emulator. `plain_anywhere` also allows plain http to other hosts,
    /// such as an emulator in another container; no credentials go there.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn parse(text: &str, plain_anywhere: bool) -> Result<EmulatorBase, EndpointError> {
        let base = Base::checked(text, plain_anywhere)?;
        if base.is_google() {
            let host = base.0.host_str().unwrap_or_default();
            return Err(EndpointError::Google(host.to_owned()));
        }
        Ok(EmulatorBase(base))
    }

    /// All APIs at this emulator. Not public: these endpoints go with no credentials only.
    pub(super) fn endpoints(self) -> Endpoints {
        Endpoints::all_at(self.0)
    }
}

/// True for `localhost`, 127.0.0.0/8 and `::1`, with or without brackets.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost" || name == "localhost.",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

/// The base address of every API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints {
    every: Option<Base>,
    each: BTreeMap<Api, Base>,
}

impl Endpoints {
    /// Google's public addresses.
    #[must_use]
    pub fn google() -> Self {
        Self::default()
    }

    /// One base for all APIs.
    #[must_use]
    pub fn all_at(base: Base) -> Self {
        Endpoints {
            every: Some(base),
            each: BTreeMap::new(),
        }
    }

    /// Another base for one API.
    #[must_use]
    pub fn with(mut self, api: Api, base: Base) -> Self {
        self.each.insert(api, base);
        self
    }

    /// True where the calls of this API go to Google.
    #[must_use]
    pub fn is_google(&self, api: Api) -> bool {
        match self.overridden(api) {
            Some(base) => base.is_google(),
            None => true,
        }
    }

    /// The address of a call: `path` is percent-encoded and has no leading `/`.
    ///
    /// # Errors
    /// Only when a built-in address is unreadable, which a test rules out.
    pub fn url(&self, api: Api, path: &str, query: &[(&str, &str)]) -> Result<Url, EndpointError> {
        match self.overridden(api) {
            Some(base) => Ok(base.join(path, query)),
            None => Base::parse(api.base()).map(|base| base.join(path, query)),
        }
    }

    fn overridden(&self, api: Api) -> Option<&Base> {
        self.each.get(&api).or(self.every.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_address_is_googles_and_readable() {
        for api in Api::ALL {
            let base = Base::parse(api.base()).unwrap();
            assert!(base.is_google());
            assert_eq!(Api::parse(api.as_str()), Some(*api));
        }
    }

    #[test]
    fn overrides_are_checked() {
        use EndpointError as E;
        let cases: &[(&str, Result<&str, E>)] = &[
            ("http://127.0.0.1:80", Ok("http://127.0.0.1/")),
            ("http://localhost:8080/a", Ok("http://localhost:8080/a/")),
            ("http://[::1]:8080", Ok("http://[::1]:8080/")),
            (
                "https://x.p.googleapis.com",
                Ok("https://x.p.googleapis.com/"),
            ),
            ("http://emulator:80", Err(E::Plain("emulator".into()))),
            (
                "http://127.0.0.1.evil.com",
                Err(E::Plain("127.0.0.1.evil.com".into())),
            ),
            ("ftp://127.0.0.1", Err(E::Plain("127.0.0.1".into()))),
            ("https://u:p@h/", Err(E::UserInfo)),
            ("https://u@h/", Err(E::UserInfo)),
            ("https://h/?a=b", Err(E::Query)),
            ("https://h/#a", Err(E::Query)),
            ("unix:/x", Err(E::NoHost)),
        ];
        for (text, want) in cases {
            let got = Base::parse(text).map(|b| b.to_string());
            assert_eq!(got.as_deref(), want.as_ref().copied(), "{text}");
        }
        assert!(matches!(Base::parse("nonsense"), Err(E::Unreadable(_))));
    }

    #[test]
    fn an_emulator_is_not_google() {
        let parse = EmulatorBase::parse;
        assert!(parse("http://127.0.0.1:80", false).is_ok());
        assert!(parse("http://emulator:80", true).is_ok());
        assert!(parse("http://emulator:80", false).is_err());
        assert!(parse("ftp://emulator:80", true).is_err());
        for host in [
            "vpcaccess.googleapis.com",
            "GOOGLEAPIS.com",
            "a.google.com.",
            "google.com",
        ] {
            for scheme in ["http", "https"] {
                let got = parse(&format!("{scheme}://{host}"), true);
                assert!(matches!(got, Err(EndpointError::Google(_))), "{host}");
            }
        }
    }

    #[test]
    fn joins_paths_and_queries() {
        let base = Base::parse("http://127.0.0.1:9/pre").unwrap();
        let url = Endpoints::all_at(base)
            .url(
                Api::VpcAccess,
                "v1/a%2Fb",
                &[("updateMask", "a,b"), ("q", "x&y")],
            )
            .unwrap();
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:9/pre/v1/a%2Fb?updateMask=a%2Cb&q=x%26y"
        );
        let url = Endpoints::google()
            .url(Api::VpcAccess, "v1/x", &[])
            .unwrap();
        assert_eq!(url.as_str(), "https://vpcaccess.googleapis.com/v1/x");
    }

    #[test]
    fn one_api_wins_over_all() {
        let at = |text| Base::parse(text).unwrap();
        let endpoints = Endpoints::all_at(at("http://127.0.0.1:1"))
            .with(Api::VpcAccess, at("https://vpcaccess.googleapis.com."));
        assert!(endpoints.is_google(Api::VpcAccess));
        assert!(!Endpoints::all_at(at("https://notgoogle.com")).is_google(Api::VpcAccess));
        assert!(!Endpoints::all_at(at("https://evilgoogleapis.com")).is_google(Api::VpcAccess));
    }
}
