//! What must be true when everything has calmed down: who was told what, against the database.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use db::{Db, DbError, sql};
use gateways::RawPost;
use kernel::{Clock as _, SystemClock};
use mail::Mailbox;
use paysim::NoticeState;

use crate::load::{Purchase, Story};
use crate::trouble::Tried;
use crate::wait;
use crate::world::{Build, World};

/// Everything has been said and done within this time, or something is stuck.
const CALM_WITHIN: Duration = Duration::from_secs(90);
/// Notices that were not answered are sent again at every so many-th look.
const SEND_AGAIN_EVERY: u32 = 16;
/// The same as a time.
const SEND_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Longer than any eCheck takes.
const DAYS_LATER: u32 = 5;

/// A mail that the mail server took.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whose it is.
    pub to: String,
    /// The left half of its Message-ID: the message's id.
    pub message: String,
    /// The path of the keyed link in it.
    pub link: Option<String>,
}

/// Everything that the mail server took.
pub struct Mails {
    mailbox: Mailbox,
    read: u64,
    all: Vec<Mail>,
    fetched: BTreeSet<String>,
}

impl Mails {
    /// Those of this mailbox.
    pub const fn of(mailbox: Mailbox) -> Self {
        Self { mailbox, read: 0, all: Vec::new(), fetched: BTreeSet::new() }
    }

    /// All that were taken in, oldest first.
    pub fn all(&self) -> &[Mail] {
        &self.all
    }

    /// Takes in what has come since; the mailbox keeps only so much.
    pub fn take_in(&mut self) {
        let seen = self.read;
        for received in self.mailbox.all().into_iter().filter(|received| received.id > seen) {
            self.read = received.id;
            let parsed = received.parse();
            let id = parsed.header("Message-ID").unwrap_or_default().trim_matches(['<', '>']);
            self.all.push(Mail {
                to: received.to.first().map(ToString::to_string).unwrap_or_default(),
                message: id.split('@').next().unwrap_or_default().to_owned(),
                link: link_in(&parsed.text),
            });
        }
    }

    /// How many came once more.
    pub fn again(&self) -> usize {
        let different: BTreeSet<&str> = self.all.iter().map(|mail| mail.message.as_str()).collect();
        self.all.len() - different.len()
    }

    /// How many files were fetched whole.
    pub fn fetched(&self) -> usize {
        self.fetched.len()
    }

    /// The link that a buyer has in hand.
    pub fn link_of(&self, email: &str) -> Option<&str> {
        self.all.iter().filter(|mail| mail.to == email).find_map(|mail| mail.link.as_deref())
    }

    /// Notes that a buyer has fetched what was bought.
    pub fn note_fetched(&mut self, email: &str) {
        self.fetched.insert(email.to_owned());
    }

    /// Whether a buyer has fetched what was bought.
    pub fn has_fetched(&self, email: &str) -> bool {
        self.fetched.contains(email)
    }
}

fn link_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("/d/")?;
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    Some(format!("/d/{token}"))
}

/// What the database says of one payment.
#[derive(Debug, Clone)]
struct Row {
    order: String,
    units: i64,
    grants: i64,
    receipts: i64,
}

impl World {
    /// Waits until every notice is acknowledged and all work is done. What is left is a finding.
    pub fn settle(&mut self) -> Tried<Vec<String>> {
        let mut findings = self.calm_down()?;
        self.sim.advance(DAYS_LATER);
        findings.extend(self.calm_down()?);
        self.mails.take_in();
        Ok(findings)
    }

    /// Waits until every notice is acknowledged by nodes that were not started anew.
    pub fn all_heard(&self) -> Vec<String> {
        let heard = wait::until(CALM_WITHIN, || {
            self.sim.with(|book, now| book.hasten(now));
            wait::pass(SEND_AGAIN_AFTER);
            (self.unheard() == 0).then_some(())
        });
        let stuck = || format!("stuck: {} notices were not answered with 200", self.unheard());
        heard.map_or_else(|| vec![stuck()], |()| Vec::new())
    }

    fn calm_down(&self) -> Tried<Vec<String>> {
        let db = self.open()?;
        let mut looks = 0u32;
        let looked = wait::until(CALM_WITHIN, || {
            looks += 1;
            if looks % SEND_AGAIN_EVERY == 1 {
                self.sim.with(|book, now| book.hasten(now));
            }
            let unheard = self.unheard();
            let left = match left_to_do(&db) {
                Ok(left) => left,
                Err(error) => return Some(Err(error)),
            };
            (unheard == 0 && left.is_empty()).then_some(Ok(()))
        });
        let left = match looked {
            Some(looked) => looked.map(|()| Vec::new())?,
            None => {
                let mut left = left_to_do(&db)?;
                left.push(format!("{} notices were not answered with 200", self.unheard()));
                left
            }
        };
        let mut findings: Vec<String> = left.into_iter().map(|what| format!("stuck: {what}")).collect();
        findings.extend(given_up(&db)?);
        db.close();
        Ok(findings)
    }

    fn unheard(&self) -> usize {
        let on_their_way =
            |state| matches!(state, NoticeState::Waiting | NoticeState::Sending | NoticeState::GivenUp);
        self.sim.with(|book, _| book.notices().filter(|notice| on_their_way(notice.state)).count())
    }

    /// The transport keys of all notices that were answered with 200.
    pub fn acknowledged(&self) -> BTreeSet<[u8; 32]> {
        let heard = |notice: &paysim::Notice| notice.attempts.iter().any(|tried| tried.answer.is_receipt());
        let key = |notice: &paysim::Notice| key_of(&self.goods.hook, &notice.body);
        self.sim.with(|book, _| book.notices().filter(|notice| heard(notice)).map(key).collect())
    }

    /// Everything that was lost, done twice or done for nothing.
    pub fn check(&mut self) -> Tried<Vec<String>> {
        let db = self.open()?;
        let mut findings = self.lost_notices(&db)?;
        findings.extend(self.wrong_deliveries(&db)?);
        findings.extend(self.wrong_mails(&db)?);
        db.close();
        findings.extend(self.audit()?);
        findings.extend(self.fetch_something()?);
        Ok(findings)
    }

    fn lost_notices(&self, db: &Db) -> Tried<Vec<String>> {
        let stored: Vec<[u8; 32]> = db.read_blocking(|snapshot| {
            sql("SELECT transport_key FROM notices").all(snapshot, |row| row.get("transport_key"))
        })?;
        let stored: BTreeSet<[u8; 32]> = stored.into_iter().collect();
        let lost = self.acknowledged().into_iter().filter(|key| !stored.contains(key));
        Ok(lost
            .map(|key| format!("lost: a notice that was answered with 200, {}", hex::encode(key)))
            .collect())
    }

    fn wrong_deliveries(&self, db: &Db) -> Tried<Vec<String>> {
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for (payment, row) in delivered(db)? {
            rows.entry(payment).or_default().push(row);
        }
        let orders_of = |email: String| {
            db.read_blocking(move |snapshot| {
                sql("SELECT CAST(count(*) AS BIGINT) AS orders FROM orders WHERE buyer_email = $1")
                    .bind(email.as_str())
                    .one(snapshot, |row| row.get::<i64>("orders"))
            })
        };
        // What was gathered after the receipt had left has a mail of its own, with the same link.
        let later: BTreeSet<String> = db
            .read_blocking(|snapshot| {
                sql("SELECT id FROM messages WHERE kind = 'ready'").all(snapshot, |row| row.get("id"))
            })?
            .into_iter()
            .collect();
        let mut findings = Vec::new();
        for bought in &self.purchases {
            let found = rows.get(&bought.txn_id).map_or(&[][..], Vec::as_slice);
            findings.extend(misdelivered(bought, found, self.receipts_for(bought, &later)));
            let orders: i64 = orders_of(bought.email.clone())?;
            if orders > 1 {
                findings.push(format!("twice: {orders} orders of {}, who bought once", bought.email));
            }
        }
        Ok(findings)
    }

    /// Different receipts with a link that a buyer has heard of; repetitions of one count once.
    fn receipts_for(&self, bought: &Purchase, later: &BTreeSet<String>) -> usize {
        let own =
            |mail: &&Mail| mail.to == bought.email && mail.link.is_some() && !later.contains(&mail.message);
        let mails = self.mails.all().iter().filter(own);
        mails.map(|mail| mail.message.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// Mail that the database does not know of, more copies than attempts, and mail that is said to
    /// be sent and was never taken.
    fn wrong_mails(&self, db: &Db) -> Tried<Vec<String>> {
        let known: BTreeMap<String, (i64, String)> = db
            .read_blocking(|snapshot| {
                sql("SELECT id, attempts, state FROM messages")
                    .all(snapshot, |row| Ok((row.get("id")?, (row.get("attempts")?, row.get("state")?))))
            })?
            .into_iter()
            .collect();
        let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
        for mail in self.mails.all() {
            *taken.entry(&mail.message).or_default() += 1;
        }
        let mut findings = Vec::new();
        for (message, copies) in &taken {
            match known.get(*message) {
                None => findings.push(format!("a mail left that the database does not know: {message}")),
                Some((attempts, _)) if copies > attempts => {
                    findings.push(format!("{message} was sent {copies} times in {attempts} attempts"));
                }
                Some(_) => {}
            }
        }
        let unsent =
            known.iter().filter(|(id, (_, state))| state == "sent" && !taken.contains_key(id.as_str()));
        findings.extend(
            unsent.map(|(id, _)| format!("lost: {id} is sent, and the mail server has no such mail")),
        );
        let again = self.mails.again();
        if again > usize::try_from(self.kills).unwrap_or(usize::MAX) {
            findings.push(format!("{again} mails came again, after {} kills", self.kills));
        }
        Ok(findings)
    }

    fn audit(&self) -> Tried<Vec<String>> {
        let ran = self.run(Build::Shipped, &self.place, &["audit", "--deep", "--json"])?;
        if ran.status.success() {
            return Ok(Vec::new());
        }
        let checks: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_default();
        let broken = checks.as_array().into_iter().flatten().filter(|check| check["verdict"] == "broken");
        let words: Vec<String> = broken.map(|check| format!("audit: {check}")).collect();
        Ok(if words.is_empty() { vec![format!("audit: {}{}", ran.out, ran.err)] } else { words })
    }
}

fn misdelivered(bought: &Purchase, rows: &[Row], receipts: usize) -> Vec<String> {
    let Purchase { story, txn_id, email, .. } = bought;
    let units: i64 = rows.iter().map(|row| row.units).sum();
    let grants: i64 = rows.iter().map(|row| row.grants).sum();
    let intended: i64 = rows.iter().map(|row| row.receipts).sum();
    let orders: BTreeSet<&str> = rows.iter().map(|row| row.order.as_str()).collect();
    let facts = format!(
        "{story:?} {txn_id} of {email}: {} orders, {units} units, {grants} grants, {intended} receipts meant, \
         {receipts} sent",
        orders.len()
    );
    let fits = match story {
        Story::Paid | Story::Clears => {
            orders.len() == 1 && units == 1 && grants == 1 && intended == 1 && receipts == 1
        }
        // Money that came and went in one moment may be taken back before anything was sent.
        Story::Refunded => orders.len() == 1 && units <= 1 && grants == 0 && intended <= 1 && receipts <= 1,
        Story::Bounces | Story::Denied | Story::TooLittle => {
            units == 0 && grants == 0 && intended == 0 && receipts == 0
        }
    };
    if fits { Vec::new() } else { vec![format!("misdelivered: {facts}")] }
}

fn delivered(db: &Db) -> Tried<Vec<(String, Row)>> {
    let rows = db.read_blocking(|snapshot| {
        sql("SELECT p.gateway_ref, o.id,
                    (SELECT CAST(count(*) AS BIGINT) FROM units u WHERE u.order_id = o.id) AS units,
                    (SELECT CAST(count(*) AS BIGINT) FROM grants g
                      WHERE g.order_id = o.id AND g.status IN ('active', 'provisional')) AS grants,
                    (SELECT CAST(count(*) AS BIGINT) FROM messages m
                      WHERE m.order_id = o.id AND m.kind = 'receipt') AS receipts
               FROM payments p JOIN orders o ON o.id = p.order_id")
        .all(snapshot, |row| {
            let found = Row {
                order: row.get("id")?,
                units: row.get("units")?,
                grants: row.get("grants")?,
                receipts: row.get("receipts")?,
            };
            Ok((row.get("gateway_ref")?, found))
        })
    })?;
    Ok(rows)
}

/// What somebody still has to do.
fn left_to_do(db: &Db) -> Result<Vec<String>, DbError> {
    db.read_blocking(|snapshot| {
        sql("SELECT kind, state, last_error FROM jobs WHERE state <> 'dead' LIMIT 5").all(snapshot, |row| {
            let (kind, state, error): (String, String, String) =
                (row.get("kind")?, row.get("state")?, row.get("last_error")?);
            Ok(format!("{kind} is {state}: {error}"))
        })
    })
}

fn given_up(db: &Db) -> Result<Vec<String>, DbError> {
    db.read_blocking(|snapshot| {
        sql("SELECT kind, last_error FROM jobs WHERE state = 'dead' LIMIT 5").all(snapshot, |row| {
            let (kind, error): (String, String) = (row.get("kind")?, row.get("last_error")?);
            Ok(format!("given up: {kind}: {error}"))
        })
    })
}

/// Recognizes a notice as the inbox does.
pub fn key_of(hook: &str, body: &[u8]) -> [u8; 32] {
    app::notices::transport_key(&RawPost {
        method: "POST".to_owned(),
        target: hook.to_owned(),
        headers: Vec::new(),
        body: body.to_vec(),
        received_at: SystemClock::default().now(),
    })
}
