//! Formats numbers: how many digits are shown.

/// How a number is written.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// With this many digits after the decimal point.
    Decimals(usize),
    /// In scientific notation, such as `1.23e-5`.
    Scientific,
}

impl Format {
    /// `value` in this format.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Format::Decimals(digits) => format!("{value:.digits$}"),
            Format::Scientific => format!("{value:.2e}"),
        }
    }
}

/// The format that shows about four significant digits of `value`, whether it is a loss
/// of 0.0012 or of 14.2.
pub(crate) fn number(value: f64) -> Format {
    match value.abs() {
        0.0 => Format::Decimals(0),
        size if size < 1e-3 => Format::Scientific,
        size if size < 1.0 => Format::Decimals(4),
        size if size < 10.0 => Format::Decimals(3),
        size if size < 100.0 => Format::Decimals(2),
        size if size < 1e6 => Format::Decimals(1),
        _ => Format::Scientific,
    }
}

/// A whole number with a comma before every three digits, as `60,000`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_about_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.000_012_34, "1.23e-5"),
            (0.066, "0.0660"),
            (2.345_67, "2.346"),
            (-14.254, "-14.25"),
            (1_234.56, "1234.6"),
            (1.5e9, "1.50e9"),
        ] {
            assert_eq!(number(value).show(value), text);
        }
    }
}
