//! Quantiles of Student's t distribution, and a solver for monotone equations.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The probability that Student's t with `df` degrees of freedom is larger than `t`.
fn tail(df: f64, t: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |student| student.sf(t))
}

/// The number that Student's t with `df` degrees of freedom exceeds with probability `tail`,
/// which is in (0, 0.5]. statrs has no quantile that is exact far in the tail.
pub(super) fn quantile(df: f64, probability: f64) -> f64 {
    if probability >= 0.5 {
        return 0.0;
    }
    let excess = |log: f64| tail(df, log.exp()).max(f64::MIN_POSITIVE).ln() - probability.ln();
    // The logarithm of the quantile lies between `low` and `high`.
    let (mut low, mut high) = (0.0, 0.0);
    while excess(low) < 0.0 && low > -100.0 {
        (low, high) = (low - 1.0, low);
    }
    while excess(high) > 0.0 && high < 100.0 {
        (low, high) = (high, high + 1.0);
    }
    root(excess, low, high).exp()
}

/// The root between `low` and `high` of a function that falls from a value of at least 0 to a
/// value of at most 0. It is found by the Illinois variant of regula falsi (Dowell and Jarratt
/// 1971), which halves the value of an end that stays twice. A function value of 1e-13 counts
/// as 0.
pub(super) fn root(function: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut low, mut high) = (low, high);
    let (mut at_low, mut at_high) = (function(low), function(high));
    let mut moved = Moved::None;
    for step in 0..100 {
        if at_low <= SMALL || high - low <= 1e-14 * low.abs() {
            return low;
        }
        if at_high >= -SMALL {
            return high;
        }
        let secant = low + (high - low) * at_low / (at_low - at_high);
        // A bisection now and then makes the interval shrink for every function.
        let next = if step % 5 == 4 || !(low < secant && secant < high) {
            f64::midpoint(low, high)
        } else {
            secant
        };
        let at_next = function(next);
        if at_next.abs() <= SMALL {
            return next;
        }
        if at_next > 0.0 {
            (low, at_low) = (next, at_next);
            if moved == Moved::Low {
                at_high /= 2.0;
            }
            moved = Moved::Low;
        } else {
            (high, at_high) = (next, at_next);
            if moved == Moved::High {
                at_low /= 2.0;
            }
            moved = Moved::High;
        }
    }
    f64::midpoint(low, high)
}

/// The value of a function that counts as 0.
const SMALL: f64 = 1e-13;

/// The end of an interval that was moved last.
#[derive(PartialEq)]
enum Moved {
    None,
    Low,
    High,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy_far_in_the_tail_too() {
        // scipy 1.17: scipy.stats.t.isf(tail, df)
        for (df, tail, expected) in [
            (1.0, 0.4, 0.324_919_696_232_906_34),
            (1.0, 0.025, 12.706_204_736_174_705),
            (1.0, 1e-9, 318_309_886.183_790_7),
            (2.0, 0.025, 4.302_652_729_749_464),
            (2.0, 0.05 / 136.0, 36.857_837_482_564_5),
            (2.0, 1e-15, 22_360_679.774_997_86),
            (4.0, 0.4, 0.270_722_294_707_597_6),
            (4.0, 1e-9, 234.027_610_406_118_92),
            (9.0, 0.05 / 136.0, 5.003_652_258_112_414),
            (9.0, 1e-15, 110.904_465_239_272_14),
            (199.0, 0.025, 1.971_956_544_251_753_7),
            (199.0, 1e-9, 6.287_856_351_272_676),
            (9999.0, 0.4, 0.253_353_844_119_835_9),
            (9999.0, 0.025, 1.960_201_263_621_357_7),
            (9999.0, 1e-15, 7.954_082_956_508_179),
            (1e6, 0.025, 1.959_966_356_814_107_2),
            (1e6, 1e-9, 5.997_862_455_710_896),
        ] {
            let found = quantile(df, tail);
            assert!(
                (found / expected - 1.0).abs() < 1e-8,
                "df {df}, tail {tail}: {found}, not {expected}"
            );
        }
        assert_eq!(quantile(3.0, 0.5), 0.0);
    }

    #[test]
    fn a_root_is_found_where_a_secant_would_stay() {
        // A function that is flat for the most part.
        let found = root(|x| 1e-6 - x.powi(20), 0.0, 10.0);
        assert!((found - 1e-6_f64.powf(0.05)).abs() < 1e-8, "{found}");
        assert_eq!(root(|x| -x - 1.0, 0.0, 1.0), 0.0);
        assert_eq!(root(|x| 2.0 - x, 0.0, 1.0), 1.0);
    }
}
