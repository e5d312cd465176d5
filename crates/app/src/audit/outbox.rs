//! What was to leave the house has left, or somebody has been told why not.

use super::{Check, Rule};

/// I7.
pub const SENT: Check = Check {
    id: "I7",
    title: "every message has left, is on its way, or is shown as failed",
    why: "a buyer would wait for a mail that nobody sends",
    rules: &[
        Rule {
            says: "a message waits, and nobody is working on it",
            find: "SELECT m.id AS id, m.kind || ' ' || m.last_error AS detail FROM messages m
                    WHERE m.state = 'waiting'
                      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'send_message' AND j.dedupe_key = m.id
                                         AND j.state IN ('ready', 'running'))",
        },
        Rule {
            says: "a message counts as sent that never was tried",
            find: "SELECT id, kind AS detail FROM messages
                    WHERE (state = 'sent' AND (sent_at IS NULL OR attempts < 1))
                       OR (state <> 'sent' AND sent_at IS NOT NULL)",
        },
        Rule {
            says: "a message failed and nobody was told",
            find: "SELECT m.id AS id, m.kind || ' ' || m.last_error AS detail FROM messages m
                     LEFT JOIN (SELECT DISTINCT subject FROM events WHERE kind = 'message.not_delivered') e
                       ON e.subject = m.id
                    WHERE m.state IN ('failed', 'expired') AND e.subject IS NULL",
        },
        Rule {
            says: "a paid order has no receipt",
            find: "SELECT o.id AS id, '' AS detail FROM orders o
                     LEFT JOIN (SELECT DISTINCT order_id FROM messages WHERE kind = 'receipt') m ON m.order_id = o.id
                    WHERE o.status = 'paid' AND m.order_id IS NULL",
        },
    ],
    code: None,
    not_applicable: None,
};
