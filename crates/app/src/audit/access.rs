//! What was paid for is given, what is given was paid for, and no more is handed out.

use super::{Check, Rule};

/// I1.
pub const PAID_IS_GIVEN: Check = Check {
    id: "I1",
    title: "every paid order has exactly the units that were bought",
    why: "a buyer who paid would have nothing, or somebody too much",
    rules: &[
        Rule {
            says: "a line of a paid order does not have its units",
            find: "SELECT l.order_id AS id, 'line ' || CAST(l.position AS TEXT) || ' has units for '
                       || CAST(COALESCE(u.capacity, 0) AS TEXT) || ' of ' || CAST(l.quantity AS TEXT) AS detail
                     FROM order_lines l JOIN orders o ON o.id = l.order_id
                     LEFT JOIN (SELECT line_id, CAST(sum(capacity) AS BIGINT) AS capacity FROM units
                                 GROUP BY line_id) u ON u.line_id = l.id
                    WHERE o.status = 'paid' AND l.kind = 'product' AND COALESCE(u.capacity, 0) <> l.quantity",
        },
        Rule {
            says: "a line has more units than were bought",
            find: "SELECT l.order_id AS id, 'line ' || CAST(l.position AS TEXT) || ' has units for '
                       || CAST(u.capacity AS TEXT) AS detail
                     FROM order_lines l
                     JOIN (SELECT line_id, CAST(sum(capacity) AS BIGINT) AS capacity FROM units
                            GROUP BY line_id) u ON u.line_id = l.id
                    WHERE l.kind <> 'product' OR u.capacity > l.quantity",
        },
        Rule {
            says: "money covers an order that does not count as paid",
            find: "SELECT id, status AS detail FROM orders
                    WHERE settled_minor >= due_minor AND settled_minor > 0 AND status NOT IN ('paid', 'refunded')",
        },
        Rule {
            says: "an order counts as paid that its money does not cover",
            find: "SELECT id, CAST(settled_minor AS TEXT) || ' of ' || CAST(due_minor AS TEXT) AS detail FROM orders
                    WHERE status IN ('paid', 'refunded')
                      AND (settled_minor < due_minor
                           OR (settled_minor <= 0
                               AND NOT EXISTS (SELECT 1 FROM events e
                                                WHERE e.order_id = orders.id AND e.kind = 'order.given_away')))",
        },
        Rule {
            says: "a unit gives nobody anything",
            find: "SELECT u.order_id AS id, u.line_id || '/' || CAST(u.unit_no AS TEXT) AS detail FROM units u
                     LEFT JOIN grants g ON g.line_id = u.line_id AND g.unit_no = u.unit_no WHERE g.id IS NULL",
        },
    ],
    code: None,
    not_applicable: None,
};

/// I2.
pub const GIVEN_IS_PAID: Check = Check {
    id: "I2",
    title: "whatever can be had was paid for, by the one who has it",
    why: "the merchant would be giving goods away",
    rules: &[
        Rule {
            says: "a grant is open though its order is not paid",
            find: "SELECT g.id AS id, o.id || ' is ' || o.status AS detail
                     FROM grants g JOIN orders o ON o.id = g.order_id
                    WHERE g.status = 'active' AND o.status <> 'paid'",
        },
        Rule {
            says: "a grant is open in advance without a pending payment, or against the product's terms",
            find: "SELECT g.id AS id, o.id || ' is ' || o.status AS detail
                     FROM grants g JOIN orders o ON o.id = g.order_id JOIN order_lines l ON l.id = g.line_id
                    WHERE g.status = 'provisional' AND (o.status <> 'pending' OR l.pending_policy <> 'provisional')",
        },
        Rule {
            says: "a grant, its unit, its line and its order do not belong together",
            find: "SELECT g.id AS id, g.order_id || ', ' || u.order_id || ', ' || l.order_id AS detail
                     FROM grants g JOIN units u ON u.line_id = g.line_id AND u.unit_no = g.unit_no
                     JOIN order_lines l ON l.id = g.line_id
                    WHERE g.order_id <> u.order_id OR g.order_id <> l.order_id",
        },
        Rule {
            says: "a grant belongs to somebody else than its order",
            find: "SELECT g.id AS id, g.customer_id || ', and not ' || COALESCE(o.customer_id, 'nobody') AS detail
                     FROM grants g JOIN orders o ON o.id = g.order_id
                    WHERE o.customer_id IS NULL OR g.customer_id <> o.customer_id",
        },
        Rule {
            says: "a change of a grant has no cause",
            find: "SELECT c.grant_id AS id, c.change || ' because of ' || c.cause AS detail FROM grant_changes c
                    WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.id = c.cause)
                      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = c.cause)
                      AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = c.cause)
                      AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.id = c.cause)",
        },
        Rule {
            says: "a download is of a version that came out after its buyer's updates had ended",
            find: "SELECT d.id AS id, v.id AS detail FROM downloads d JOIN grants g ON g.id = d.grant_id
                     JOIN order_lines l ON l.id = g.line_id AND l.file_policy = 'updates_until'
                     JOIN orders o ON o.id = l.order_id
                     LEFT JOIN download_files f ON f.download_id = d.id
                     JOIN file_versions v ON v.id = COALESCE(d.file_version_id, f.file_version_id)
                    WHERE v.product_file_id IS NOT NULL
                      AND v.created_at >= COALESCE(o.paid_at, o.created_at) + l.update_days * 86400000000
                      AND NOT EXISTS (SELECT 1 FROM line_files lf
                                       WHERE lf.line_id = l.id AND lf.file_version_id = v.id)",
        },
        Rule {
            says: "something was paid for and nobody is going to make it",
            find: "SELECT p.order_id AS id, p.part || ' of ' || p.line_id || ':' || CAST(p.unit_no AS TEXT) AS detail
                     FROM unit_parts p JOIN grants g ON g.line_id = p.line_id AND g.unit_no = p.unit_no
                    WHERE p.state = 'waiting' AND p.detail = '' AND g.status = 'active'
                      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'make_part' AND j.dedupe_key =
                           p.line_id || ':' || CAST(p.unit_no AS TEXT) || ':' || p.part || ':' || p.subject)",
        },
        Rule {
            says: "a download is of a file that its grant does not give",
            find: "SELECT d.id AS id, v.id AS detail FROM downloads d JOIN grants g ON g.id = d.grant_id
                     LEFT JOIN download_files f ON f.download_id = d.id
                     JOIN file_versions v ON v.id = COALESCE(d.file_version_id, f.file_version_id)
                    WHERE NOT EXISTS (SELECT 1 FROM line_files lf JOIN file_versions b ON b.id = lf.file_version_id
                           WHERE lf.line_id = g.line_id AND b.product_file_id = v.product_file_id)
                      AND NOT EXISTS (SELECT 1 FROM unit_files u WHERE u.line_id = g.line_id
                           AND u.unit_no = g.unit_no AND u.file_version_id = v.id)",
        },
        Rule {
            says: "a file was handed out whose place a copy takes that was made for the buyer",
            find: "SELECT d.id AS id, u.replaces_id AS detail FROM unit_files u
                     JOIN grants g ON g.line_id = u.line_id AND g.unit_no = u.unit_no
                     JOIN downloads d ON d.grant_id = g.id AND d.file_version_id = u.replaces_id
                    WHERE u.file_version_id <> u.replaces_id AND d.started_at >= u.created_at",
        },
        Rule {
            says: "an original was handed out of which the buyer was to get a stamped copy",
            find: "SELECT d.id AS id, p.subject AS detail FROM unit_parts p
                     JOIN grants g ON g.line_id = p.line_id AND g.unit_no = p.unit_no
                     JOIN downloads d ON d.grant_id = g.id
                     LEFT JOIN download_files f ON f.download_id = d.id
                    WHERE p.part = 'stamp' AND COALESCE(d.file_version_id, f.file_version_id) = p.subject
                      AND NOT EXISTS (SELECT 1 FROM unit_files u WHERE u.line_id = p.line_id
                           AND u.unit_no = p.unit_no AND u.file_version_id = p.subject AND u.replaces_id = p.subject)",
        },
        Rule {
            says: "a stamped copy is of nobody: its code is not kept",
            find: "SELECT u.file_version_id AS id, u.line_id || '/' || CAST(u.unit_no AS TEXT) AS detail FROM unit_files u
                    WHERE u.part = 'stamp' AND u.file_version_id <> u.replaces_id
                      AND NOT EXISTS (SELECT 1 FROM stamps s WHERE s.line_id = u.line_id AND s.unit_no = u.unit_no
                           AND s.file_version_id = u.replaces_id)",
        },
    ],
    code: None,
    not_applicable: None,
};

/// I8.
pub const COUNTED: Check = Check {
    id: "I8",
    title: "downloads are counted, and never more than the limit",
    why: "one link would serve a whole forum, or a buyer would lose downloads that never were",
    rules: &[
        Rule {
            says: "more places are taken than the limit allows",
            find: "SELECT p.grant_id AS id, CAST(p.open_places + p.spent_places AS TEXT) || ' of '
                       || CAST(g.download_limit AS TEXT) AS detail
                     FROM grant_files p JOIN grants g ON g.id = p.grant_id
                    WHERE p.open_places + p.spent_places > g.download_limit",
        },
        Rule {
            says: "the places of a file are not those of its downloads",
            find: "SELECT p.grant_id AS id, p.file_version_id || ': ' || CAST(p.open_places AS TEXT) || ' open and '
                       || CAST(p.spent_places AS TEXT) || ' spent, by its downloads '
                       || CAST(COALESCE(d.open, 0) AS TEXT) || ' and ' || CAST(COALESCE(d.spent, 0) AS TEXT) AS detail
                     FROM grant_files p JOIN grants g ON g.id = p.grant_id
                     LEFT JOIN (SELECT s.grant_id, COALESCE(s.file_version_id, f.file_version_id) AS file_id,
                                       CAST(sum(CASE WHEN s.state = 'open' THEN 1 ELSE 0 END) AS BIGINT) AS open,
                                       CAST(sum(CASE WHEN s.state = 'spent' THEN 1 ELSE 0 END) AS BIGINT) AS spent
                                  FROM downloads s JOIN grants h ON h.id = s.grant_id AND h.generation = s.generation
                                  LEFT JOIN download_files f ON f.download_id = s.id
                                 GROUP BY 1, 2) d
                       ON d.grant_id = p.grant_id AND d.file_id = p.file_version_id
                    WHERE p.open_places <> COALESCE(d.open, 0) OR p.spent_places <> COALESCE(d.spent, 0)",
        },
        Rule {
            // A used-up place of an archive counts as the whole of each file in it.
            says: "the bytes of a file are not those of its downloads",
            find: "SELECT p.grant_id AS id, p.file_version_id || ': ' || CAST(p.bytes AS TEXT) || ', by its downloads '
                       || CAST(COALESCE(d.bytes, 0) AS TEXT) AS detail
                     FROM grant_files p
                     LEFT JOIN (SELECT s.grant_id, COALESCE(s.file_version_id, f.file_version_id) AS file_id,
                                       CAST(sum(CASE WHEN s.file_version_id IS NOT NULL THEN s.bytes
                                                     WHEN s.state = 'spent' THEN b.size ELSE 0 END) AS BIGINT) AS bytes
                                  FROM downloads s JOIN grants h ON h.id = s.grant_id AND h.generation = s.generation
                                  LEFT JOIN download_files f ON f.download_id = s.id
                                  LEFT JOIN file_versions v ON v.id = f.file_version_id
                                  LEFT JOIN blobs b ON b.sha256 = v.sha256
                                 GROUP BY 1, 2) d
                       ON d.grant_id = p.grant_id AND d.file_id = p.file_version_id
                    WHERE p.bytes <> COALESCE(d.bytes, 0)",
        },
        Rule {
            says: "a download took no place",
            find: "SELECT d.id AS id, '' AS detail FROM downloads d LEFT JOIN download_files f ON f.download_id = d.id
                     LEFT JOIN grant_files p ON p.grant_id = d.grant_id
                       AND p.file_version_id = COALESCE(d.file_version_id, f.file_version_id)
                    WHERE p.grant_id IS NULL",
        },
        Rule {
            says: "the bytes of an archive are not those of its files",
            find: "SELECT d.id AS id, CAST(d.bytes AS TEXT) || ', by its files ' || CAST(COALESCE(f.bytes, 0) AS TEXT)
                          AS detail
                     FROM downloads d
                     LEFT JOIN (SELECT download_id, CAST(sum(bytes) AS BIGINT) AS bytes FROM download_files
                                 GROUP BY download_id) f ON f.download_id = d.id
                    WHERE d.file_version_id IS NULL AND d.bytes <> COALESCE(f.bytes, 0)",
        },
        Rule {
            says: "a download that belongs to a replaced link is still open",
            find: "SELECT d.id AS id, '' AS detail FROM downloads d JOIN grants g ON g.id = d.grant_id
                    WHERE d.state = 'open' AND d.generation <> g.generation",
        },
    ],
    code: None,
    not_applicable: None,
};
