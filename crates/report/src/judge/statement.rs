//! A claim as a statement: one comparison, or several that all have to hold.
//!
//! A claim about the smallest or the largest of several cells compares each of them, since the
//! cell that is the best by its results need not be the best one.

use kindling_formats::{Claim, Comparison as By, Take, Term};

use crate::judge::comparison::{Compared, JudgedBy, Side, Sides};
use crate::judge::decision::is_tie;
use crate::judge::statistics::Risks;
use crate::judge::values::ClaimRecords;
use crate::read::Evidence;

/// A statement about comparisons.
#[derive(Debug)]
pub(super) enum Statement {
    /// One comparison of the claim.
    One(Box<Compared>),
    /// A comparison of accuracies that decides whether a cell is compared at all.
    Condition(Box<Compared>),
    /// All of these hold.
    All(Vec<Statement>),
    /// At least one of these holds.
    Any(Vec<Statement>),
}

impl Statement {
    /// The statement of a claim, judged by `records` and `evidence`.
    ///
    /// # Errors
    ///
    /// A phrase for each run, number or file that is missing, each once.
    pub(super) fn of(records: &ClaimRecords, evidence: &Evidence) -> Result<Self, Vec<String>> {
        let mut builder = Builder {
            records,
            evidence,
            missing: Vec::new(),
        };
        let statement = builder.claim(records.claim);
        let mut missing: Vec<String> = Vec::new();
        for phrase in builder.missing {
            if !missing.contains(&phrase) {
                missing.push(phrase);
            }
        }
        if missing.is_empty() {
            Ok(statement)
        } else {
            Err(missing)
        }
    }

    /// The risks of the statement; with `seeds` as the number of seeds at today's spread.
    pub(super) fn risks(&self, seeds: Option<f64>) -> Risks {
        let each =
            |parts: &[Self]| -> Vec<Risks> { parts.iter().map(|part| part.risks(seeds)).collect() };
        match self {
            Self::One(compared) | Self::Condition(compared) => compared.risks(seeds),
            Self::All(parts) => Risks::all(&each(parts)),
            Self::Any(parts) => Risks::any(&each(parts)),
        }
    }

    /// Whether `holds` is true of any of its comparisons, conditions included.
    pub(super) fn has(&self, holds: fn(&Compared) -> bool) -> bool {
        match self {
            Self::One(compared) | Self::Condition(compared) => holds(compared),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.has(holds)),
        }
    }

    /// Calls `visit` with each of its comparisons, conditions included.
    pub(super) fn each(&self, visit: &mut impl FnMut(&Compared)) {
        match self {
            Self::One(compared) | Self::Condition(compared) => visit(compared),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each(visit));
            }
        }
    }

    /// How many comparisons the statement has, without conditions.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Condition(_) => 0,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::count).sum(),
        }
    }

    /// The comparison on which the verdict hangs: of statements that all have to hold, the one
    /// that is refuted most surely, or else supported least surely. Conditions do not count.
    pub(super) fn decisive(&self) -> Option<&Compared> {
        let candidates = |parts: &'_ [Self]| -> Vec<usize> {
            let with = parts.iter().enumerate();
            with.filter(|(_, part)| part.decisive().is_some())
                .map(|(place, _)| place)
                .collect()
        };
        let (parts, all_hold) = match self {
            Self::One(compared) => return Some(compared),
            Self::Condition(_) => return None,
            Self::All(parts) => (parts, true),
            Self::Any(parts) => (parts, false),
        };
        // How far a part stands against the statement: the larger, the more it matters.
        let against = |place: &usize| {
            let risks = parts[*place].risks(None);
            let (pro, contra) = match all_hold {
                true => (risks.supported, risks.refuted),
                false => (risks.refuted, risks.supported),
            };
            pro - contra
        };
        let places = candidates(parts).into_iter();
        let most = places.max_by(|a, b| against(a).total_cmp(&against(b)))?;
        parts[most].decisive()
    }
}

/// Builds statements, and collects what is missing for them.
struct Builder<'a> {
    records: &'a ClaimRecords<'a>,
    evidence: &'a Evidence,
    missing: Vec<String>,
}

impl Builder<'_> {
    fn claim(&mut self, claim: &Claim) -> Statement {
        let (low, high) = claim.bounds().unwrap_or((f64::NAN, f64::NAN));
        let several = |term: &Term| term.cells.len() > 1 && term.take != Take::Mean;
        let has_several = claim.terms().any(|(_, term)| several(term));
        if !has_several {
            let statement = self.pair(claim, &claim.left.cells, None, (low, high));
            return self.with_conditions(claim, statement);
        }
        // One bound at a time, since "at least" and "at most" ask for other comparisons.
        let mut bounds = Vec::new();
        if claim.at_least.is_some() {
            bounds.push(((low, f64::INFINITY), Take::Smallest, Take::Largest));
        }
        if claim.at_most.is_some() {
            bounds.push(((f64::NEG_INFINITY, high), Take::Largest, Take::Smallest));
        }
        let mut statements = Vec::new();
        for (bounds, left_all, right_all) in bounds {
            // The smallest of several is at least a bound if all of them are, and the largest if
            // one of them is.
            let rights = claim.right.as_ref();
            let over_right = |builder: &mut Self, left: &[String]| match rights {
                Some(right) if several(right) => {
                    let each = right.cells.iter().map(|cell| {
                        let cell = std::slice::from_ref(cell);
                        let pair = builder.pair(claim, left, Some(cell), bounds);
                        builder.unless_left_out(
                            claim,
                            right,
                            &cell[0],
                            pair,
                            right.take == right_all,
                        )
                    });
                    joined(each.collect(), right.take == right_all)
                }
                _ => builder.pair(claim, left, None, bounds),
            };
            let left = &claim.left;
            statements.push(if several(left) {
                let mut each = Vec::new();
                for cell in &left.cells {
                    let statement = over_right(self, std::slice::from_ref(cell));
                    let all = left.take == left_all;
                    each.push(self.unless_left_out(claim, left, cell, statement, all));
                }
                joined(each, left.take == left_all)
            } else {
                over_right(self, &left.cells)
            });
        }
        let statement = joined(statements, true);
        self.with_conditions(claim, statement)
    }

    /// `statement`, and that each side of a single cell that has `within` is within it.
    fn with_conditions(&mut self, claim: &Claim, statement: Statement) -> Statement {
        let mut all = vec![statement];
        for (_, term) in claim.terms() {
            if let (Some(within), [cell]) = (term.within, term.cells.as_slice()) {
                all.extend(self.accuracies(claim, cell, (f64::NEG_INFINITY, within)));
            }
        }
        joined(all, true)
    }

    /// `statement` about `cell`, which is one of several in `term`. Without it, the claim holds
    /// just as well if the cell is left out: if all have to hold, it holds or the cell is left
    /// out; if one has to hold, it holds and the cell is not left out.
    fn unless_left_out(
        &mut self,
        claim: &Claim,
        term: &Term,
        cell: &str,
        statement: Statement,
        all_hold: bool,
    ) -> Statement {
        let Some(within) = term.within else {
            return statement;
        };
        if all_hold {
            // It is left out if one of the others is better by more than `within`.
            let others = self.accuracies(claim, cell, (within, f64::INFINITY));
            Statement::Any(vec![statement, Statement::Any(others)])
        } else {
            let mut all = self.accuracies(claim, cell, (f64::NEG_INFINITY, within));
            all.insert(0, statement);
            Statement::All(all)
        }
    }

    /// For each other cell of the claim: that its test accuracy minus that of `cell` lies within
    /// `bounds`.
    fn accuracies(&mut self, claim: &Claim, cell: &str, bounds: (f64, f64)) -> Vec<Statement> {
        let of = "test_accuracy";
        let own = [cell.to_string()];
        let others = claim.cells().into_iter().filter(|other| *other != cell);
        let mut each = Vec::new();
        for other in others.map(|other| [other.to_string()]) {
            let sides = Sides {
                left: Side { cells: &other, of },
                right: Some(Side { cells: &own, of }),
                by: By::Difference,
            };
            each.extend(self.compared(sides, bounds).map(Statement::Condition));
        }
        each
    }

    /// The comparison of the claim's left side for the cells `left` with its right side, for the
    /// cells `right` or all its cells.
    fn pair(
        &mut self,
        claim: &Claim,
        left: &[String],
        right: Option<&[String]>,
        bounds: (f64, f64),
    ) -> Statement {
        let sides = Sides {
            left: Side {
                cells: left,
                of: &claim.left.of,
            },
            right: claim.right.as_ref().map(|term| Side {
                cells: right.unwrap_or(&term.cells),
                of: &term.of,
            }),
            by: claim.by,
        };
        match self.compared(sides, bounds) {
            Some(mut compared) => {
                let value = compared.values.values().next();
                let is_equal = value.is_some_and(|value| is_tie(claim, *value));
                compared.is_tie = compared.by == JudgedBy::Value && is_equal;
                Statement::One(compared)
            }
            None => Statement::All(Vec::new()),
        }
    }

    fn compared(&mut self, sides: Sides, bounds: (f64, f64)) -> Option<Box<Compared>> {
        match Compared::of(self.records, self.evidence, sides, bounds) {
            Ok(compared) => Some(Box::new(compared)),
            Err(lacks) => {
                self.missing.extend(lacks);
                None
            }
        }
    }
}

/// All or any of `parts`; a single part is itself.
fn joined(mut parts: Vec<Statement>, all_hold: bool) -> Statement {
    match (parts.len(), all_hold) {
        (1, _) => parts.remove(0),
        (_, true) => Statement::All(parts),
        (_, false) => Statement::Any(parts),
    }
}
