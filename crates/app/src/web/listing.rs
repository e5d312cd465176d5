//! What a list's address asks for: words, filters, sort, page.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::Timestamp;
use ui::admin::{Direction, Listing, ListingBuilder, Sort, Word};

use crate::paging::{Ask, By, Mark, PAGE, Place, Slice, Way};

/// A column that a list can be sorted by, and the way that is wanted first.
pub type Column = (By, Way);

/// Longest search that is looked for.
const SEARCH_LENGTH_MAX: usize = 200;
/// Longest value of another parameter.
const VALUE_LENGTH_MAX: usize = 300;

/// The query of a list's address. What is not understood is as if it were not there: a
/// bookmark from before a change still shows the list.
#[derive(Debug, Clone, Default)]
pub struct Asked(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Asked {
    /// Reads a query.
    pub fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        Self(pairs.filter(|(_, value)| value.len() <= VALUE_LENGTH_MAX).collect())
    }

    /// A parameter, or nothing.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// The words looked for.
    pub fn search(&self) -> &str {
        let typed = self.get("q");
        typed
            .char_indices()
            .nth(SEARCH_LENGTH_MAX)
            .map_or(typed, |(end, _)| typed.get(..end).unwrap_or(typed))
    }

    /// A filter by a state or kind of the page, and the same as the database has it.
    pub fn word<W: Word>(&self, name: &str) -> Option<W> {
        W::parse(self.get(name))
    }

    /// A filter by a state or kind as the database has it.
    pub fn stored<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).parse().ok()
    }

    /// What is sorted by, and which page. The first column is the usual one.
    pub fn ask(&self, columns: &[Column]) -> Ask {
        let asked = self.get("sort");
        let (name, turned) = asked.strip_prefix('-').map_or((asked, false), |name| (name, true));
        let known = columns.iter().find(|(by, _)| by.name == name);
        let usual = columns.first().copied().unwrap_or((crate::paging::BY_ID, Way::Down));
        let (by, way) = match known {
            Some((by, _)) => (*by, if turned { Way::Down } else { Way::Up }),
            None => usual,
        };
        let place = if let Some(mark) = Mark::parse(self.get("after"), by) {
            Place::After(mark)
        } else if let Some(mark) = Mark::parse(self.get("before"), by) {
            Place::Before(mark)
        } else {
            Place::Start
        };
        Ask { by, way, place, most: PAGE }
    }

    /// From the start of the day `from` to the end of the day `to`, in the merchant's time zone.
    pub fn days(&self, zone: &str) -> Days {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let day = |name| self.get(name).parse::<Date>().ok();
        let start = |date: Date| {
            let start = date.to_zoned(zone.clone()).ok()?;
            Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
        };
        Days {
            from: day("from").and_then(start),
            until: day("to").and_then(|date| date.tomorrow().ok()).and_then(start),
        }
    }

    /// The list's surroundings: search and filters are the caller's, sort and pages are done.
    pub fn listing<T>(&self, path: &str, columns: &[Column], ask: &Ask, slice: &Slice<T>) -> ListingBuilder {
        let direction = |way| if way == Way::Up { Direction::Ascending } else { Direction::Descending };
        let sortable: Vec<(&str, Direction)> =
            columns.iter().map(|(by, way)| (by.name, direction(*way))).collect();
        let (before, after) = (slice.before.as_ref().map(Mark::text), slice.after.as_ref().map(Mark::text));
        Listing::of(path)
            .sorted(Sort::by(ask.by.name, direction(ask.way)), &sortable)
            .pages(before.as_deref(), after.as_deref())
    }
}

/// A stretch of time; open where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Until before this moment.
    pub until: Option<Timestamp>,
}

/// A stored word as the page's word. The two lists are held alike by a test.
pub fn word<W: Word>(stored: &str) -> W {
    W::parse(stored).or_else(|| W::ALL.first().copied()).expect("a list of words is not empty")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paging::{BY_ID, Key};

    #[test]
    fn a_day_is_the_merchants_day() {
        let days = Asked::parse("from=2026-03-29&to=2026-03-29").days("Europe/Berlin");
        let (from, until) = (days.from.unwrap(), days.until.unwrap());
        assert_eq!(from.to_string(), "2026-03-28T23:00:00Z");
        assert_eq!(until.since(from), kernel::Span::hours(23));
    }

    #[test]
    fn what_is_not_understood_shows_the_first_page() {
        let ask = Asked::parse("sort=password&after=%27%3B--&from=yesterday").ask(&[(BY_ID, Way::Down)]);
        assert_eq!(ask, Ask::newest(PAGE));
        assert_eq!(Asked::parse("from=yesterday").days("Nowhere/Else"), Days::default());
    }

    #[test]
    fn a_mark_comes_back_as_it_went() {
        let by = By { name: "name", column: "lower(name)", kind: crate::paging::KeyKind::Text };
        let mark = Mark { key: Key::Text("a~b & c".to_owned()), id: "prd_1".to_owned() };
        assert_eq!(Mark::parse(&mark.text(), by), Some(mark));
    }

    /// Holds that the page has a word for each one the database knows.
    fn alike<W: Word>(stored: &[&str]) {
        // Pages list what needs a person first: the words are the same, their order is the page's.
        let mut page: Vec<&str> = W::ALL.iter().map(|word| word.word()).collect();
        let mut stored = stored.to_vec();
        page.sort_unstable();
        stored.sort_unstable();
        assert_eq!(page, stored, "admin.{}", W::GROUP);
    }

    #[test]
    fn pages_and_database_have_the_same_words() {
        use ui::admin as page;
        macro_rules! stored {
            ($name:path) => {
                &<$name>::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()
            };
        }
        alike::<page::OrderStatus>(stored!(crate::orders::OrderStatus));
        alike::<page::OrderSource>(stored!(crate::orders::OrderSource));
        alike::<page::PaymentStatus>(stored!(crate::payments::PaymentStatus));
        alike::<page::FactKind>(stored!(crate::payments::FactKind));
        alike::<page::NoticeState>(stored!(crate::notices::NoticeState));
        alike::<page::GrantChange>(stored!(crate::fulfillment::GrantChange));
        alike::<page::DownloadState>(stored!(crate::downloads::DownloadState));
        alike::<page::MessageKind>(stored!(crate::messages::MessageKind));
        alike::<page::MessageState>(stored!(crate::messages::MessageState));
        alike::<page::ProductStatus>(stored!(crate::products::ProductStatus));
        alike::<page::FilePolicy>(stored!(crate::products::FilePolicy));
        alike::<page::PendingPolicy>(stored!(crate::products::PendingPolicy));
        alike::<page::ReviewKind>(stored!(crate::reviews::ReviewKind));
        alike::<page::InvoiceKind>(stored!(crate::invoices::InvoiceKind));
        alike::<page::Role>(stored!(crate::staff::Role));
    }
}
