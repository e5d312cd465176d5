//! Killed at random, under load: the program as it ships.

use std::thread;

use crate::dice::Dice;
use crate::load::{Purchase, Shopper};
use crate::report::Report;
use crate::trouble::{Tried, trouble};
use crate::wait;
use crate::world::{Build, World};

/// Purchases of one round.
pub const BOUGHT: u32 = 25;
/// Kills of one round, before the last.
const KILLS: u32 = 4;

/// So many rounds of load and kills, each followed by a look at everything.
pub fn run(world: &mut World, rounds: u32, report: &mut Report) -> Tried<()> {
    for round in 0..rounds {
        let when = format!("{} random {round} seed {}", world.topology.name(), world.seed);
        world.recover(Build::Shipped)?;
        let mut dice = Dice::of(world.seed, &when);
        let shopper = world.shopper(&format!("shopper {round}"));
        let bought = thread::scope(|scope| -> Tried<Vec<Purchase>> {
            let shopping = scope.spawn(move || shop(shopper));
            for _ in 0..KILLS {
                wait::pass(dice.millis(30, 900));
                let index = dice.place(world.size());
                world.kill(index)?;
                wait::pass(dice.millis(0, 200));
                world.start(index, Build::Shipped)?;
            }
            wait::pass(dice.millis(30, 900));
            joined(shopping)
        });
        world.purchases.extend(bought?);
        world.recover(Build::Shipped)?;
        let mut findings = world.settle()?;
        findings.extend(world.check()?);
        report.find(&when, findings);
    }
    Ok(())
}

/// What a thread has bought.
pub fn joined(shopping: thread::ScopedJoinHandle<'_, Tried<Vec<Purchase>>>) -> Tried<Vec<Purchase>> {
    shopping.join().map_err(|_| trouble("the shopper panicked"))?
}

/// Buys one thing after another, with short pauses.
pub fn shop(mut shopper: Shopper) -> Tried<Vec<Purchase>> {
    let mut bought = Vec::new();
    for _ in 0..BOUGHT {
        shopper.disturb();
        bought.push(shopper.buy()?);
        wait::pass(shopper.dice().millis(0, 150));
    }
    Ok(bought)
}
