//! Target HTTPS proxies, as far as certificates are concerned.

use serde_json::Value;

/// A proxy and its certificates.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub name: String,
    /// Short names, in the proxy's order: the first is the primary one.
    pub certificates: Vec<String>,
    urls: Vec<String>,
    /// Base of certificate links in the proxy's scope.
    base: String,
    pub fingerprint: Value,
    pub certificate_map: bool,
}

impl Proxy {
    pub fn read(raw: &Value) -> Option<Proxy> {
        let text = |field: &str| raw.get(field).and_then(Value::as_str);
        let list = raw.get("sslCertificates").and_then(Value::as_array);
        let urls: Vec<String> = list
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let link = text("selfLink").unwrap_or_default();
        Some(Proxy {
            name: text("name")?.to_owned(),
            certificates: urls.iter().map(|url| short(url).to_owned()).collect(),
            urls,
            base: link
                .split("/targetHttpsProxies/")
                .next()
                .unwrap_or_default()
                .to_owned(),
            fingerprint: raw.get("fingerprint").cloned().unwrap_or(Value::Null),
            certificate_map: text("certificateMap").is_some_and(|map| !map.is_empty()),
        })
    }

    /// The link of a certificate: as the proxy has it, or made in the proxy's own scope.
    pub fn url_of(&self, name: &str) -> String {
        let known = self.urls.iter().find(|url| short(url) == name);
        known
            .cloned()
            .unwrap_or_else(|| format!("{}/sslCertificates/{name}", self.base))
    }
}

fn short(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}
