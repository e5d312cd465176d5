//! How the stores stand, and who delivers, for those who sell what lies in them.

use axum::extract::State;
use axum::response::Response;
use db::Source;
use kernel::{MerchantId, Timestamp};
use stores::PRESIGNED_MAX;
use ui::admin::{Defect as Shown, DeliveryWay, LackingRow, StoreRow, StoreStanding, StoresPage};

use super::store::Lacking;
use super::{Defect, StoreState, TOLD_FOR, Way, flow, store};
use crate::app::App;
use crate::problem::{Flow, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::StaffVisit;

/// The page of the stores.
pub const STORES: &str = "/admin/stores";
/// Most files listed: beyond that it is the store that is broken, not some files.
const LACKING_MAX: u32 = 100;

/// Registers the route.
pub fn desk(desk: Desk) -> Desk {
    desk.get(STORES, Right::Read, show).post("/admin/stores/delivery", Right::Settings, deliver)
}

/// What of the page is not in the database.
struct House {
    names: Vec<String>,
    has_bucket: bool,
    has_proxy: bool,
    now: Timestamp,
}

/// `GET /admin/stores`
async fn show(State(app): State<App>, staff: StaffVisit) -> Response {
    let house = House {
        names: app.stores().members().iter().map(|member| member.name.clone()).collect(),
        has_bucket: !app.blobs().presigns_from().is_empty(),
        has_proxy: app.settings().hand_off.is_some(),
        now: app.now(),
    };
    let merchant = staff.visit.merchant.id;
    let page = app.read(move |snapshot| page(snapshot, merchant, &house)).await;
    staff.answer(&app, page)
}

#[derive(Debug, serde::Deserialize)]
struct Wish {
    way: String,
}

/// `POST /admin/stores/delivery`
async fn deliver(State(app): State<App>, staff: StaffVisit, Posted(wish): Posted<Wish>) -> Response {
    let Ok(way) = wish.way.parse::<Way>() else {
        return staff.refuse(&app, Problem::invalid("way", "choose one of the ways"));
    };
    let done = staff.write(&app, move |cx| flow::deliver(cx, way)).await;
    staff.after(&app, done, STORES, "saved")
}

fn page(source: &mut impl Source, merchant: MerchantId, house: &House) -> Flow<StoresPage> {
    let states = store::states(source)?;
    let row = |(place, name): (usize, &String)| {
        row(name, place == 0, states.iter().find(|state| state.name == *name))
    };
    let lacking = store::lacking(source, merchant, house.now - TOLD_FOR, LACKING_MAX)?;
    Ok(StoresPage {
        way: match store::way(source, merchant)? {
            Way::ThroughUs => DeliveryWay::ThroughUs,
            Way::Redirect => DeliveryWay::Redirect,
        },
        has_bucket: house.has_bucket,
        has_proxy: house.has_proxy,
        minutes: PRESIGNED_MAX.as_seconds() / 60,
        stores: house.names.iter().enumerate().map(row).collect(),
        lacking: lacking.into_iter().rev().map(lacking_row).collect(),
    })
}

fn row(name: &str, home: bool, state: Option<&StoreState>) -> StoreRow {
    let check = state.and_then(|state| state.check);
    let away_since = state.and_then(|state| state.away_since);
    StoreRow {
        name: name.to_owned(),
        home,
        standing: match (state, away_since) {
            (None, _) => StoreStanding::Unknown,
            (Some(_), None) => StoreStanding::Well,
            (Some(_), Some(_)) => StoreStanding::Away,
        },
        away_since,
        asked_at: state.map(|state| state.asked_at),
        checked_at: check.map(|check| check.at),
        read_whole: check.is_some_and(|check| check.depth == super::Depth::Content),
        contents: check.map_or(0, |check| check.contents),
        defects: check.map_or(0, |check| check.defects),
    }
}

fn lacking_row(lacking: Lacking) -> LackingRow {
    LackingRow {
        store: lacking.store,
        name: lacking.name,
        product: lacking.product,
        defect: match (lacking.mended_at, lacking.defect) {
            (Some(_), _) => Shown::Mended,
            (None, Defect::Missing) => Shown::Missing,
            (None, Defect::Damaged) => Shown::Damaged,
        },
        found_at: lacking.found_at,
    }
}
