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
            says: "what stands credited is not what the money that is left lacks of the invoice",
            find: "SELECT id, CAST(credited AS TEXT) || ', and not ' || CAST(lacking AS TEXT) AS detail
                     FROM (SELECT o.id AS id, COALESCE(d.credited, 0) AS credited,
                                  CASE WHEN o.due_minor > o.settled_minor - o.returned_minor
                                       THEN o.due_minor - o.settled_minor + o.returned_minor ELSE 0 END AS lacking
                             FROM orders o
                             LEFT JOIN (SELECT order_id, CAST(sum(CASE WHEN kind = 'credit_note' THEN gross_minor
                                                                       WHEN cause = 'paid' THEN 0
                                                                       ELSE -gross_minor END) AS BIGINT) AS credited
                                          FROM invoices GROUP BY order_id) d ON d.order_id = o.id
                            WHERE o.invoiced_at IS NOT NULL
                              AND NOT EXISTS (SELECT 1 FROM credits_due c WHERE c.order_id = o.id)) whole
                    WHERE credited <> lacking",
        },
        Rule {
            says: "a document tells of a movement in the wrong direction",
            find: "SELECT i.id AS id, i.kind || ' for ' || f.kind AS detail
                     FROM invoices i JOIN facts f ON f.id = i.cause
                    WHERE i.kind <> CASE WHEN f.kind IN ('refund', 'reversal', 'dispute_lost') THEN 'credit_note'
                                         ELSE 'invoice' END",
        },
    ],
    code: None,
    not_applicable: None,
};
