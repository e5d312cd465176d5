//! A seeded simulator: notices, jobs, refunds, staff, buyers, time and faults in any order, and
//! the audit after each run.
//!
//! A run is a function of its seed: ids, nonces, PayPal and the dice follow from it, the clock
//! stands still, and everything happens on one thread. A run that fails says its seed;
//! `HANDSEL_SIMULATE_SEED=n` repeats it, `HANDSEL_SIMULATE_RUNS=n` makes more runs.

mod acts;
mod model;
mod world;

use app::audit::Options;
use db::Engine;
use kernel::Span;

use crate::support::TestApp;
use world::World;

testkit::both_engines! {
    whatever_happens_in_whatever_order_every_promise_is_kept,
    the_same_seed_is_the_same_history,
}

/// Things that happen in one run.
const STEPS: u32 = 150;
/// Runs of one test, unless told otherwise.
const RUNS: u64 = 6;
/// Steps between two looks at what must hold at every moment.
const LOOK_EVERY: u32 = 25;
/// What must hold at every moment, and not only when everything has come to its end.
const ALWAYS: [&str; 8] = ["I1", "I2", "I4", "I8", "I13", "I14", "I16", "I18"];
/// Longer than any job waits until it is tried again.
const PATIENCE: Span = Span::hours(6);
/// Rounds after which everything has come to its end: eight days.
const ROUNDS: u32 = 32;

struct On(Engine);

impl testkit::ForEngine for On {
    fn for_engine(engine: Engine) -> Self {
        Self(engine)
    }
}

/// Says the seed of the run that fails.
struct Saying(u64);

impl Drop for Saying {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the run with HANDSEL_SIMULATE_SEED={} failed", self.0);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn whatever_happens_in_whatever_order_every_promise_is_kept(on: On) {
    let runs = number("HANDSEL_SIMULATE_RUNS").unwrap_or(RUNS);
    let seeds = number("HANDSEL_SIMULATE_SEED").map_or(1..=runs, |seed| seed..=seed);
    seeds.for_each(|seed| drop(run(on.0, seed)));
}

fn the_same_seed_is_the_same_history(on: On) {
    assert_eq!(run(on.0, 4_711), run(on.0, 4_711));
}

/// One run: trouble first, then peace, and what came of it as one digest.
fn run(engine: Engine, seed: u64) -> (String, Vec<String>) {
    let _saying = Saying(seed);
    let t = TestApp::seeded(engine, seed);
    let mut world = World::new(&t, seed);
    (1..=STEPS).for_each(|step| {
        world.step();
        if step % LOOK_EVERY == 0 {
            look(&t, &world);
        }
    });
    world.make_peace();
    (0..ROUNDS).for_each(|_| {
        t.advance(PATIENCE);
        t.run_jobs();
    });
    model::compare(&world);
    (t.business_state(), world.history().to_vec())
}

fn look(t: &TestApp, world: &World<'_>) {
    let options = Options { only: ALWAYS.map(str::to_owned).to_vec(), ..Options::default() };
    let report = app::audit::run(t.app.db(), &**t.app.blobs(), t.now(), &options).expect("the audit runs");
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}\nafter\n{}", world.history().join("\n"));
}
