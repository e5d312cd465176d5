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
}

/// One ratio.
#[derive(Debug, Serialize)]
struct Comparison {
    work: String,
    baseline: String,
    /// Medians, per second.
    baseline_rate: f64,
    product_rate: f64,
    ratio: f64,
    /// The least that the design allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<f64>,
}

/// One side of a comparison: does work for the time given and tells how much it did.
pub type Side<'s> = &'s mut dyn FnMut(Duration) -> Result<u64, Failure>;

/// A side that also tells how much time counts: it prepares its work outside of it.
pub type TimedSide<'s> = &'s mut dyn FnMut(Duration) -> Result<(u64, Duration), Failure>;

/// Whatever went wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Report {
    /// Lets both sides take turns, so that a machine that slows down slows both.
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
    ) -> Result<(), Failure> {
        let mut timed_baseline = |turn| timed(run_baseline, turn);
        let mut timed_product = |turn| timed(run_product, turn);
        self.compare_timed(work, (baseline, &mut timed_baseline), &mut timed_product, budget, pace)
    }

    /// [`Report::compare`] for sides that prepare their work outside the time that counts.
    ///
    /// # Errors
    /// What a side fails with.
    pub fn compare_timed(
        &mut self,
        work: &str,
        (baseline, run_baseline): (&str, TimedSide<'_>),
        run_product: TimedSide<'_>,
        budget: Option<f64>,
        pace: Pace,
    ) -> Result<(), Failure> {
        let turn = Duration::from_secs_f64(pace.seconds);
        // The first turn warms caches and counts for nothing.
        run_baseline(turn / 4)?;
        run_product(turn / 4)?;
        let (mut of_baseline, mut of_product) = (Vec::new(), Vec::new());
        for _ in 0..pace.turns.max(1) {
            of_baseline.push(rate(run_baseline(turn)?)?);
            of_product.push(rate(run_product(turn)?)?);
        }
        let (baseline_rate, product_rate) = (median(of_baseline), median(of_product));
        eprintln!("  {work}: {product_rate:.0}/s, {baseline}: {baseline_rate:.0}/s");
        self.comparisons.push(Comparison {
            work: work.to_owned(),
            baseline: baseline.to_owned(),
            baseline_rate,
            product_rate,
            ratio: product_rate / baseline_rate,
            budget,
        });
        Ok(())
    }

    /// Whether every ratio is at least its budget.
    pub fn within_budgets(&self) -> bool {
        self.comparisons.iter().all(|one| one.budget.is_none_or(|budget| one.ratio >= budget))
    }

    /// For people.
    pub fn print_table(&self) {
        println!("{:<52} {:>10} {:>10} {:>7} {:>7}", "work", "baseline/s", "product/s", "ratio", "budget");
        for one in &self.comparisons {
            let budget = one.budget.map_or_else(|| "-".to_owned(), |budget| format!("{budget:.2}"));
            println!(
                "{:<52} {:>10.0} {:>10.0} {:>7.2} {:>7}",
                format!("{} / {}", one.work, one.baseline),
                one.baseline_rate,
                one.product_rate,
                one.ratio,
                budget
            );
        }
    }

    /// For scripts.
    pub fn print_json(&self) {
        let text = serde_json::to_string_pretty(self).expect("numbers and text are JSON");
        println!("{text}");
    }
}

fn timed(side: Side<'_>, turn: Duration) -> Result<(u64, Duration), Failure> {
    let stopwatch = Stopwatch::start();
    let done = side(turn)?;
    Ok((done, stopwatch.elapsed()))
}

fn rate((done, spent): (u64, Duration)) -> Result<f64, Failure> {
    Ok(f64::from(u32::try_from(done)?) / spent.as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
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
