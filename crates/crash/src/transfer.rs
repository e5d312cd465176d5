//! A buyer with a link: landing page, POST, bytes, and once more from where it broke off.

use sha2::{Digest as _, Sha256};

use crate::http::{self, Answer, Question};
use crate::load::{GATHERED, Purchase};
use crate::trouble::{Tried, trouble};
use crate::world::World;

/// A transfer that breaks off this often is given up.
const TRIES_MAX: usize = 5;

/// Somebody who downloads, at one of the nodes.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Where the node listens.
    pub port: u16,
    /// The shop's name.
    pub host: String,
    /// The path of the keyed link.
    pub link: String,
}

impl Buyer {
    /// Asks for something.
    pub fn ask(&self, method: &str, path: &str, lines: &str) -> Tried<Answer> {
        http::ask(self.port, &self.host, &Question { method, path, lines, body: &[] })
    }

    /// Opens the landing page and presses its button; gives the path of the bytes.
    pub fn begin(&self) -> Tried<String> {
        let page = self.ask("GET", &self.link, "")?;
        let text = page.text();
        let action = text.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let action =
            action.map(unescaped).find(|action| action.contains("/files/") || action.contains("/resume/"));
        let action =
            action.ok_or_else(|| trouble(format!("{} ({}) offers no file", self.link, page.status)))?;
        let path = action.strip_prefix(&format!("http://{}", self.host)).unwrap_or(&action);
        let sent = self.ask("POST", path, "content-type: application/x-www-form-urlencoded\r\n")?;
        let location = sent.header("location").map(str::to_owned);
        let location = location.ok_or_else(|| trouble(format!("POST {path} answered {}", sent.status)))?;
        Ok(location.strip_prefix(&format!("http://{}", self.host)).unwrap_or(&location).to_owned())
    }

    /// Fetches what is missing after these bytes, until there are as many as announced.
    pub fn finish(&self, path: &str, mut have: Vec<u8>) -> Tried<Vec<u8>> {
        for _ in 0..TRIES_MAX {
            let line = format!("range: bytes={}-\r\n", have.len());
            let answer = self.ask("GET", path, &line)?;
            if answer.status != 206 {
                return Err(trouble(format!("GET {path} from {} answered {}", have.len(), answer.status)));
            }
            let range = answer.header("content-range").unwrap_or_default();
            let whole: usize = range.rsplit('/').next().and_then(|size| size.parse().ok()).unwrap_or(0);
            have.extend_from_slice(&answer.body);
            if have.len() >= whole {
                return Ok(have);
            }
        }
        Err(trouble(format!("{path} broke off {TRIES_MAX} times")))
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&#x2f;", "/").replace("&#x2F;", "/").replace("&amp;", "&")
}

impl World {
    /// A delivered purchase that nobody has fetched yet, of this product if one is named; else of
    /// one that is there as soon as it is paid.
    pub fn unfetched(&self, product: Option<usize>) -> Option<Purchase> {
        let fits = |bought: &&Purchase| {
            bought.is_delivered()
                && product.map_or(bought.product != GATHERED, |product| product == bought.product)
                && !self.mails.has_fetched(&bought.email)
                && self.mails.link_of(&bought.email).is_some()
        };
        self.purchases.iter().rev().find(fits).cloned()
    }

    /// The buyer of this, at the first node.
    pub fn buyer_of(&self, bought: &Purchase) -> Tried<Buyer> {
        let link = self.mails.link_of(&bought.email).ok_or_else(|| trouble("there is no link yet"))?;
        Ok(Buyer { port: self.port(), host: self.host(), link: link.to_owned() })
    }

    /// Fetches something that was delivered. A link that does not work is a finding.
    pub fn fetch_something(&mut self) -> Tried<Vec<String>> {
        self.unfetched(None).map_or_else(|| Ok(Vec::new()), |bought| self.fetch(&bought))
    }

    /// Fetches something that was gathered for its order. There must be such a thing by now.
    pub fn fetch_gathered(&mut self) -> Tried<Vec<String>> {
        match self.unfetched(Some(GATHERED)) {
            Some(bought) => self.fetch(&bought),
            None => Ok(vec!["nothing that was gathered can be fetched".to_owned()]),
        }
    }

    fn fetch(&mut self, bought: &Purchase) -> Tried<Vec<String>> {
        let buyer = self.buyer_of(bought)?;
        let fetched = buyer.begin().and_then(|path| buyer.finish(&path, Vec::new()));
        Ok(self.compare(bought, fetched))
    }

    /// Compares what a buyer got with what was sold.
    pub fn compare(&mut self, bought: &Purchase, fetched: Tried<Vec<u8>>) -> Vec<String> {
        self.mails.note_fetched(&bought.email);
        let sold = self.goods.digests.get(bought.product).cloned().unwrap_or_default();
        match fetched {
            Ok(bytes) if hex::encode(Sha256::digest(&bytes)) == sold => Vec::new(),
            Ok(bytes) => {
                vec![format!("{} got {} bytes that are not what was sold", bought.email, bytes.len())]
            }
            Err(why) => vec![format!("{} could not download: {why}", bought.email)],
        }
    }
}
