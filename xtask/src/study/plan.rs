//! Plans which seeds `cargo xtask claims --until-decided` trains next.

use crate::ui;

/// A claim that is open: together with the other claims of the study, it is undecided.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenClaim {
    /// Id of the claim.
    pub id: String,
    /// The cells whose runs the claim needs.
    pub cells: Vec<String>,
    /// What decides the claim.
    pub needs: Needs,
}

/// What decides an open claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Needs {
    /// This many seeds in total of each of its cells, if the spread stays as it is today.
    Seeds(u64),
    /// No training. The text says why.
    Nothing(String),
}

/// How much may be trained.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest number of seeds of a cell.
    pub seeds: u64,
    /// The seconds that are left; `None` if there is no limit.
    pub seconds: Option<f64>,
}

/// The runs that are trained next: all cells of one claim get the number of seeds that the claim
/// needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Id of the claim.
    pub claim: String,
    /// The claim's cells.
    pub cells: Vec<String>,
    /// The number of seeds of each cell.
    pub seeds: u64,
    /// The number of seeds that the claim needs. It is above `seeds` if the limits allow fewer.
    pub needed: u64,
    /// How many runs are missing.
    pub runs: usize,
    /// How long they take; `None` if no run is recorded by which this could be estimated.
    pub seconds: Option<f64>,
}

/// What is trained next, or why nothing is.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// These runs.
    Train(Step),
    /// Nothing. There is one sentence for each open claim, which says why.
    Stop(Vec<String>),
}

/// Plans the next step: of the open claims that can be decided within `limits`, the one that
/// needs the least time. If none can be, the number of seeds that is needed is an estimate from
/// few seeds, so the claim that needs the fewest gets the largest number of seeds.
///
/// `cost` gives the number of missing runs of some cells with a number of seeds, and the seconds
/// that these runs take.
pub fn next(
    open: &[OpenClaim],
    limits: Limits,
    cost: impl Fn(&[String], u64) -> (usize, Option<f64>),
) -> Next {
    let mut best: Option<((u64, f64), Step)> = None;
    let mut reasons = Vec::new();
    for claim in open {
        let needed = match &claim.needs {
            Needs::Seeds(needed) => *needed,
            Needs::Nothing(why) => {
                reasons.push(format!("{}: {why}", claim.id));
                continue;
            }
        };
        let seeds = needed.min(limits.seeds);
        let (runs, seconds) = cost(&claim.cells, seeds);
        if runs == 0 {
            reasons.push(format!(
                "{}: it needs about {needed} seeds, and --max-seeds allows {}",
                claim.id, limits.seeds
            ));
            continue;
        }
        if let Some(left) = limits.seconds {
            let problem = match seconds {
                None => Some("no run is recorded by which its time could be estimated".into()),
                Some(seconds) if seconds > left => Some(format!(
                    "its {} would take about {}, and --minutes leaves less",
                    ui::count(runs, "run"),
                    ui::duration(seconds)
                )),
                Some(_) => None,
            };
            if let Some(problem) = problem {
                reasons.push(format!("{}: {problem}", claim.id));
                continue;
            }
        }
        // Claims that the limit allows to decide come first.
        let rank = (needed.max(limits.seeds), seconds.unwrap_or(f64::INFINITY));
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            let step = Step {
                claim: claim.id.clone(),
                cells: claim.cells.clone(),
                seeds,
                needed,
                runs,
                seconds,
            };
            best = Some((rank, step));
        }
    }
    match best {
        Some((_, step)) => Next::Train(step),
        None => Next::Stop(reasons),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(id: &str, cells: &[&str], seeds: u64) -> OpenClaim {
        OpenClaim {
            id: id.into(),
            cells: cells.iter().map(ToString::to_string).collect(),
            needs: Needs::Seeds(seeds),
        }
    }

    /// Each cell has three seeds. A run of `slow` takes 100 seconds, and one of another cell 10.
    fn cost(cells: &[String], seeds: u64) -> (usize, Option<f64>) {
        let runs = seeds.saturating_sub(3) as usize;
        let seconds = cells
            .iter()
            .map(|cell| if cell == "slow" { 100.0 } else { 10.0 });
        (runs * cells.len(), Some(runs as f64 * seconds.sum::<f64>()))
    }

    const LIMITS: Limits = Limits {
        seeds: 10,
        seconds: None,
    };

    fn claim_of(next: &Next) -> (&str, u64, usize) {
        match next {
            Next::Train(step) => (&step.claim, step.seeds, step.runs),
            Next::Stop(reasons) => panic!("{reasons:?}"),
        }
    }

    #[test]
    fn the_claim_that_needs_the_least_time_comes_first() {
        let claims = [
            open("few slow seeds", &["slow"], 4),
            open("more quick seeds", &["a", "b"], 6),
            open("most quick seeds", &["a"], 10),
        ];
        // 100, 60 and 70 seconds.
        let step = next(&claims, LIMITS, cost);
        assert_eq!(claim_of(&step), ("more quick seeds", 6, 6));
        assert_eq!(
            claim_of(&next(&claims[2..], LIMITS, cost)),
            ("most quick seeds", 10, 7)
        );
    }

    #[test]
    fn a_claim_that_needs_too_many_seeds_comes_last_and_gets_what_is_allowed() {
        let claims = [
            open("far", &["a"], 40),
            open("farther", &["a"], 50),
            open("slow", &["slow"], 9),
        ];
        assert_eq!(claim_of(&next(&claims, LIMITS, cost)), ("slow", 9, 6));
        assert_eq!(claim_of(&next(&claims[..2], LIMITS, cost)), ("far", 10, 7));
        let all_there = |_: &[String], _| (0, Some(0.0));
        let Next::Stop(reasons) = next(&claims[..1], LIMITS, all_there) else {
            panic!("nothing is missing");
        };
        assert_eq!(
            reasons,
            ["far: it needs about 40 seeds, and --max-seeds allows 10"]
        );
    }

    #[test]
    fn nothing_is_trained_that_takes_longer_than_the_minutes_that_are_left() {
        let claims = [open("slow", &["slow"], 5), open("quick", &["a"], 5)];
        let limits = |seconds| Limits {
            seconds: Some(seconds),
            ..LIMITS
        };
        assert_eq!(
            claim_of(&next(&claims, limits(30.0), cost)),
            ("quick", 5, 2)
        );
        let Next::Stop(reasons) = next(&claims, limits(10.0), cost) else {
            panic!("both take longer");
        };
        assert_eq!(
            reasons[0],
            "slow: its 2 runs would take about 3 minutes, and --minutes leaves less"
        );
        assert_eq!(reasons.len(), 2);
        let unknown = |_: &[String], _| (1, None);
        assert!(matches!(
            next(&claims, limits(10.0), unknown),
            Next::Stop(_)
        ));
        assert!(matches!(next(&claims, LIMITS, unknown), Next::Train(_)));
    }

    #[test]
    fn a_claim_that_no_training_decides_is_named_with_the_reason() {
        let images = OpenClaim {
            needs: Needs::Nothing("the test images limit it".into()),
            ..open("a", &["a"], 0)
        };
        assert_eq!(
            next(&[images], LIMITS, cost),
            Next::Stop(vec!["a: the test images limit it".into()])
        );
        assert_eq!(next(&[], LIMITS, cost), Next::Stop(Vec::new()));
    }
}
