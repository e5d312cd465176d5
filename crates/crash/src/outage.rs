//! The database server is killed under load, and comes back; the program stays.

use std::thread;
use std::time::Duration;

use testkit::pg::Stop;

use crate::dice::Dice;
use crate::load::Purchase;
use crate::random::{joined, shop};
use crate::report::Report;
use crate::trouble::{Tried, trouble};
use crate::wait;
use crate::world::{Build, World};

/// A server that was killed is there again after this time at most.
const START_WITHIN: Duration = Duration::from_secs(60);

/// So many rounds; in each the server dies twice, once by SIGKILL and once by an immediate stop.
pub fn run(world: &mut World, rounds: u32, report: &mut Report) -> Tried<()> {
    for round in 0..rounds {
        let when = format!("{} outage {round} seed {}", world.topology.name(), world.seed);
        world.recover(Build::Shipped)?;
        let mut dice = Dice::of(world.seed, &when);
        let shopper = world.shopper(&format!("outage shopper {round}"));
        let server = world.server()?;
        let bought = thread::scope(|scope| -> Tried<Vec<Purchase>> {
            let shopping = scope.spawn(move || shop(shopper));
            for by_signal in [true, false] {
                wait::pass(dice.millis(100, 900));
                if by_signal {
                    server.kill().map_err(trouble)?
                } else {
                    server.stop(Stop::Cut)
                }
                wait::pass(dice.millis(0, 1500));
                // Its other processes may still be ending.
                let started = wait::until(START_WITHIN, || server.start().ok());
                started.ok_or_else(|| trouble("the database server does not start again"))?;
            }
            joined(shopping)
        });
        world.purchases.extend(bought?);
        report.servers_killed += 2;
        // The nodes that lived through it take notices again, without being started anew.
        let mut findings = world.all_heard();
        world.recover(Build::Shipped)?;
        findings.extend(world.settle()?);
        findings.extend(world.check()?);
        report.find(&when, findings);
    }
    Ok(())
}
