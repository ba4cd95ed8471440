//! Numbers, times, counts and paths as text.

use std::path::Path;

/// The largest number of characters of a line of text that is wrapped.
const LINE: usize = 80;

/// A loss or another figure as a short text of about four digits; `-` for `None`.
pub fn short_number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(value) if value != 0.0 && value.abs() < 1e-3 => format!("{value:.1e}"),
        Some(value) if value.abs() >= 1e4 => format!("{value:.1e}"),
        Some(value) if value.abs() >= 100.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.4}"),
    }
}

/// Seconds as a clock shows them: `0:07`, `12:30`, `1:02:30`.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A long time in words, to the minute: `1 minute`, `3 hours 20 minutes`, `2 days 4 hours`.
pub fn duration(seconds: f64) -> String {
    let minutes = (seconds.max(0.0) / 60.0).round().max(1.0) as u64;
    let unit = |number: u64, noun: &str| (number > 0).then(|| count(number as usize, noun));
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts = match days {
        0 => [unit(hours, "hour"), unit(minutes, "minute")],
        days => [unit(days, "day"), unit(hours, "hour")],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A number of bytes with two digits: `340 kB`, `1.4 GB`.
pub fn bytes(bytes: f64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = bytes.max(0.0) / 1e3;
    for (index, unit) in units.iter().enumerate() {
        // 999.6 kB would be printed as 1000 kB.
        if value < 999.5 || index + 1 == units.len() {
            let digits = usize::from(value < 9.95);
            return format!("{value:.digits$} {unit}");
        }
        value /= 1e3;
    }
    String::new()
}

/// `text`, or its beginning and `...` if it is longer than `width` characters.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// `text`, or its beginning and its end with `...` between them if it is longer than `width`
/// characters. The name of a trial ends in what tells it from the others.
pub fn cut_middle(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_string();
    }
    let kept = width.saturating_sub(3);
    let start: String = text.chars().take(kept / 2).collect();
    let end: String = text.chars().skip(count - (kept - kept / 2)).collect();
    format!("{start}...{end}")
}

/// `text` in lines of at most 80 characters, which end between words.
pub fn wrap(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines.join("\n")
}

/// A number with its noun, as in `1 run` or `2 runs`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A path as text. It is relative if it is below the current folder.
pub fn path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(below) if below.as_os_str().is_empty() => ".".into(),
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_few_digits() {
        for (value, shown) in [
            (None, "-"),
            (Some(0.0), "0.0000"),
            (Some(0.071_23), "0.0712"),
            (Some(0.000_12), "1.2e-4"),
            (Some(19.456), "19.46"),
            (Some(345.67), "345.7"),
            (Some(1e9), "1.0e9"),
            (Some(f64::NAN), "NaN"),
        ] {
            assert_eq!(short_number(value), shown);
        }
    }

    #[test]
    fn durations_and_sizes_have_words() {
        for (seconds, words) in [
            (0.0, "1 minute"),
            (89.0, "1 minute"),
            (91.0, "2 minutes"),
            (3600.0, "1 hour"),
            (12_040.0, "3 hours 21 minutes"),
            (100_000.0, "1 day 3 hours"),
            (86_400.0, "1 day"),
        ] {
            assert_eq!(duration(seconds), words);
        }
        for (size, words) in [
            (0.0, "0.0 kB"),
            (999.0, "1.0 kB"),
            (12_345.0, "12 kB"),
            (999_700.0, "1.0 MB"),
            (1.44e9, "1.4 GB"),
            (3e15, "3000 TB"),
        ] {
            assert_eq!(bytes(size), words);
        }
    }

    #[test]
    fn times_are_formatted_and_long_lines_are_cut() {
        assert_eq!(clock(7.4), "0:07");
        assert_eq!(clock(3750.0), "1:02:30");
        assert_eq!(cut("a long line", 8), "a lon...");
        assert_eq!(cut("short", 8), "short");
        assert_eq!(
            cut_middle("mlp@learning_rate=0.04 1001", 18),
            "mlp@lea....04 1001"
        );
        assert_eq!(cut_middle("short", 8), "short");
        let text = "word ".repeat(17);
        assert_eq!(
            wrap(&text),
            format!("{}\nword", "word ".repeat(16).trim_end())
        );
    }
}
