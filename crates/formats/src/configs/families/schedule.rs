//! `train.schedule`: how the learning rate changes during a training.
//!
//! A schedule is a pure function of the number of the step and of the number of all steps. So
//! a training that is resumed, a toy function and a comparison of two devices all use the
//! same rates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, Problem, not_empty, share};

/// How the learning rate changes during a training of N steps.
///
/// The steps are counted from 1. The first W = `warmup` N steps, rounded to a whole number,
/// are the warm-up (Goyal et al., 2017): step t of these has t/W of the learning rate, so
/// step W has the full rate. Without a warm-up, step 1 has the full rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Schedule {
    /// The full rate after the warm-up.
    Constant {
        /// The share of all steps that are the warm-up.
        warmup: f64,
    },
    /// Half a cosine (Loshchilov and Hutter, 2017, without restarts). It falls from the full
    /// rate, at the first step that has it, to `end` times the rate at step N.
    Cosine {
        /// The share of all steps that are the warm-up.
        warmup: f64,
        /// The share of the rate that the last step has.
        end: f64,
    },
    /// A rate that is multiplied by `factor` several times: once for each share a in `at`,
    /// after a N steps, rounded to a whole number.
    Step {
        /// The share of all steps that are the warm-up.
        warmup: f64,
        /// The shares of all steps after which the rate changes, the smallest first.
        at: Vec<f64>,
        /// The share of the rate that is kept each time.
        factor: f64,
    },
}

impl Schedule {
    /// The share of the learning rate that `step` has, in [0, 1]. `step` is counted from 1,
    /// and `steps` is the number of all steps. A step after the last one has the share of the
    /// last one.
    pub fn share_of_rate(&self, step: usize, steps: usize) -> f64 {
        let steps = steps.max(1);
        let step = step.clamp(1, steps);
        let warm_up = whole_steps(self.warmup(), steps);
        if step < warm_up {
            return step as f64 / warm_up as f64;
        }
        match self {
            Schedule::Constant { .. } => 1.0,
            Schedule::Cosine { end, .. } => {
                let first = warm_up.max(1);
                if step == first {
                    return 1.0;
                }
                if step == steps {
                    return *end;
                }
                let passed = (step - first) as f64 / (steps - first) as f64;
                end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * passed).cos())
            }
            Schedule::Step { at, factor, .. } => {
                let changes = at.iter().filter(|&&share| step > whole_steps(share, steps));
                changes.fold(1.0, |share, _| share * factor)
            }
        }
    }

    fn warmup(&self) -> f64 {
        match self {
            Schedule::Constant { warmup }
            | Schedule::Cosine { warmup, .. }
            | Schedule::Step { warmup, .. } => *warmup,
        }
    }

    /// Refuses values that are no schedule.
    pub(crate) fn check(&self) -> Check {
        const OF_STEPS: &str = "all steps in which the rate rises";
        match self {
            Schedule::Constant { warmup } => {
                share("train.schedule.constant.warmup", *warmup, OF_STEPS)
            }
            Schedule::Cosine { warmup, end } => {
                share("train.schedule.cosine.warmup", *warmup, OF_STEPS)?;
                if (0.0..=1.0).contains(end) {
                    return Ok(());
                }
                Err(Problem::new(
                    "train.schedule.cosine.end",
                    format!(
                        "must be from 0 to 1, not {end}: it is the share of the rate that the \
                         last step has"
                    ),
                ))
            }
            Schedule::Step { warmup, at, factor } => {
                share("train.schedule.step.warmup", *warmup, OF_STEPS)?;
                not_empty("train.schedule.step.at", at)?;
                let mut last = *warmup;
                for &next in at {
                    // A comparison with NaN is false.
                    if !(next > last && next < 1.0) {
                        return Err(Problem::new(
                            "train.schedule.step.at",
                            format!(
                                "must be shares of all steps, above the warm-up's share of \
                                 {warmup} and below 1, each larger than the one before, as \
                                 [0.5, 0.75]; {next} is not"
                            ),
                        ));
                    }
                    last = next;
                }
                if *factor > 0.0 && *factor <= 1.0 {
                    return Ok(());
                }
                Err(Problem::new(
                    "train.schedule.step.factor",
                    format!(
                        "must be above 0 and at most 1, not {factor}: it is the share of the \
                         rate that is kept, as 0.1"
                    ),
                ))
            }
        }
    }
}

/// A share of all steps as a whole number of steps.
fn whole_steps(share: f64, steps: usize) -> usize {
    (share * steps as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: &Schedule, steps: usize) -> Vec<f64> {
        (1..=steps)
            .map(|step| schedule.share_of_rate(step, steps))
            .collect()
    }

    #[track_caller]
    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} not {expected}");
        }
    }

    #[test]
    fn a_constant_rate_rises_in_the_warm_up() {
        let schedule = Schedule::Constant { warmup: 0.4 };
        let expected = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(rates(&schedule, 10), expected);
        assert_eq!(rates(&Schedule::Constant { warmup: 0.0 }, 3), [1.0; 3]);
        // A warm-up of less than half a step is none.
        assert_eq!(rates(&Schedule::Constant { warmup: 0.1 }, 4), [1.0; 4]);
        assert_eq!(
            rates(&Schedule::Constant { warmup: 0.9 }, 2),
            [0.5, 1.0],
            "1.8 steps are two"
        );
    }

    #[test]
    fn a_cosine_falls_from_the_full_rate_to_the_end() {
        // Python: [0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * k / 4)) for k in range(5)]
        let half = [
            1.0,
            0.868_198_051_533_946_4,
            0.55,
            0.231_801_948_466_053_6,
            0.1,
        ];
        let plain = Schedule::Cosine {
            warmup: 0.0,
            end: 0.1,
        };
        near(&rates(&plain, 5), &half);
        let warm = Schedule::Cosine {
            warmup: 0.5,
            end: 0.1,
        };
        let mut expected = vec![0.25, 0.5, 0.75];
        expected.extend(half);
        near(&rates(&warm, 8), &expected);
        assert_eq!(plain.share_of_rate(99, 5), 0.1, "after the last step");
        assert_eq!(rates(&plain, 1), [1.0]);
        assert_eq!(rates(&plain, 2), [1.0, 0.1]);
    }

    #[test]
    fn a_step_multiplies_after_each_share() {
        let schedule = Schedule::Step {
            warmup: 0.25,
            at: vec![0.375, 0.5, 0.75],
            factor: 0.5,
        };
        let expected = [0.5, 1.0, 1.0, 0.5, 0.25, 0.25, 0.125, 0.125];
        assert_eq!(rates(&schedule, 8), expected);
    }

    #[test]
    fn wrong_values_are_refused_with_key_and_remedy() {
        let step = |warmup, at: &[f64], factor| Schedule::Step {
            warmup,
            at: at.to_vec(),
            factor,
        };
        for right in [
            step(0.0, &[0.5, 0.75], 0.1),
            step(0.5, &[0.51], 1.0),
            Schedule::Cosine {
                warmup: 0.99,
                end: 1.0,
            },
        ] {
            assert!(right.check().is_ok(), "{right:?}");
        }
        for (wrong, key, words) in [
            (
                Schedule::Constant { warmup: 1.0 },
                "constant.warmup",
                "below 1",
            ),
            (
                Schedule::Constant { warmup: f64::NAN },
                "constant.warmup",
                "below 1",
            ),
            (
                Schedule::Cosine {
                    warmup: -0.1,
                    end: 0.0,
                },
                "cosine.warmup",
                "at least 0",
            ),
            (
                Schedule::Cosine {
                    warmup: 0.0,
                    end: 1.5,
                },
                "cosine.end",
                "from 0 to 1",
            ),
            (step(0.0, &[], 0.1), "step.at", "name one element"),
            (step(0.0, &[0.0], 0.1), "step.at", "larger than"),
            (step(0.0, &[0.5, 0.5], 0.1), "step.at", "larger than"),
            (step(0.5, &[0.5], 0.1), "step.at", "larger than"),
            (step(0.0, &[0.75, 0.5], 0.1), "step.at", "0.5 is not"),
            (step(0.6, &[0.5], 0.1), "step.at", "share of 0.6"),
            (step(0.0, &[1.0], 0.1), "step.at", "below 1"),
            (step(0.0, &[f64::NAN], 0.1), "step.at", "NaN"),
            (step(0.0, &[0.5], 0.0), "step.factor", "above 0"),
            (step(0.0, &[0.5], 1.1), "step.factor", "at most 1"),
        ] {
            let Err(Problem {
                key: found,
                problem,
            }) = wrong.check()
            else {
                panic!("{wrong:?} must be refused");
            };
            assert_eq!(found, format!("train.schedule.{key}"));
            assert!(problem.contains(words), "`{words}` in: {problem}");
        }
    }
}
