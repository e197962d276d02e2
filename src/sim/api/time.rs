//! Simulated time as the API shows it. Time is counted in microseconds since the cluster
//! was made; the API shows it as RFC 3339 with whole seconds, counted from [`EPOCH`].

use crate::value::{Short, Str};

/// Microseconds in a second.
pub const SECOND: u64 = 1_000_000;
/// Microseconds in a millisecond.
pub const MS: u64 = 1_000;
/// No duration is longer: a century is enough for any lesson, and sums of times stay in range.
pub const LONGEST: u64 = 100 * 365 * 86_400 * SECOND;

/// Seconds as a user wrote them, in microseconds: none for negative ones, at most [`LONGEST`].
pub fn seconds(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0).saturating_mul(SECOND).min(LONGEST)
}

/// What the first moment of every cluster reads as: 2026-01-05T09:00:00Z, in Unix seconds.
/// A constant, so that the same inputs give the same bytes.
pub const EPOCH: u64 = 1_767_603_600;

/// `2026-01-05T09:00:03Z` for a moment in microseconds.
pub fn rfc3339(at: u64) -> Str {
    let mut text = date_and_time(at);
    text.push(b'Z');
    text.share()
}

/// The same with microseconds, as `eventTime` and leases have it.
pub fn rfc3339_micro(at: u64) -> Str {
    let mut text = date_and_time(at);
    text.push(b'.');
    text.number(at % SECOND, 6, 10);
    text.push(b'Z');
    text.share()
}

fn date_and_time(at: u64) -> Short {
    let (y, mo, d, h, mi, s) = civil(EPOCH + at / SECOND);
    let mut text = Short::default();
    text.number(y, 4, 10);
    for (mark, n) in [(b'-', mo), (b'-', d), (b'T', h), (b':', mi), (b':', s)] {
        text.push(mark);
        text.number(n, 2, 10);
    }
    text
}

/// `Mon, 05 Jan 2026 09:00:03 +0000`, as `kubectl describe` prints times.
pub fn rfc1123(at: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let unix = EPOCH + at / SECOND;
    let (y, mo, d, h, mi, s) = civil(unix);
    let day = DAYS[(unix / 86_400 % 7) as usize];
    format!("{day}, {d:02} {} {y} {h:02}:{mi:02}:{s:02} +0000", MONTHS[(mo - 1) as usize])
}

/// Reads a time that [`rfc3339`] or [`rfc3339_micro`] printed; times before the cluster
/// read as its first moment.
pub fn parse(text: &str) -> Option<u64> {
    let b = text.as_bytes();
    if b.len() < 20 {
        return None;
    }
    let num = |r: std::ops::Range<usize>| text.get(r)?.parse::<u64>().ok();
    let (y, mo, d) = (num(0..4)?, num(5..7)?, num(8..10)?);
    let (h, mi, s) = (num(11..13)?, num(14..16)?, num(17..19)?);
    let micros = match text.get(19..20)? {
        "." => text.get(20..)?.trim_end_matches('Z').parse::<u64>().ok()?,
        _ => 0,
    };
    let unix = days_from_civil(y, mo, d) * 86_400 + h * 3600 + mi * 60 + s;
    Some((unix.saturating_sub(EPOCH) * SECOND).saturating_add(micros))
}

/// How kubectl prints an age given in microseconds (`HumanDuration`, behaviour/kubectl.md 1).
pub fn human(age: u64) -> String {
    let s = age / SECOND;
    let (m, h) = (s / 60, s / 3600);
    if s < 120 {
        return format!("{s}s");
    }
    let two = |a: u64, au: &str, b: u64, bu: &str| {
        if b == 0 { format!("{a}{au}") } else { format!("{a}{au}{b}{bu}") }
    };
    if m < 10 {
        two(m, "m", s % 60, "s")
    } else if m < 180 {
        format!("{m}m")
    } else if h < 8 {
        two(h, "h", m % 60, "m")
    } else if h < 48 {
        format!("{h}h")
    } else if h < 24 * 8 {
        two(h / 24, "d", h % 24, "h")
    } else if h < 24 * 365 * 2 {
        format!("{}d", h / 24)
    } else if h < 24 * 365 * 8 {
        two(h / 24 / 365, "y", h / 24 % 365, "d")
    } else {
        format!("{}y", h / 24 / 365)
    }
}

/// Days since 1970-01-01 of a date (Howard Hinnant's algorithm, for years after 1970).
fn days_from_civil(y: u64, m: u64, d: u64) -> u64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y / 400;
    let yoe = y % 400;
    let doy = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

fn civil(unix: u64) -> (u64, u64, u64, u64, u64, u64) {
    let z = unix / 86_400 + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    let y = yoe + era * 400 + u64::from(m <= 2);
    let s = unix % 86_400;
    (y, m, d, s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_forms() {
        assert_eq!(rfc3339(0), "2026-01-05T09:00:00Z");
        assert_eq!(rfc1123(3 * SECOND), "Mon, 05 Jan 2026 09:00:03 +0000");
        for at in [0, 59 * SECOND, 86_400 * SECOND * 500] {
            assert_eq!(parse(&rfc3339(at)), Some(at));
        }
        assert_eq!(parse(&rfc3339_micro(1_234_567)), Some(1_234_567));
    }

    #[test]
    fn ages() {
        for (s, want) in
            [(0, "0s"), (119, "119s"), (125, "2m5s"), (180, "3m"), (3600 * 3, "3h"), (86400, "24h")]
        {
            assert_eq!(human(s * SECOND), want);
        }
    }
}
