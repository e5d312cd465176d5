//! The control: a program that acknowledges before it commits must be found out, by the same check.

use std::time::Duration;

use crate::load::Story;
use crate::report::Report;
use crate::trouble::Tried;
use crate::wait;
use crate::world::{Build, Programs, Topology, World};

/// What the failpoints are told.
const SABOTAGE: &str = "sabotage.acknowledge_early";
/// It is killed this soon after it has acknowledged something, before it has stored it.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(20);
const BOUGHT: u32 = 5;
/// A busy machine may be slow to kill.
const TRIES_MAX: u32 = 5;

/// Kills such a program, and makes sure that the check reports the loss.
pub fn run(topology: Topology, programs: &Programs, seed: u64, report: &mut Report) -> Tried<()> {
    for attempt in 0..TRIES_MAX {
        let mut world = World::make(topology, programs, seed.wrapping_add(u64::from(attempt)), false)?;
        world.start_all(Build::Failpoints(SABOTAGE))?;
        let mut shopper = world.shopper("control");
        for _ in 0..BOUGHT {
            world.purchases.push(shopper.buy_this(Story::Paid, 0)?);
        }
        wait::until(ACKNOWLEDGED_WITHIN, || (!world.acknowledged().is_empty()).then_some(()));
        world.recover(Build::Shipped)?;
        world.settle()?;
        let lost = world.check()?.into_iter().filter(|finding| finding.starts_with("lost: a notice")).count();
        if lost > 0 {
            report.control_found += lost;
            return Ok(());
        }
    }
    let text = "a program that acknowledges before it commits was not found out: this test cannot see a loss";
    report.find(topology.name(), vec![text.to_owned()]);
    Ok(())
}
