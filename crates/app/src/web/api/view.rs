//! What views have in common: money, pages, words.

use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct Amount {
    /// With a point before the decimals, as many as the currency has.
    #[schema(example = "12.34")]
    pub amount: String,
    /// In whole minor units.
    #[schema(example = 1234)]
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal(), minor: money.minor, currency: money.currency }
    }
}

impl Amount {
    /// So many minor units.
    pub fn of(minor: i64, currency: Currency) -> Self {
        Money::new(minor, currency).into()
    }
}

/// Money in a request. `amount` or `minor`; when both are given they must agree.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoneyInput)]
pub struct AmountInput {
    /// With a point before the decimals.
    #[schema(example = "12.34")]
    pub amount: Option<String>,
    /// In whole minor units.
    #[schema(example = 1234)]
    pub minor: Option<i64>,
    /// The currency.
    pub currency: Currency,
}

impl AmountInput {
    /// The money, or what is wrong with the field.
    pub fn money(&self, pointer: &str) -> Result<Money, Problem> {
        let minor = self.minor.map(|minor| Money::new(minor, self.currency));
        let amount = self.amount.as_deref().map(|text| Money::parse(text, self.currency)).transpose();
        let amount = amount.map_err(|error| Problem::invalid(pointer, error))?;
        match (amount, minor) {
            (Some(amount), Some(minor)) if amount != minor => {
                let text = format!("\"amount\" is {amount} and \"minor\" is {minor}; send one of them");
                Err(Problem::invalid(pointer, text))
            }
            (Some(money), _) | (None, Some(money)) => Ok(money),
            (None, None) => Err(Problem::invalid(pointer, "say how much: \"amount\" or \"minor\"")),
        }
    }
}

/// Part of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to send as `after` for the next part; `null` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items out of one row more than that, which tells whether
    /// there is a next page.
    pub fn of<R>(
        mut rows: Vec<R>,
        limit: u32,
        cursor: impl Fn(&R) -> String,
        view: impl FnMut(R) -> T,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { items: rows.into_iter().map(view).collect(), next }
    }
}

/// A request without a body or without parameters.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Lets enums of words stand in views: a string that is one of the words.
macro_rules! words_in_views {
    ($($path:path as $name:literal),* $(,)?) => {$(
        impl utoipa::PartialSchema for $path {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some(Self::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }
        impl utoipa::ToSchema for $path {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

words_in_views!(
    crate::api_keys::Scope as "Scope",
    crate::fulfillment::GrantStatus as "GrantStatus",
    crate::invoices::InvoiceKind as "InvoiceKind",
    crate::messages::MessageKind as "MessageKind",
    crate::messages::MessageState as "MessageState",
    crate::notices::NoticeState as "NoticeState",
    crate::orders::LineKind as "LineKind",
    crate::orders::OrderSource as "OrderSource",
    crate::orders::OrderStatus as "OrderStatus",
    crate::payments::FactKind as "FactKind",
    crate::payments::PaymentStatus as "PaymentStatus",
    crate::problem::Code as "Code",
    crate::products::FilePolicy as "FilePolicy",
    crate::products::PendingPolicy as "PendingPolicy",
    crate::products::ProductStatus as "ProductStatus",
    crate::reviews::ReviewKind as "ReviewKind",
    crate::reviews::Which as "WhichReviews",
);
