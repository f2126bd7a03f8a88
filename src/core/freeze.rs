//! Freeze windows: times in which no step starts. Going back never waits for one.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// A time in which nothing new is begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Freeze {
    pub name: String,
    pub when: When,
}

/// When a freeze holds.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Once, from the first moment up to the second.
    Once { from: Timestamp, to: Timestamp },
    /// Every day from one time to another, over midnight where that is earlier.
    Daily {
        from: Time,
        to: Time,
        zone: TimeZone,
    },
    /// Every week from one time to another, over the weekend where that is earlier.
    Weekly {
        from: (Weekday, Time),
        to: (Weekday, Time),
        zone: TimeZone,
    },
}

impl When {
    /// Reads `2026-12-24T00:00:00Z`, `22:00` or `Fri 16:00`; both ends in the same form.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn parse(from: &str, to: &str, zone: TimeZone) -> Result<When, String> {
        match (Edge::parse(from)?, Edge::parse(to)?) {
            (Edge::Moment(from), Edge::Moment(to)) if from < to => Ok(When::Once { from, to }),
            (Edge::Moment(_), Edge::Moment(_)) => Err(format!("`{from}` is not before `{to}`")),
            (Edge::Day(from), Edge::Day(to)) if from != to => Ok(When::Daily { from, to, zone }),
            (Edge::Week(from), Edge::Week(to)) if from != to => Ok(When::Weekly { from, to, zone }),
            (Edge::Day(_), Edge::Day(_)) | (Edge::Week(_), Edge::Week(_)) => Err(format!(
                "from and to are both `{from}`; set mode: Observe to write nothing"
            )),
            _ => Err(format!(
                "`{from}` and `{to}` are not of the same form; write both as 22:00, as Fri 16:00, \
                 or as 2026-12-24T00:00:00Z"
            )),
        }
    }

    /// The end of the freeze that holds now.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            When::Once { from, to } => (*from <= now && now < *to).then_some(*to),
            When::Daily { from, to, zone } => {
                let local = now.to_zoned(zone.clone());
                ends(&local, *from, *to, next_daily)
            }
            When::Weekly { from, to, zone } => {
                let local = now.to_zoned(zone.clone());
                ends(&local, *from, *to, next_weekly)
            }
        }
    }
}

/// The freeze that holds now and the end of it; of several, the one that ends last.
#[must_use]
pub fn frozen(freezes: &[Freeze], now: Timestamp) -> Option<(&Freeze, Timestamp)> {
    let held = freezes
        .iter()
        .filter_map(|freeze| Some((freeze, freeze.when.until(now)?)));
    held.max_by_key(|(_, until)| *until)
}

/// Inside a window that comes again: its next end is nearer than its next start.
fn ends<T: Copy>(
    now: &Zoned,
    from: T,
    to: T,
    next: impl Fn(&Zoned, T) -> Option<Timestamp>,
) -> Option<Timestamp> {
    let (start, end) = (next(now, from)?, next(now, to)?);
    (end < start).then_some(end)
}

/// The next moment after now at this time of day.
fn next_daily(now: &Zoned, time: Time) -> Option<Timestamp> {
    (0..=1).find_map(|days| at(now, days, time).filter(|moment| *moment > now.timestamp()))
}

fn next_weekly(now: &Zoned, (day, time): (Weekday, Time)) -> Option<Timestamp> {
    let days = i64::from(now.weekday().until(day));
    [days, days + 7]
        .into_iter()
        .find_map(|days| at(now, days, time).filter(|moment| *moment > now.timestamp()))
}

fn at(now: &Zoned, days: i64, time: Time) -> Option<Timestamp> {
    let date = now.date().checked_add(Span::new().days(days)).ok()?;
    let zoned = date.to_datetime(time).to_zoned(now.time_zone().clone());
    zoned.ok().map(|zoned| zoned.timestamp())
}

enum Edge {
    Moment(Timestamp),
    Day(Time),
    Week((Weekday, Time)),
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Edge {
    fn parse(text: &str) -> Result<Edge, String> {
        let wrong =
            || format!("`{text}` is no time; write 22:00, Fri 16:00 or 2026-12-24T00:00:00Z");
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Edge::Moment(moment));
        }
        let Some((day, time)) = text.trim().split_once(' ') else {
            return clock(text).map(Edge::Day).ok_or_else(wrong);
        };
        let day = day.to_lowercase();
        let named = |name: &str| day.len() >= 3 && day.starts_with(name);
        let weekday = DAYS
            .iter()
            .find(|(name, _)| named(name))
            .map(|(_, day)| *day);
        match (weekday, clock(time)) {
            (Some(day), Some(time)) => Ok(Edge::Week((day, time))),
            _ => Err(wrong()),
        }
    }
}

/// `16:00`.
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(from: &str, to: &str, zone: &str, now: &str) -> Option<String> {
        let when = When::parse(from, to, TimeZone::get(zone).unwrap()).unwrap();
        let end = when.until(now.parse().unwrap());
        end.map(|end| end.to_string())
    }

    #[test]
    fn a_weekend_in_local_time() {
        // Friday 2026-11-20. Berlin is an hour ahead of UTC in November.
        let weekend = |now| until("Fri 16:00", "Mon 08:00", "Europe/Berlin", now);
        assert_eq!(weekend("2026-11-20T14:59:59Z"), None);
        let end = Some("2026-11-23T07:00:00Z".to_owned());
        assert_eq!(weekend("2026-11-20T15:00:00Z"), end);
        assert_eq!(weekend("2026-11-22T12:00:00Z"), end);
        assert_eq!(weekend("2026-11-23T06:59:59Z"), end);
        assert_eq!(weekend("2026-11-23T07:00:00Z"), None);
    }

    #[test]
    fn a_night_over_the_change_of_clocks() {
        let night = |now| until("22:00", "06:00", "Europe/Berlin", now);
        // The night of 2026-10-25 has an hour more.
        assert_eq!(night("2026-10-24T19:59:00Z"), None);
        let end = Some("2026-10-25T05:00:00Z".to_owned());
        assert_eq!(night("2026-10-24T20:00:00Z"), end);
        assert_eq!(night("2026-10-25T04:59:00Z"), end);
        assert_eq!(night("2026-10-25T05:00:00Z"), None);
    }

    #[test]
    fn once_and_the_longest_of_several() {
        let one = |name: &str, from, to| Freeze {
            name: name.to_owned(),
            when: When::parse(from, to, TimeZone::UTC).unwrap(),
        };
        let all = [
            one("launch", "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z"),
            one("lunch", "12:00", "13:00"),
        ];
        let now = "2026-11-23T12:30:00Z".parse().unwrap();
        assert_eq!(frozen(&all, now).unwrap().0.name, "launch");
        let later = "2026-11-26T12:30:00Z".parse().unwrap();
        assert_eq!(frozen(&all, later).unwrap().0.name, "lunch");
        assert!(frozen(&all, "2026-11-26T13:00:00Z".parse().unwrap()).is_none());
    }

    #[test]
    fn what_is_no_window_is_said() {
        for (from, to) in [
            ("16", "18:00"),
            ("25:00", "18:00"),
            ("Fri 16:00", "18:00"),
            ("Fry 16:00", "Mon 8:00"),
            ("10:00", "10:00"),
            ("2026-12-24T00:00:00Z", "2026-12-23T00:00:00Z"),
        ] {
            assert!(When::parse(from, to, TimeZone::UTC).is_err(), "{from} {to}");
        }
    }
}
