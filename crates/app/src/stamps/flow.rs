//! Wanting copies, keeping whose they are, and finding that out again.

use db::{DbError, Source};
use kernel::{FileVersionId, GrantId, MerchantId, ProductFileId};
use stamp::{Found, Mark, Place};

use super::store::{self, Known};
use super::work::{self, Done, Task};
use super::{Copy, Names, mark};
use crate::app::App;
use crate::cx::Cx;
use crate::fulfillment::{self, Grant};
use crate::jobs::{self, Work};
use crate::orders::view;
use crate::parts::{self, Part, PartKey, Unit, UnitPart};
use crate::problem::{Code, Flow, Problem};
use crate::products::Product;
use crate::{downloads, merchants};

/// So many grants are gone over in one transaction when a new version comes.
const GRANTS_AT_ONCE: u32 = 200;

/// Wants a copy of each file that the grant gives only as one, and that has none yet.
pub fn want(cx: &mut Cx<'_, '_>, grant: &Grant) -> Result<(), DbError> {
    for version in downloads::store::lacking_copies(cx.tx, grant)? {
        let (line, unit_no) = (grant.line, grant.unit_no);
        let key = PartKey { line, unit_no, part: Part::Stamp, subject: version.to_string() };
        parts::flow::want_one(cx, grant.order, key)?;
    }
    Ok(())
}

/// Wants copies of what another part has just given its unit.
pub fn want_for_unit(cx: &mut Cx<'_, '_>, part: &UnitPart) -> Result<(), DbError> {
    let grants = fulfillment::store::of_line(cx.tx, cx.merchant, part.order, part.key.line)?;
    match grants.iter().find(|grant| grant.unit_no == part.key.unit_no) {
        Some(grant) => want(cx, grant),
        None => Ok(()),
    }
}

/// Has copies of a file's new version wanted for who is to get it. There may be very many of
/// them, so that is left to a job.
pub fn new_version(cx: &mut Cx<'_, '_>, product: &Product, file: ProductFileId) -> Result<(), DbError> {
    if product.deliverables.stamp.is_some() || store::any_of_file(cx.tx, file)? {
        jobs::flow::enqueue(cx, &Work::WantCopies { merchant: cx.merchant, file, after: None })?;
    }
    Ok(())
}

/// Wants copies of a file's newest version for some of who is to get it; answers who was last, if
/// there may be more.
pub fn want_some(
    cx: &mut Cx<'_, '_>,
    file: ProductFileId,
    after: Option<GrantId>,
) -> Result<Option<GrantId>, DbError> {
    let grants = store::grants_of_file(cx.tx, cx.merchant, file, after, GRANTS_AT_ONCE)?;
    for grant in &grants {
        want(cx, grant)?;
    }
    let all = u32::try_from(grants.len()).is_ok_and(|count| count < GRANTS_AT_ONCE);
    Ok(grants.last().map(|grant| grant.id).filter(|_| !all))
}

/// What is needed to make a copy.
#[derive(Debug, Clone)]
pub struct Reserved {
    /// Its code.
    pub mark: Mark,
    /// What its lines name.
    pub names: Names,
    /// The file.
    pub file: store::Original,
}

/// Keeps whose copy a code is, before there is a copy: no copy can come to light that is nobody's.
pub fn reserve(cx: &mut Cx<'_, '_>, unit: &Unit, version: FileVersionId) -> Flow<Reserved> {
    let (line, unit_no) = (unit.line.id, unit.grant.unit_no);
    let copy = Copy {
        mark: mark(cx.ring, cx.merchant, (line, unit_no), version),
        merchant: cx.merchant,
        order: unit.order.id,
        line,
        unit_no,
        version,
        made_at: cx.now,
    };
    store::insert(cx.tx, &copy)?;
    let reserved = store::code_of(cx.tx, &copy)?.ok_or_else(|| {
        Problem::new(Code::Internal, format!("the code {} of a copy belongs to another one", copy.mark))
    })?;
    let file = store::original(cx.tx, cx.merchant, version)?.ok_or_else(|| Problem::not_found("file"))?;
    Ok(Reserved { mark: reserved, names: names(cx.tx, unit)?, file })
}

fn names(source: &mut impl Source, unit: &Unit) -> Flow<Names> {
    let order = &unit.order;
    let merchant = merchants::store::by_id(source, order.merchant)?;
    let zone = jiff::tz::TimeZone::get(&merchant.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let locale = ui::Locale::parse(&merchant.locale).unwrap_or(ui::Locale::En);
    Ok(Names {
        name: order.buyer_name.trim().to_owned(),
        email: order.buyer_email.as_ref().map(ToString::to_string).unwrap_or_default(),
        order: view::number(order),
        date: locale.date(order.paid_at.unwrap_or(order.created_at), &zone),
        product: unit.line.name.clone(),
        shop: merchant.name,
    })
}

/// Staff decided to deliver a file without a stamp.
pub fn hand_out_unstamped(cx: &mut Cx<'_, '_>, key: &PartKey) -> Flow<()> {
    let version: FileVersionId = key.subject.parse().map_err(|_| Problem::not_found("file"))?;
    parts::store::insert_file(cx.tx, cx.merchant, key, version, Some(version), cx.now)?;
    Ok(())
}

/// A mark, where it was, and whose it is: nobody's when this shop made no copy with it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The code.
    pub mark: Mark,
    /// Where in the file it was.
    pub places: Vec<Place>,
    /// The copy.
    pub known: Option<Known>,
}

/// Finds the marks in a file, and whose they are at this merchant.
pub async fn look(app: &App, merchant: MerchantId, file: bytes::Bytes) -> Flow<Vec<Answer>> {
    let done = work::run(app, Task::Find, file, std::io::sink()).await.map_err(|error| {
        tracing::error!(%error, "a file could not be looked into");
        Problem::new(Code::Unavailable, format!("{error}; try again, and look into the log if it stays so"))
    })?;
    match done.0 {
        Done::Found(found) => app.read(move |snapshot| whose(snapshot, merchant, &found)).await,
        Done::Unfit(why) => {
            Err(Problem::invalid("file", format!("the file cannot be looked into: {why}")).into())
        }
        Done::Stamped | Done::Nothing => {
            Err(Problem::new(Code::Internal, "the helper for files answered something else").into())
        }
    }
}

/// Whose copies these marks are. Those that are known come first.
pub fn whose(source: &mut impl Source, merchant: MerchantId, found: &[Found]) -> Flow<Vec<Answer>> {
    let mut answers = Vec::new();
    for found in found {
        let known = store::by_mark(source, merchant, found.mark)?;
        answers.push(Answer { mark: found.mark, places: found.places.clone(), known });
    }
    answers.sort_by_key(|answer| answer.known.is_none());
    Ok(answers)
}
