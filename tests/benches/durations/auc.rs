//! The area under the curve: the chance that a duration of one sample is longer than one of the other.

/// An estimate with the half of its 95 % interval.
#[derive(Clone, Copy)]
pub struct Auc {
    pub value: f64,
    pub half: f64,
}

impl Auc {
    /// The Mann-Whitney statistic, with the variance of its placements (DeLong, DeLong and Clarke-Pearson, 1988).
    pub fn of(left: &[f64], right: &[f64]) -> Auc {
        let placed = |of: &[f64], among: &[f64]| -> Vec<f64> {
            let mut among = among.to_vec();
            among.sort_unstable_by(f64::total_cmp);
            let place = |value: &f64| {
                let below = among.partition_point(|other| other < value);
                let up_to = among.partition_point(|other| other <= value);
                (below + up_to) as f64 / 2.0 / among.len() as f64
            };
            of.iter().map(place).collect()
        };
        let (left, right) = (placed(left, right), placed(right, left));
        let error = (variance(&left) / left.len() as f64 + variance(&right) / right.len() as f64).sqrt();
        Auc { value: mean(&left), half: 1.96 * error }
    }

    pub fn text(self) -> String {
        format!("{:.3} ± {:.3}", self.value, self.half)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}
