//! Removes secrets from text that leaves the room.
//!
//! Invariant: what looks like a secret goes, even where that takes harmless text with it. The
//! rules go by shape (token prefixes, PEM, `name=value` with a telling name, user info in
//! addresses), because Google and proxies echo parts of requests in their messages.

/// What stands in for a secret.
const MARK: &str = "[redacted]";

/// Secrets that are known by how they begin, with all the token characters that follow:
/// access tokens, Google API keys, OAuth client secrets, refresh tokens, JSON web tokens.
const PREFIXES: &[&str] = &["ya29.", "AIza", "GOCSPX-", "1//", "eyJ"];

/// Words that announce a secret, in `word=secret`, `word: secret` and `"word": "secret"`.
/// In lower case, separators left out, so that `access_token` and `accessToken` are one.
const NAMES: &[&str] = &[
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "subjecttoken",
    "securitytoken",
    "oauthtoken",
    "token",
    "assertion",
    "clientsecret",
    "secret",
    "privatekey",
    "password",
    "passwd",
    "apikey",
    "authorization",
];

/// Authorization schemes: the word after them is a credential.
const SCHEMES: &[&str] = &["bearer ", "basic "];

/// The text without secrets.
#[must_use]
pub fn redact(text: &str) -> String {
    let text = without_keys(text);
    let text = without_user_info(&text);
    let text = without_prefixed(&text);
    let text = without_schemes(&text);
    without_named(&text)
}

/// PEM private keys, up to their end line or, without one, to the end of the text.
fn without_keys(text: &str) -> String {
    const BEGIN: &str = "-----BEGIN";
    const END: &str = "-----END";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(BEGIN) {
        let after = &rest[at + BEGIN.len()..];
        let end = after.find(END).map_or(after.len(), |end| {
            let tail = end + END.len();
            after[tail..]
                .find("-----")
                .map_or(after.len(), |x| tail + x + 5)
        });
        let (block, next) = after.split_at(end);
        out.push_str(&rest[..at]);
        if block.contains("PRIVATE") || !block.contains("CERTIFICATE") {
            out.push_str(MARK);
        } else {
            out.push_str(BEGIN);
            out.push_str(block);
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

/// `://user:password@host`.
fn without_user_info(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<');
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        // A password may hold an unescaped `@` or `/`; the last one before the next blank counts.
        let word = &after[..after.find(char::is_whitespace).unwrap_or(after.len())];
        let secret = match authority.rfind('@') {
            Some(at) => at,
            None => word
                .rfind('@')
                .filter(|_| authority.contains(':'))
                .unwrap_or(0),
        };
        if secret > 0 {
            out.push_str(MARK);
        }
        rest = &after[secret..];
    }
    out.push_str(rest);
    out
}

fn without_prefixed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = PREFIXES.iter().filter_map(|prefix| rest.find(prefix)).min() {
        out.push_str(&rest[..at]);
        out.push_str(MARK);
        rest = rest[at..].trim_start_matches(is_token_char);
    }
    out.push_str(rest);
    out
}

fn without_schemes(text: &str) -> String {
    // ASCII lower case keeps byte positions.
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(end) = SCHEMES
        .iter()
        .filter_map(|scheme| {
            lower[done..]
                .find(scheme)
                .map(|at| done + at + scheme.len())
        })
        .min()
    {
        out.push_str(&text[done..end]);
        let rest = text[end..].trim_start();
        let left = rest.trim_start_matches(is_token_char);
        if left.len() < rest.len() {
            out.push_str(MARK);
        }
        done = text.len() - left.len();
    }
    out.push_str(&text[done..]);
    out
}

/// Values of telling names. The name is looked for at each `=` and `:`.
fn without_named(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (name, after) = rest.split_at(at + 1);
        out.push_str(name);
        rest = after;
        if is_telling(&out[..out.len() - 1]) {
            let (gap, left) = value_of(after);
            out.push_str(gap);
            if left.len() + gap.len() < after.len() {
                out.push_str(MARK);
            }
            rest = left;
        }
    }
    out.push_str(rest);
    out
}

/// True where `before` ends in a telling name, quoted, escaped or plain.
fn is_telling(before: &str) -> bool {
    let word: String = before
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\'))
        .chars()
        .rev()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(64)
        .collect::<Vec<char>>()
        .into_iter()
        .rev()
        .collect();
    // `key=` is how an API key travels in a query; as a longer word it is harmless.
    word == "key" || NAMES.iter().any(|name| word.ends_with(name))
}

/// Splits what follows a name into the gap before the value and the text behind the value.
fn value_of(text: &str) -> (&str, &str) {
    let gap = |c: char| c == ' ' || matches!(c, '"' | '\'' | '\\');
    let value = text.trim_start_matches(gap);
    let lead = &text[..text.len() - value.len()];
    let quote = lead.chars().rev().find(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => value.find(quote),
        None => value.find(|c: char| c.is_whitespace() || matches!(c, '&' | ',' | ';' | '}' | ')')),
    };
    (lead, &value[end.unwrap_or(value.len())..])
}

/// Characters of tokens: base64, base64url, JWT dots and RFC 6750.
fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_what_people_need() {
        for text in [
            "",
            "The connector is not found.",
            "Permission 'vpcaccess.connectors.get' denied on resource '//vpcaccess.googleapis.com/projects/p/locations/l/connectors/c'",
            "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service",
            "see https://console.developers.google.com/apis/api/x?project=1 then retry",
            "write to a@b.example: it is 10:01",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn says_what_was_removed() {
        assert_eq!(
            redact("Authorization: Bearer abc.def"),
            "Authorization: [redacted] [redacted]"
        );
        assert_eq!(redact("x ya29.a0-b_c, y"), "x [redacted], y");
        assert_eq!(
            redact(r#"{"access_token": "abc d", "a": 1}"#),
            r#"{"access_token": "[redacted]", "a": 1}"#
        );
        assert_eq!(
            redact("https://h/p?key=abc&x=1"),
            "https://h/p?key=[redacted]&x=1"
        );
        assert_eq!(redact("http://u:p@h:1/x"), "http://[redacted]@h:1/x");
    }

    /// The ways a secret appears in text.
    fn disguises(secret: &str) -> Vec<String> {
        vec![
            format!("Authorization: Bearer {secret}"),
            format!("authorization: bearer   {secret}"),
            format!("Basic {secret}"),
            format!("ya29.{secret}"),
            format!("AIza{secret}"),
            format!("GOCSPX-{secret}"),
            format!("1//0{secret}"),
            format!("eyJhbGci.{secret}.sig"),
            format!("\"access_token\":\"{secret}\""),
            format!("\"accessToken\" : \"{secret}\""),
            format!("\\\"refresh_token\\\": \\\"{secret}\\\""),
            format!("client_secret={secret}&x=y"),
            format!("assertion={secret}"),
            format!("'password': '{secret}'"),
            format!("password={secret}"),
            format!("?key={secret}"),
            format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----"),
            format!("-----BEGIN RSA PRIVATE KEY-----\\n{secret}"),
            format!("https://user:{secret}@host/path"),
            format!("postgres://{secret}@host"),
        ]
    }

    proptest! {
        #[test]
        fn no_canary_survives(
            secret in "[A-Za-z0-9_-]{12,60}",
            before in "[ -~]{0,20}[ \n,]",
            between in "[ \n][ -~]{0,20}[ \n]",
            after in "[ \n][ -~\u{e4}]{0,20}",
        ) {
            let mut all = String::new();
            for text in disguises(&secret) {
                let dirty = format!("{before}{text}{after}");
                prop_assert!(!redact(&dirty).contains(&secret), "{}", dirty);
                // A key without an end line swallows the rest, so it stays out of the chain.
                if !text.contains("RSA") {
                    all.push_str(&text);
                    all.push_str(&between);
                }
            }
            prop_assert!(!redact(&all).contains(&secret), "{}", all);
        }

        #[test]
        fn never_panics_and_settles(text in "\\PC{0,200}") {
            let once = redact(&text);
            let _ = redact(&once);
        }
    }
}
