//! Invoices and credit notes: numbered without gaps, one for each thing that wants one.

use super::{Check, Rule};

/// I9.
pub const NUMBERED: Check = Check {
    id: "I9",
    title: "documents are numbered from 1 without gaps, never back in time, and none is missing",
    why: "a tax office asks about every missing number",
    rules: &[
        Rule {
            says: "a series has gaps",
            find: "SELECT s.merchant_id AS id, s.series || ' counts to ' || CAST(s.last_number AS TEXT) || ', and has '
                       || CAST(COALESCE(i.documents, 0) AS TEXT) || ' documents from '
                       || CAST(COALESCE(i.first, 0) AS TEXT) || ' to ' || CAST(COALESCE(i.last, 0) AS TEXT) AS detail
                     FROM invoice_series s
                     LEFT JOIN (SELECT merchant_id, series, count(*) AS documents, min(number) AS first,
                                       max(number) AS last
                                  FROM invoices GROUP BY merchant_id, series) i
                       ON i.merchant_id = s.merchant_id AND i.series = s.series
                    WHERE COALESCE(i.documents, 0) <> s.last_number OR COALESCE(i.last, 0) <> s.last_number
                       OR COALESCE(i.first, 1) <> 1",
        },
        Rule {
            says: "a document is not in the series of its kind",
            find: "SELECT i.id AS id, i.kind || ' in ' || i.series AS detail FROM invoices i
                     LEFT JOIN invoice_series s ON s.merchant_id = i.merchant_id AND s.series = i.series
                    WHERE s.series IS NULL OR i.series <> CASE i.kind WHEN 'invoice' THEN 'INV' ELSE 'CRN' END",
        },
        Rule {
            says: "a document was issued before the one with the number before",
            find: "SELECT id, detail FROM (
                     SELECT id, series || ' ' || CAST(number AS TEXT) AS detail, issued_at,
                            LAG(issued_at) OVER (PARTITION BY merchant_id, series ORDER BY number) AS before
                       FROM invoices) ordered
                    WHERE before > issued_at",
        },
        Rule {
            says: "a document does not add up",
            find: "SELECT id, series || ' ' || CAST(number AS TEXT) AS detail FROM invoices
                    WHERE gross_minor <> net_minor + tax_minor",
        },
        Rule {
            says: "a paid order counts as invoiced and has no invoice, or one over another amount",
            find: "SELECT o.id AS id, COALESCE(CAST(i.gross_minor AS TEXT), 'nothing') || ', and not '
                       || CAST(o.due_minor AS TEXT) AS detail
                     FROM orders o LEFT JOIN invoices i ON i.order_id = o.id AND i.cause = 'paid'
                    WHERE o.invoiced_at IS NOT NULL
                      AND (i.id IS NULL OR i.gross_minor <> o.due_minor OR i.currency <> o.currency)",
        },
        Rule {
            says: "an order has an invoice and was never paid",
            find: "SELECT i.id AS id, o.id AS detail FROM invoices i JOIN orders o ON o.id = i.order_id
                    WHERE o.paid_at IS NULL",
        },
        Rule {
            says: "money of a paid order moved, and no document tells of it or is due",
            find: "SELECT f.id AS id, o.id || ' ' || f.kind AS detail
                     FROM facts f JOIN payments p ON p.id = f.payment_id JOIN orders o ON o.id = p.order_id
                     LEFT JOIN invoices i ON i.order_id = o.id AND i.cause = f.id
                     LEFT JOIN credits_due c ON c.fact_id = f.id
                    WHERE o.paid_at IS NOT NULL AND f.amount_minor > 0 AND i.id IS NULL AND c.fact_id IS NULL
                      AND f.kind IN ('refund', 'refund_failure', 'reversal', 'reversal_cancellation', 'dispute_lost')",
        },
        Rule {
            says: "a document tells of a movement in the wrong direction",
            find: "SELECT i.id AS id, i.kind || ' for ' || f.kind AS detail
                     FROM invoices i JOIN facts f ON f.id = i.cause
                    WHERE i.kind <> CASE WHEN f.kind IN ('refund_failure', 'reversal_cancellation') THEN 'invoice'
                                         ELSE 'credit_note' END",
        },
    ],
    code: None,
    not_applicable: None,
};
