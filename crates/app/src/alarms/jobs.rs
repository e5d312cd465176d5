//! Watching over alarms between other work.

use super::find::House;
use super::{LOOKED_AT_EVERY, flow, store};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::Flow;

/// Most merchants looked at in one turn of the house.
const LOOKED_AT_ONCE: u32 = 20;

/// Looks at the alarms of merchants whose turn it is. While no mail can leave there is no point in
/// writing one: the front page tells.
pub async fn watch(app: &App) -> Flow<()> {
    let (quarantine, has_mail, now) = (app.quarantine()?, app.mailer().has_server(), app.now());
    if quarantine.is_some() || !has_mail {
        return Ok(());
    }
    let before = now - LOOKED_AT_EVERY;
    let due = app.read(move |snapshot| Ok(store::due(snapshot, before, LOOKED_AT_ONCE)?)).await?;
    for merchant in due {
        let house = House { quarantine: None, has_mail, now };
        // Found outside the transaction that records it: the writer has better to do.
        let seen = app.read(move |snapshot| flow::look(snapshot, merchant, &house)).await?;
        app.write(merchant, Actor::System, move |cx| flow::record(cx, &seen)).await?;
    }
    Ok(())
}
