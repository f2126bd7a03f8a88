//! Spellings of one value: durations, CPU and memory.

/// A google-duration: `600s`, `600.0s` and `600.000s` are one.
pub(super) fn duration(text: &str) -> String {
    match text
        .strip_suffix('s')
        .and_then(|number| number.split_once('.'))
    {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => format!("{whole}s"),
            fraction => format!("{whole}.{fraction}s"),
        },
        None => text.to_owned(),
    }
}

/// Seconds of a google-duration.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// A CPU quantity: `1000m` is `1`.
pub(super) fn cpu(text: &str) -> String {
    match text
        .strip_suffix('m')
        .and_then(|milli| milli.parse::<u64>().ok())
    {
        Some(milli) if milli % 1000 == 0 => (milli / 1000).to_string(),
        _ => text.to_owned(),
    }
}

/// A memory quantity in the largest binary unit that holds it whole: `1024Mi` is `1Gi`.
pub(super) fn memory(text: &str) -> String {
    let split = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(split.unwrap_or(text.len()));
    let scale = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return text.to_owned(),
    };
    let Some(bytes) = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(scale))
    else {
        return text.to_owned();
    };
    let units = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let whole = units
        .iter()
        .find(|(_, size)| bytes >= *size && bytes % size == 0);
    whole.map_or_else(
        || bytes.to_string(),
        |(unit, size)| format!("{}{unit}", bytes / size),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_one_spelling() {
        assert_eq!(duration("600.000s"), "600s");
        assert_eq!(duration("0.50s"), "0.5s");
        assert_eq!(seconds("3600s"), Some(3600.0));
        assert_eq!(seconds("10m"), None);
        assert_eq!((cpu("2000m").as_str(), cpu("500m").as_str()), ("2", "500m"));
        assert_eq!(memory("1024Mi"), "1Gi");
        assert_eq!(memory("1.5Gi"), "1.5Gi");
        assert_eq!(memory("1536Mi"), "1536Mi");
        assert_eq!(memory("512M"), "500000Ki");
    }
}
