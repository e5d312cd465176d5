//! What surrounds a list: search, filters, sort, pages and export, as addresses.
//!
//! A handler tells what was asked for and what there is; the addresses of every head, page and
//! export follow. Lists are addresses through and through: they work without script, can be
//! kept as bookmarks and sent to a colleague.

use std::collections::BTreeMap;

use serde::Serialize;

use super::words::Word;

/// A text of the catalog, or one that is nobody's to translate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A key of the catalog.
    Key(String),
    /// As it stands: a name, an address.
    Text(String),
}

impl Label {
    /// A key of the catalog.
    pub fn key(key: impl Into<String>) -> Self {
        Self::Key(key.into())
    }

    /// As it stands.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// One choice of a filter or a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is posted.
    pub value: String,
    /// What is read.
    pub label: Label,
}

/// A filter of a list; its words are `admin.filter.NAME` in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// The query parameter.
    pub name: String,
    /// What is chosen; empty for everything.
    pub value: String,
    /// How it is asked.
    pub input: FilterInput,
}

/// How a filter is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FilterInput {
    /// One of several.
    Choice {
        /// Without the one for everything.
        options: Vec<Choice>,
    },
    /// A calendar day, `2026-09-21`, in the merchant's time zone.
    Day,
}

/// The filter that is used most, as tabs that need no button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tabs {
    /// The query parameter.
    pub name: String,
    /// What is chosen; empty for everything.
    pub value: String,
    /// The one for everything first.
    pub options: Vec<Tab>,
}

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tab {
    /// What it chooses.
    pub value: String,
    /// What is read.
    pub label: Label,
    /// The address that chooses it.
    pub url: String,
}

/// Which way a column is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A to Z, old to new, small to large.
    Ascending,
    /// The other way.
    Descending,
}

/// What a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sort {
    /// The column's key.
    pub key: String,
    /// Whether it is turned round.
    pub descending: bool,
}

impl Sort {
    /// By this column, this way.
    pub fn by(key: &str, direction: Direction) -> Self {
        Self { key: key.to_owned(), descending: direction == Direction::Descending }
    }

    /// Reads the query parameter `sort`: `created` or, turned round, `-created`.
    /// `None` when it is no column of `sortable`.
    pub fn parse(parameter: &str, sortable: &[(&str, Direction)]) -> Option<Self> {
        let (key, descending) = parameter.strip_prefix('-').map_or((parameter, false), |key| (key, true));
        let known = sortable.iter().any(|(column, _)| *column == key);
        known.then(|| Self { key: key.to_owned(), descending })
    }

    fn parameter(&self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.key)
    }
}

/// A list's surroundings with all their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The list's path.
    pub path: String,
    /// The words looked for (`q`); `None` where there is no search.
    pub search: Option<String>,
    /// The filter that is used most.
    pub tabs: Option<Tabs>,
    /// In the order they are shown.
    pub filters: Vec<Filter>,
    /// What it is sorted by.
    pub sort: Option<Sort>,
    /// Column to the address that sorts by it, or turns it round.
    pub sort_urls: BTreeMap<String, String>,
    /// Towards the start.
    pub newer: Option<String>,
    /// Towards the end.
    pub older: Option<String>,
    /// The same list as a file.
    pub csv: Option<String>,
    /// Whether search or filters leave something out.
    pub narrowed: bool,
    /// How many filters are set: on a phone they are folded away.
    pub filters_set: usize,
}

impl Listing {
    /// Starts with the list's path, such as `/admin/orders`.
    pub fn of(path: &str) -> ListingBuilder {
        ListingBuilder {
            path: path.to_owned(),
            search: None,
            tabs: None,
            filters: Vec::new(),
            sort: None,
            sortable: Vec::new(),
            before: None,
            after: None,
            csv: None,
        }
    }
}

/// Collects what a [`Listing`] is made of.
#[derive(Debug, Clone)]
pub struct ListingBuilder {
    path: String,
    search: Option<String>,
    tabs: Option<Tabs>,
    filters: Vec<Filter>,
    sort: Option<Sort>,
    sortable: Vec<(String, Direction)>,
    before: Option<String>,
    after: Option<String>,
    csv: Option<String>,
}

impl ListingBuilder {
    /// A search field (`q`) with what was typed.
    #[must_use]
    pub fn search(mut self, typed: &str) -> Self {
        self.search = Some(typed.to_owned());
        self
    }

    /// The state that is asked for most, as tabs.
    #[must_use]
    pub fn tabs<W: Word>(mut self, name: &str, chosen: Option<W>) -> Self {
        let all = Choice { value: String::new(), label: Label::key("admin.list.all") };
        let tab = |choice: Choice| Tab { value: choice.value, label: choice.label, url: String::new() };
        self.tabs = Some(Tabs {
            name: name.to_owned(),
            value: chosen.map_or("", Word::word).to_owned(),
            options: std::iter::once(all).chain(W::choices()).map(tab).collect(),
        });
        self
    }

    /// A filter by a state or kind.
    #[must_use]
    pub fn word<W: Word>(self, name: &str, chosen: Option<W>) -> Self {
        self.choice(name, chosen.map_or("", Word::word), W::choices())
    }

    /// A filter by something with names of its own, such as a connection.
    #[must_use]
    pub fn choice(mut self, name: &str, chosen: &str, options: Vec<Choice>) -> Self {
        let input = FilterInput::Choice { options };
        self.filters.push(Filter { name: name.to_owned(), value: chosen.to_owned(), input });
        self
    }

    /// A filter by a calendar day, such as `from` and `to`; empty for any.
    #[must_use]
    pub fn day(mut self, name: &str, chosen: &str) -> Self {
        let filter = Filter { name: name.to_owned(), value: chosen.to_owned(), input: FilterInput::Day };
        self.filters.push(filter);
        self
    }

    /// What it is sorted by, and every column it could be, with the way that is wanted first.
    #[must_use]
    pub fn sorted(mut self, by: Sort, sortable: &[(&str, Direction)]) -> Self {
        self.sort = Some(by);
        self.sortable = sortable.iter().map(|(key, way)| ((*key).to_owned(), *way)).collect();
        self
    }

    /// The marks of the rows at the ends, where there is something beyond: posted as `before`
    /// (towards the start) and `after` (towards the end).
    #[must_use]
    pub fn pages(mut self, before: Option<&str>, after: Option<&str>) -> Self {
        self.before = before.map(str::to_owned);
        self.after = after.map(str::to_owned);
        self
    }

    /// Where the same list is had as a file; search, filters and sort are added.
    #[must_use]
    pub fn csv(mut self, path: &str) -> Self {
        self.csv = Some(path.to_owned());
        self
    }

    /// Works out the addresses.
    pub fn done(self) -> Listing {
        let search = self.search.iter().map(|typed| ("q", typed.as_str()));
        let tabs = self.tabs.iter().map(|tabs| (tabs.name.as_str(), tabs.value.as_str()));
        let filters = self.filters.iter().map(|filter| (filter.name.as_str(), filter.value.as_str()));
        let asked = search.chain(tabs).chain(filters);
        let kept: Vec<(&str, &str)> = asked.filter(|(_, value)| !value.is_empty()).collect();
        let by = self.sort.as_ref().map(Sort::parameter);
        let address = |path: &str, sort: Option<&str>, page: Option<(&str, &str)>| {
            let sort = sort.map(|sort| ("sort", sort));
            address(path, kept.iter().copied().chain(sort).chain(page))
        };
        let sort_url = |(key, first): &(String, Direction)| {
            let turned = match &self.sort {
                Some(sort) if sort.key == *key => !sort.descending,
                _ => *first == Direction::Descending,
            };
            let sort = Sort { key: key.clone(), descending: turned }.parameter();
            (key.clone(), address(&self.path, Some(&sort), None))
        };
        let tab_url = |tabs: &Tabs, tab: &Tab| {
            let others = kept.iter().copied().filter(|(name, _)| *name != tabs.name);
            let chosen =
                Some((tabs.name.as_str(), tab.value.as_str())).filter(|(_, value)| !value.is_empty());
            let sort = by.as_deref().map(|sort| ("sort", sort));
            self::address(&self.path, others.chain(chosen).chain(sort))
        };
        let with_urls = |tabs: &Tabs| Tabs {
            options: tabs.options.iter().map(|tab| Tab { url: tab_url(tabs, tab), ..tab.clone() }).collect(),
            ..tabs.clone()
        };
        let page = |name: &str, mark: &Option<String>| {
            mark.as_ref().map(|mark| address(&self.path, by.as_deref(), Some((name, mark))))
        };
        Listing {
            tabs: self.tabs.as_ref().map(with_urls),
            sort_urls: self.sortable.iter().map(sort_url).collect(),
            newer: page("before", &self.before),
            older: page("after", &self.after),
            csv: self.csv.as_ref().map(|path| address(path, by.as_deref(), None)),
            narrowed: !kept.is_empty(),
            filters_set: self.filters.iter().filter(|filter| !filter.value.is_empty()).count(),
            path: self.path,
            search: self.search,
            filters: self.filters,
            sort: self.sort,
        }
    }
}

fn address<'a>(path: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = path.to_owned();
    for (place, (name, value)) in parameters.enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(&encoded(name));
        text.push('=');
        text.push_str(&encoded(value));
    }
    text
}

/// A query parameter's name or value, percent-encoded except for RFC 3986's unreserved characters.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::words::OrderStatus;

    const SORTABLE: &[(&str, Direction)] =
        &[("created", Direction::Descending), ("buyer", Direction::Ascending)];

    fn listing() -> Listing {
        Listing::of("/admin/orders")
            .search("ada & co")
            .tabs("status", Some(OrderStatus::Paid))
            .day("from", "")
            .sorted(Sort::by("created", Direction::Descending), SORTABLE)
            .pages(None, Some("ord_1"))
            .csv("/admin/orders.csv")
            .done()
    }

    #[test]
    fn the_next_page_keeps_search_filters_and_sort() {
        let older = "/admin/orders?q=ada%20%26%20co&status=paid&sort=-created&after=ord_1";
        assert_eq!(listing().older.as_deref(), Some(older));
        assert_eq!(listing().newer, None);
    }

    #[test]
    fn a_new_sort_starts_at_the_first_page_and_the_same_one_turns_round() {
        let urls = listing().sort_urls;
        assert_eq!(urls["created"], "/admin/orders?q=ada%20%26%20co&status=paid&sort=created");
        assert_eq!(urls["buyer"], "/admin/orders?q=ada%20%26%20co&status=paid&sort=buyer");
    }

    #[test]
    fn a_tab_keeps_what_was_searched_for_and_the_first_one_shows_everything() {
        let tabs = listing().tabs.unwrap();
        assert_eq!(tabs.options[0].url, "/admin/orders?q=ada%20%26%20co&sort=-created");
        assert_eq!(tabs.options[2].url, "/admin/orders?q=ada%20%26%20co&status=pending&sort=-created");
    }

    #[test]
    fn only_known_columns_are_sorted_by() {
        assert_eq!(Sort::parse("-created", SORTABLE), Some(Sort::by("created", Direction::Descending)));
        assert_eq!(Sort::parse("password", SORTABLE), None);
    }

    #[test]
    fn an_untouched_list_is_not_narrowed() {
        assert!(!Listing::of("/x").search("").day("from", "").done().narrowed);
        assert!(listing().narrowed);
    }
}
