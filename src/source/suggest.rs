//! Words for messages: quoting what was written, and what may have been meant.

/// Longest piece of input that a message repeats, in characters.
const QUOTED: usize = 60;

/// Input in backquotes: bounded, and without control characters that a terminal would obey.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == QUOTED {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

/// The known word nearest to `word`, when it is near enough to be a slip.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            (strsim::damerau_levenshtein(&lower, &other), *candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?`, or the list of what is known.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_word_and_others_do_not() {
        let known = ["minInstances", "maxInstances", "network"];
        assert_eq!(nearest("maxInstance", &known), Some("maxInstances"));
        assert_eq!(nearest("max_instances", &known), Some("maxInstances"));
        assert_eq!(nearest("MAXINSTANCES", &known), Some("maxInstances"));
        assert_eq!(nearest("throughput", &known), None);
    }

    #[test]
    fn quotes_are_short_and_harmless() {
        assert_eq!(quote("a\u{1b}[31m"), "`a\\u{1b}[31m`");
        assert!(quote(&"x".repeat(5000)).chars().count() < 70);
    }
}
