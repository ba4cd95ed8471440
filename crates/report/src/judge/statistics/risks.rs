//! The risks of a verdict, and how the risks of several comparisons become those of a claim.

/// The smallest error probabilities at which a claim can be decided: a verdict at the level
/// 0.05 is possible if the risk is at most 0.05. A risk is in [0, 1]: 0 stands for a verdict that
/// follows from exact values, and 1 for no evidence in that direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Risks {
    /// The smallest error probability at which the claim is supported.
    pub(crate) supported: f64,
    /// The smallest error probability at which the claim is refuted.
    pub(crate) refuted: f64,
}

impl Risks {
    /// No evidence in either direction.
    pub(crate) const NONE: Self = Self {
        supported: 1.0,
        refuted: 1.0,
    };

    /// The smallest error probability at which the claim is decided.
    pub(crate) fn smallest(self) -> f64 {
        self.supported.min(self.refuted)
    }

    /// The risks of the claim that all of several statements hold (intersection-union test,
    /// Berger 1982).
    ///
    /// The claim is supported if each statement is supported at the full level, since the claim
    /// is false only if some statement is, and that statement alone would have to err. It is
    /// refuted if one statement is refuted at the level divided by the number of statements,
    /// since each of them could be refuted by chance (Bonferroni). Without statements there is
    /// no evidence.
    pub(crate) fn all(statements: &[Self]) -> Self {
        let refuted = statements.iter().map(|one| one.refuted).fold(1.0, f64::min);
        let supported = statements.iter().map(|one| one.supported);
        if statements.is_empty() {
            return Self::NONE;
        }
        Self {
            supported: supported.fold(0.0, f64::max),
            refuted: (statements.len() as f64 * refuted).min(1.0),
        }
    }

    /// The risks of the claim that at least one of several statements holds. It is the contrary
    /// of the claim that all of their contraries hold.
    pub(crate) fn any(statements: &[Self]) -> Self {
        let contraries: Vec<Self> = statements.iter().map(|one| one.contrary()).collect();
        Self::all(&contraries).contrary()
    }

    /// The risks of the contrary statement.
    fn contrary(self) -> Self {
        Self {
            supported: self.refuted,
            refuted: self.supported,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risks(supported: f64, refuted: f64) -> Risks {
        Risks { supported, refuted }
    }

    #[test]
    fn all_needs_each_at_the_full_level_and_one_refutes_at_a_part_of_it() {
        let holds = Risks::all(&[risks(0.01, 1.0), risks(0.04, 1.0)]);
        assert_eq!(holds, risks(0.04, 1.0));
        let mixed = Risks::all(&[risks(0.01, 1.0), risks(1.0, 0.01), risks(1.0, 0.5)]);
        assert_eq!(mixed, risks(1.0, 0.03));
        assert_eq!(Risks::all(&[risks(1.0, 0.7); 2]).refuted, 1.0);
        assert_eq!(Risks::all(&[risks(0.2, 1.0)]), risks(0.2, 1.0));
        assert_eq!(Risks::all(&[]), Risks::NONE);
        assert_eq!(Risks::any(&[]), Risks::NONE);
    }

    #[test]
    fn any_is_supported_by_one_at_a_part_of_the_level() {
        let one = Risks::any(&[risks(0.01, 1.0), risks(1.0, 0.001)]);
        assert_eq!(one, risks(0.02, 1.0));
        let none = Risks::any(&[risks(1.0, 0.01), risks(1.0, 0.04)]);
        assert_eq!(none, risks(1.0, 0.04));
    }
}
