//! Places of events and entries of lists: what is scarce goes to one buyer, once.

use super::{Check, Rule};

/// I19.
pub const PLACES: Check = Check {
    id: "I19",
    title: "no more places are sold than there are, and who paid has theirs or is asked about",
    why: "somebody would stand at a door with a good ticket and no room, or without the ticket they paid for",
    rules: &[
        Rule {
            says: "an event counts fewer places than are held and kept: more could be sold than there are",
            find: "SELECT e.id AS id, e.taken || ' of ' || c.places AS detail FROM ticket_events e
                     JOIN (SELECT h.event_id AS event_id, sum(CASE
                              WHEN h.state = 'held' THEN h.places
                              WHEN g.line_id IS NOT NULL THEN g.live
                              WHEN o.status IN ('awaiting_payment', 'pending') THEN h.places ELSE 0 END) AS places
                             FROM ticket_holds h JOIN orders o ON o.id = h.order_id
                             LEFT JOIN (SELECT line_id, sum(CASE WHEN status <> 'revoked' THEN 1 ELSE 0 END) AS live
                                          FROM grants GROUP BY line_id) g ON g.line_id = h.line_id
                            WHERE h.state IN ('held', 'kept') GROUP BY h.event_id) c ON c.event_id = e.id
                    WHERE e.taken < c.places",
        },
        Rule {
            says: "a paid ticket has no place, and nobody is asked",
            find: "SELECT l.id AS id, COALESCE(h.state, 'no hold') AS detail FROM order_lines l
                     JOIN orders o ON o.id = l.order_id
                     LEFT JOIN ticket_holds h ON h.line_id = l.id
                    WHERE o.status = 'paid' AND l.deliverables LIKE '%\"ticket\":{%'
                      AND COALESCE(h.state, '') <> 'kept'
                      AND NOT (COALESCE(h.state, '') = 'over' AND EXISTS (SELECT 1 FROM reviews r
                           WHERE r.order_id = o.id AND r.kind = 'over_capacity'))",
        },
        Rule {
            says: "a ticket's number is another's too",
            find: "SELECT h.line_id AS id, n.line_id AS detail FROM ticket_holds h
                     JOIN ticket_holds n ON n.event_id = h.event_id AND n.line_id <> h.line_id
                      AND n.first_number BETWEEN h.first_number AND h.first_number + h.places - 1",
        },
        Rule {
            says: "somebody came in with a ticket of another event",
            find: "SELECT i.grant_id AS id, i.event_id AS detail FROM ticket_check_ins i
                     JOIN grants g ON g.id = i.grant_id
                     LEFT JOIN ticket_holds h ON h.line_id = g.line_id AND h.event_id = i.event_id
                    WHERE h.line_id IS NULL",
        },
    ],
    code: None,
    not_applicable: None,
};

/// I20.
pub const ENTRIES: Check = Check {
    id: "I20",
    title: "an entry of a list goes to one buyer of its package, and none lies free while somebody waits",
    why: "two buyers would have one login, or somebody would wait for what is there",
    rules: &[
        Rule {
            says: "an entry was given to a buyer of another package",
            find: "SELECT e.id AS id, l.id AS detail FROM access_entries e JOIN order_lines l ON l.id = e.line_id
                    WHERE l.product_id IS NULL OR l.product_id <> e.product_id",
        },
        Rule {
            says: "a buyer was told an entry of a list that no entry is marked as",
            find: "SELECT p.line_id AS id, CAST(p.unit_no AS TEXT) AS detail FROM unit_parts p
                     JOIN order_lines l ON l.id = p.line_id
                     LEFT JOIN access_entries e ON e.line_id = p.line_id AND e.unit_no = p.unit_no
                    WHERE p.part = 'access' AND p.state = 'done' AND e.id IS NULL
                      AND l.deliverables LIKE '%\"source\":\"list\"%'",
        },
        Rule {
            says: "a buyer waits though the list has free entries, and nobody is working on it",
            find: "SELECT p.line_id AS id, CAST(p.unit_no AS TEXT) AS detail FROM unit_parts p
                     JOIN order_lines l ON l.id = p.line_id
                     JOIN grants g ON g.line_id = p.line_id AND g.unit_no = p.unit_no AND g.status = 'active'
                    WHERE p.part = 'access' AND p.state = 'waiting'
                      AND EXISTS (SELECT 1 FROM access_entries e WHERE e.product_id = l.product_id
                                     AND e.taken_at IS NULL AND e.removed_at IS NULL)
                      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'make_part'
                                         AND j.dedupe_key = p.line_id || ':' || p.unit_no || ':access:')",
        },
    ],
    code: None,
    not_applicable: None,
};
