//! `handsel quarantine …`: why nothing is sent, and the end of it.

use app::installation::flow::WaitingMail;
use app::installation::store;

use super::{Desk, VerbError};
use crate::witness;

/// What can be done with a quarantine.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Show whether there is one, why, and what waits.
    Status,
    /// End it: this database is the true one, and what waits is sent.
    Lift {
        /// Yes, no other copy of this shop is in use, and what waits may leave.
        #[arg(long)]
        yes: bool,
        /// Drop mail that waits, since buyers got it before.
        #[arg(long)]
        drop_mail: bool,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Status => status(desk),
        Verb::Lift { yes: false, .. } => Err(VerbError::Usage(
            "look at handsel quarantine status first: what was sent after a backup was made may be sent again; \
             then run this with --yes, or with --yes --drop-mail"
                .to_owned(),
        )),
        Verb::Lift { yes: true, drop_mail } => {
            let mail = if drop_mail { WaitingMail::Drop } else { WaitingMail::Send };
            let dropped = witness::lift(&desk.app, &desk.config.data, desk.merchant, mail)?;
            let text = format!("the quarantine is lifted; {dropped} messages were dropped");
            desk.output.done(&text, &serde_json::json!({ "quarantine": null, "dropped": dropped }));
            Ok(())
        }
    }
}

fn status(desk: &Desk) -> Result<(), VerbError> {
    let (quarantine, waiting) =
        desk.app.read_now(|snapshot| Ok((store::quarantine(snapshot)?, store::held_back(snapshot)?)))?;
    let Some(quarantine) = quarantine else {
        desk.output.done(
            "no quarantine: mail is sent and gateways are called",
            &serde_json::json!({ "quarantine": null }),
        );
        return Ok(());
    };
    let waiting: Vec<_> = waiting
        .iter()
        .map(|(kind, count, since)| serde_json::json!({ "kind": kind, "count": count, "oldest": since }))
        .collect();
    desk.output.one(&serde_json::json!({
        "quarantine": { "why": quarantine.why, "since": quarantine.since },
        "waiting": waiting,
        "at_risk": "mail that was sent after the backup was made leaves again, links that were used up since work \
                    again, and payments that were announced since are not known: ask the gateway to send its notices \
                    again, and look at its list of payments",
        "lift": "handsel quarantine lift --yes [--drop-mail]",
    }));
    Ok(())
}
