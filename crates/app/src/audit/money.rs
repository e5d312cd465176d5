//! The ledger adds up, from the single movement to the order.

use super::{Check, Rule};

/// I4.
pub const LEDGER: Check = Check {
    id: "I4",
    title: "every movement of money is in the ledger once, and everything adds up to it",
    why: "nobody could say what was earned, or what a buyer is owed",
    rules: &[
        Rule {
            says: "a movement of money is not in the ledger as it was told",
            find: "SELECT f.id AS id, f.kind || ' of ' || CAST(f.amount_minor AS TEXT) || ' ' || f.currency AS detail
                     FROM facts f LEFT JOIN transfers t ON t.fact_id = f.id
                    WHERE f.kind IN ('settlement', 'refund', 'refund_failure', 'reversal', 'reversal_cancellation',
                                     'dispute_lost')
                      AND f.amount_minor > 0
                      AND (t.id IS NULL OR t.amount_minor <> f.amount_minor OR t.currency <> f.currency
                           OR t.payment_id <> f.payment_id)",
        },
        Rule {
            says: "the ledger has a movement of which no fact tells",
            find: "SELECT t.id AS id, f.kind AS detail FROM transfers t JOIN facts f ON f.id = t.fact_id
                    WHERE f.kind IN ('pending', 'failure', 'expiry', 'dispute', 'dispute_won')",
        },
        Rule {
            says: "money is booked in the wrong direction",
            find: "SELECT t.id AS id, t.debit || ' to ' || t.credit AS detail
                     FROM transfers t JOIN facts f ON f.id = t.fact_id JOIN payments p ON p.id = t.payment_id
                    WHERE (f.kind IN ('settlement', 'refund_failure', 'reversal_cancellation')
                           AND (t.debit <> p.connection_id OR t.credit <> p.id))
                       OR (f.kind IN ('refund', 'reversal', 'dispute_lost')
                           AND (t.debit <> p.id OR t.credit <> p.connection_id))",
        },
        Rule {
            says: "a fact is in another currency than its payment",
            find: "SELECT f.id AS id, f.currency || ', and not ' || p.currency AS detail
                     FROM facts f JOIN payments p ON p.id = f.payment_id WHERE f.currency <> p.currency",
        },
        Rule {
            says: "what has settled of a payment is not what the ledger says",
            find: "SELECT p.id AS id, CAST(p.settled_minor AS TEXT) || ', and not '
                       || CAST(COALESCE(m.settled, 0) AS TEXT) AS detail
                     FROM payments p
                     LEFT JOIN (SELECT t.payment_id, CAST(sum(t.amount_minor) AS BIGINT) AS settled
                                  FROM transfers t JOIN facts f ON f.id = t.fact_id
                                 WHERE f.kind = 'settlement' GROUP BY t.payment_id) m ON m.payment_id = p.id
                    WHERE p.settled_minor <> COALESCE(m.settled, 0)",
        },
        Rule {
            says: "what went back of a payment is not what the ledger says",
            find: "SELECT b.id AS id, CAST(b.returned AS TEXT) || ', and not ' || CAST(b.back AS TEXT) AS detail
                     FROM (SELECT p.id AS id, p.returned_minor AS returned,
                                  CASE WHEN r.refunded + r.reversed > p.settled_minor THEN p.settled_minor
                                       ELSE r.refunded + r.reversed END AS back
                             FROM payments p
                             JOIN (SELECT s.payment_id,
                                          CASE WHEN s.refunded > 0 THEN s.refunded ELSE 0 END AS refunded,
                                          CASE WHEN s.reversed > 0 THEN s.reversed ELSE 0 END AS reversed
                                     FROM (SELECT t.payment_id,
                                       CAST(sum(CASE f.kind WHEN 'refund' THEN t.amount_minor
                                                WHEN 'refund_failure' THEN -t.amount_minor ELSE 0 END) AS BIGINT)
                                         AS refunded,
                                       CAST(sum(CASE f.kind WHEN 'reversal' THEN t.amount_minor
                                                WHEN 'dispute_lost' THEN t.amount_minor
                                                WHEN 'reversal_cancellation' THEN -t.amount_minor ELSE 0 END) AS BIGINT)
                                         AS reversed
                                             FROM transfers t JOIN facts f ON f.id = t.fact_id
                                            GROUP BY t.payment_id) s) r ON r.payment_id = p.id) b
                    WHERE b.returned <> b.back",
        },
        Rule {
            says: "an order's money is not that of its payments",
            find: "SELECT o.id AS id, CAST(o.settled_minor AS TEXT) || ' less ' || CAST(o.returned_minor AS TEXT)
                       || ', and not ' || CAST(COALESCE(m.settled, 0) AS TEXT) || ' less '
                       || CAST(COALESCE(m.returned, 0) AS TEXT) AS detail
                     FROM orders o
                     LEFT JOIN (SELECT order_id, CAST(sum(settled_minor) AS BIGINT) AS settled,
                                       CAST(sum(returned_minor) AS BIGINT) AS returned
                                  FROM payments GROUP BY order_id) m ON m.order_id = o.id
                    WHERE (o.settled_minor <> COALESCE(m.settled, 0) OR o.returned_minor <> COALESCE(m.returned, 0))
                      AND NOT EXISTS (SELECT 1 FROM payments other
                                       WHERE other.order_id = o.id AND other.currency <> o.currency)",
        },
        Rule {
            says: "the lines of an order do not add up to what is due",
            find: "SELECT o.id AS id, CAST(o.net_minor AS TEXT) || ' and ' || CAST(o.tax_minor AS TEXT) || ' for '
                       || CAST(o.due_minor AS TEXT) AS detail
                     FROM orders o
                     LEFT JOIN (SELECT order_id, CAST(sum(net_minor) AS BIGINT) AS net,
                                       CAST(sum(tax_minor) AS BIGINT) AS tax
                                  FROM order_lines GROUP BY order_id) l ON l.order_id = o.id
                    WHERE o.net_minor <> COALESCE(l.net, 0) OR o.tax_minor <> COALESCE(l.tax, 0)
                       OR o.due_minor <> o.net_minor + o.tax_minor",
        },
        Rule {
            says: "a line does not add up",
            find: "SELECT order_id AS id, 'line ' || CAST(position AS TEXT) AS detail FROM order_lines
                    WHERE gross_minor <> net_minor + tax_minor OR net_minor <> unit_minor * quantity",
        },
    ],
    code: None,
    not_applicable: None,
};
