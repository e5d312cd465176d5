//! Taking turns, medians, ratios.

use std::time::{Duration, Instant};

use serde::Serialize;

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// One turn.
    pub seconds: f64,
    /// Turns of each side.
    pub turns: usize,
}

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    comparisons: Vec<Comparison>,
    figures: Vec<Figure>,
}

/// One ratio.
#[derive(Debug, Serialize)]
struct Comparison {
    work: String,
    baseline: String,
    /// Per second.
    baseline_rate: Spread,
    product_rate: Spread,
    /// Of each turn to the turn beside it: a machine that slows down slows both.
    ratio: Spread,
    /// The least that the design allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<f64>,
}

/// Something without a baseline.
#[derive(Debug, Serialize)]
struct Figure {
    what: String,
    unit: &'static str,
    value: f64,
    /// What the design allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Bound>,
}

/// What a figure may be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// A quarter of the values lies below `low`, a quarter above `high`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

/// A side of a comparison: does work for about the time given. Answers how much it did, and in
/// what time; what it prepares outside of that does not count.
pub type Side<'s> = &'s mut dyn FnMut(Duration) -> Result<(u64, Duration), Failure>;

/// Whatever went wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Which side begins a pair of turns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Baseline,
    Product,
}

impl Report {
    /// Lets both sides take turns and answers the median of the ratios.
    ///
    /// Who begins changes from pair to pair, so that what one side leaves behind for the other
    /// (dirty pages, warm caches) is borne by both.
    ///
    /// # Errors
    /// What a side fails with.
    pub fn compare(
        &mut self,
        work: &str,
        (baseline, run_baseline): (&str, Side<'_>),
        run_product: Side<'_>,
        budget: Option<f64>,
        pace: Pace,
    ) -> Result<f64, Failure> {
        let turn = Duration::from_secs_f64(pace.seconds);
        // The first turns warm caches and count for nothing.
        run_baseline(turn)?;
        run_product(turn)?;
        let (mut of_baseline, mut of_product, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = First::Baseline;
        for _ in 0..pace.turns.max(1) {
            let (theirs, ours) = match first {
                First::Baseline => {
                    let theirs = rate(run_baseline(turn)?)?;
                    (theirs, rate(run_product(turn)?)?)
                }
                First::Product => {
                    let ours = rate(run_product(turn)?)?;
                    (rate(run_baseline(turn)?)?, ours)
                }
            };
            first = if first == First::Baseline { First::Product } else { First::Baseline };
            of_baseline.push(theirs);
            of_product.push(ours);
            ratios.push(ours / theirs);
        }
        let ratio = Spread::of(ratios);
        eprintln!("  {work} / {baseline}: {:.2} ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high);
        self.comparisons.push(Comparison {
            work: work.to_owned(),
            baseline: baseline.to_owned(),
            baseline_rate: Spread::of(of_baseline),
            product_rate: Spread::of(of_product),
            ratio,
            budget,
        });
        Ok(ratio.median)
    }

    /// Takes down something that has no baseline.
    pub fn note(&mut self, what: &str, value: f64, unit: &'static str, budget: Option<Bound>) {
        eprintln!("  {what}: {value:.2} {unit}");
        self.figures.push(Figure { what: what.to_owned(), unit, value, budget });
    }

    /// Whether everything is within its budget.
    pub fn within_budgets(&self) -> bool {
        let ratios =
            self.comparisons.iter().all(|one| one.budget.is_none_or(|least| one.ratio.median >= least));
        ratios && self.figures.iter().all(Figure::is_within)
    }

    /// For people.
    pub fn print_table(&self) {
        let width = self.comparisons.iter().map(|one| one.title().chars().count());
        let width = width.chain(self.figures.iter().map(|one| one.what.chars().count())).max().unwrap_or(0);
        if !self.comparisons.is_empty() {
            let (a, b, c, d) = ("baseline/s", "product/s", "ratio (quartiles)", "budget");
            println!("{:<width$} {a:>10} {b:>10} {c:>20} {d:>7}", "work");
        }
        for one in &self.comparisons {
            let budget = one.budget.map_or_else(|| "-".to_owned(), |budget| format!("{budget:.2}"));
            println!(
                "{:<width$} {:>10.1} {:>10.1} {:>20} {budget:>7}",
                one.title(),
                one.baseline_rate.median,
                one.product_rate.median,
                format!("{:.2} ({:.2} - {:.2})", one.ratio.median, one.ratio.low, one.ratio.high),
            );
        }
        for one in &self.figures {
            let budget = match one.budget {
                None => String::new(),
                Some(Bound::AtMost(most)) => format!(" (budget: at most {most})"),
                Some(Bound::AtLeast(least)) => format!(" (budget: at least {least})"),
            };
            println!("{:<width$} {:.2} {}{budget}", one.what, one.value, one.unit);
        }
    }

    /// For scripts.
    pub fn print_json(&self) {
        let text = serde_json::to_string_pretty(self).expect("numbers and text are JSON");
        println!("{text}");
    }
}

impl Comparison {
    fn title(&self) -> String {
        format!("{} / {}", self.work, self.baseline)
    }
}

impl Figure {
    fn is_within(&self) -> bool {
        match self.budget {
            None => true,
            Some(Bound::AtMost(most)) => self.value <= most,
            Some(Bound::AtLeast(least)) => self.value >= least,
        }
    }
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { low: part(&values, 25), median: part(&values, 50), high: part(&values, 75) }
    }
}

/// The value below which so many hundredths of the sorted values lie.
pub fn part(sorted: &[f64], hundredths: usize) -> f64 {
    let at = sorted.len().saturating_sub(1) * hundredths / 100;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn rate((done, spent): (u64, Duration)) -> Result<f64, Failure> {
    Ok(f64::from(u32::try_from(done)?) / spent.as_secs_f64())
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has been running.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A side whose every moment counts.
pub fn timed(
    mut side: impl FnMut(Duration) -> Result<u64, Failure>,
) -> impl FnMut(Duration) -> Result<(u64, Duration), Failure> {
    move |turn| {
        let stopwatch = Stopwatch::start();
        let done = side(turn)?;
        Ok((done, stopwatch.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_the_median_of_turns_beside_each_other() {
        let mut report = Report::default();
        let second = Duration::from_secs(1);
        let mut speeds = [1, 100, 50, 10].into_iter();
        let mut baseline = |_| Ok((speeds.next().unwrap_or_default(), second));
        let mut halves = [1, 50, 25, 5].into_iter();
        let mut product = |_| Ok((halves.next().unwrap_or_default(), second));
        let pace = Pace { seconds: 1.0, turns: 3 };

        let ratio = report.compare("work", ("it", &mut baseline), &mut product, Some(0.5), pace);

        assert!((ratio.expect("both sides work") - 0.5).abs() < 1e-9);
        assert!(report.within_budgets());
    }

    #[test]
    fn a_figure_beyond_its_bound_is_told() {
        let mut report = Report::default();
        report.note("memory", 65.0, "MiB", Some(Bound::AtMost(64.0)));
        assert!(!report.within_budgets());
    }
}
