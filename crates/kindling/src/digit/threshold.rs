//! Splits values in two groups by Otsu's threshold.

/// Two groups of values, split by the threshold of Otsu ("A threshold selection method from
/// gray-level histograms", 1979). The threshold maximises the variance between the groups:
/// the squared difference of their means, weighted by the numbers of their values.
pub struct OtsuSplit {
    /// The values of the upper group are larger than this.
    pub threshold: f32,
    /// The mean of the lower group.
    pub lower_mean: f32,
    /// The mean of the upper group.
    pub upper_mean: f32,
}

impl OtsuSplit {
    /// Splits `values`, by a histogram. If all values are equal, so are threshold and means.
    pub fn of(values: &[f32]) -> Self {
        const BINS: usize = 1024;
        let (least, most) = values
            .iter()
            .fold((f32::MAX, f32::MIN), |(least, most), value| {
                (least.min(*value), most.max(*value))
            });
        let width = f64::from(most - least) / BINS as f64;
        if width <= 0.0 {
            return Self {
                threshold: most,
                lower_mean: most,
                upper_mean: most,
            };
        }
        let bin = |value: f32| ((f64::from(value - least) / width) as usize).min(BINS - 1);
        let mut bins = vec![(0usize, 0.0f64); BINS];
        for value in values {
            let (count, sum) = &mut bins[bin(*value)];
            *count += 1;
            *sum += f64::from(*value);
        }
        let (count, sum) = bins
            .iter()
            .fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        let (mut lower, mut lower_sum) = (0, 0.0);
        let mut best = (-1.0, 0.0, 0.0);
        for &(bin_count, bin_sum) in &bins[..BINS - 1] {
            (lower, lower_sum) = (lower + bin_count, lower_sum + bin_sum);
            if bin_count == 0 || lower == count {
                continue;
            }
            let below = lower_sum / lower as f64;
            let above = (sum - lower_sum) / (count - lower) as f64;
            let between = lower as f64 * (count - lower) as f64 * (above - below).powi(2);
            if between > best.0 {
                best = (between, below, above);
            }
        }
        let (_, below, above) = best;
        Self {
            threshold: ((below + above) / 2.0) as f32,
            lower_mean: below as f32,
            upper_mean: above as f32,
        }
    }
}

/// The median, or the smaller of the two middle values; 0 if there are no values.
pub fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let half = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(half, f32::total_cmp).1
}
