//! What gateways told us is kept, decided, and only believed when they confirmed it.

use db::{DbError, sql};

use super::{Auditor, Check, Findings, Rule, SHOWN_MAX};
use crate::notices::flow::WAITING_FOR_PAYMENT_MAX;

/// I5.
pub const ACKNOWLEDGED: Check = Check {
    id: "I5",
    title: "whatever was answered with 200 is in the inbox",
    why: "no gateway sends again what it heard 200 for",
    rules: &[],
    code: Some(acknowledged),
    not_applicable: None,
};

fn acknowledged(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    for heard in &auditor.options.acknowledged {
        let stored = auditor.read(|snapshot| {
            sql("SELECT id FROM notices WHERE connection_id = $1 AND transport_key = $2 LIMIT 1")
                .bind(heard.connection)
                .bind(heard.transport_key)
                .optional(snapshot, |_| Ok(()))
        })?;
        if stored.is_none() {
            let text = format!(
                "a notice was answered with 200 and is not here: {}",
                hex::encode(heard.transport_key)
            );
            findings.add(vec![heard.connection.to_string()], text);
        }
    }
    Ok(())
}

/// I6.
pub const DECIDED: Check = Check {
    id: "I6",
    title: "every notice is decided, or somebody is working on it",
    why: "a payment would wait in a drawer",
    rules: &[
        Rule {
            says: "a notice waits for its verification, and nobody is working on it",
            find: "SELECT n.id AS id, n.reason AS detail FROM notices n
                    WHERE n.state = 'received'
                      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'verify_notice' AND j.dedupe_key = n.id
                                         AND j.state IN ('ready', 'running'))",
        },
        Rule {
            says: "a notice was decided without saying when or why",
            find: "SELECT id, state AS detail FROM notices
                    WHERE state <> 'received'
                      AND (decided_at IS NULL
                           OR (reason = '' AND state IN ('ignored', 'unmatched', 'quarantined', 'refused', 'forged')))",
        },
        Rule {
            says: "a notice counts as authentic that its gateway never confirmed",
            find: "SELECT id, state AS detail FROM notices
                    WHERE state IN ('applied', 'ignored', 'unmatched', 'quarantined') AND verified_at IS NULL",
        },
        Rule {
            says: "a notice was quarantined and nobody was told",
            find: "SELECT n.id AS id, n.reason AS detail FROM notices n
                     LEFT JOIN (SELECT DISTINCT subject FROM events WHERE kind = 'notice.quarantined') e
                       ON e.subject = n.id
                    WHERE n.state = 'quarantined' AND e.subject IS NULL",
        },
    ],
    code: Some(waiting_too_long),
    not_applicable: None,
};

fn waiting_too_long(auditor: &Auditor<'_>, findings: &mut Findings) -> Result<(), DbError> {
    // Twice the time, since a shop that was closed has not yet had the chance to look.
    let since = auditor.now - WAITING_FOR_PAYMENT_MAX - WAITING_FOR_PAYMENT_MAX;
    let waiting: Vec<String> = auditor.read(|snapshot| {
        sql("SELECT id FROM notices WHERE state = 'unmatched' AND received_at < $1 ORDER BY id LIMIT $2")
            .bind(since)
            .bind(SHOWN_MAX)
            .all(snapshot, |row| row.get("id"))
    })?;
    for id in waiting {
        findings.add(vec![id], "a notice has waited too long for its payment".to_owned());
    }
    Ok(())
}

/// I18.
pub const AUTHENTIC: Check = Check {
    id: "I18",
    title: "only what a gateway has confirmed has changed anything",
    why: "anybody could pay with a made-up notice",
    rules: &[
        Rule {
            says: "a fact comes from a notice that is forged or was never confirmed",
            find: "SELECT f.id AS id, n.id || ' is ' || n.state AS detail
                     FROM facts f JOIN notices n ON n.id = f.notice_id
                    WHERE n.state = 'forged' OR n.verified_at IS NULL",
        },
        Rule {
            says: "a fact came through another connection than its payment",
            find: "SELECT f.id AS id, n.connection_id || ', and not ' || p.connection_id AS detail
                     FROM facts f JOIN notices n ON n.id = f.notice_id JOIN payments p ON p.id = f.payment_id
                    WHERE n.connection_id <> p.connection_id",
        },
        Rule {
            says: "a review was asked for by a forged notice",
            find: "SELECT r.id AS id, n.id AS detail FROM reviews r JOIN notices n ON n.id = r.notice_id
                    WHERE n.state = 'forged'",
        },
    ],
    code: None,
    not_applicable: None,
};
