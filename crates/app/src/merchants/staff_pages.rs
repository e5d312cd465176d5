//! The merchant's settings: names, legal details, mail, looks, texts, words, logo.

use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, State};
use axum::response::Response;
use http::StatusCode;
use subtle::ConstantTimeEq as _;
use ui::Locale;
use ui::admin::{Choice, Errors, Label, SettingsForm, SettingsPage, WordField};

use super::flow::{self, Saved};
use super::settings::{Typed, WORDS};
use super::{Merchant, view};
use crate::app::App;
use crate::problem::{Code, Flow, Problem};
use crate::products::flow::StoredFile;
use crate::staff::Right;
use crate::web::assets::picture_kind;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::staff_visit::StaffVisit;
use crate::web::stale;

const SETTINGS: &str = "/admin/settings";
/// Larger logos are refused: every visitor loads them.
const LOGO_BYTES_MAX: usize = 1024 * 1024;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(SETTINGS, Right::Settings, show)
        .post(SETTINGS, Right::Settings, save)
        .post("/admin/settings/logo", Right::Settings, set_logo)
        .post("/admin/settings/logo/remove", Right::Settings, remove_logo)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// `GET /admin/settings`
async fn show(State(app): State<App>, staff: StaffVisit) -> Response {
    let merchant = &staff.visit.merchant;
    staff.show(&app, &page(&app, merchant, merchant.version, &typed_of(merchant), Errors::new()))
}

/// What the fields hold before anything is typed.
fn typed_of(merchant: &Merchant) -> Typed {
    let pairs = [
        ("name", merchant.name.clone()),
        ("legal_name", merchant.legal_name.clone()),
        ("legal_address", merchant.legal_address.clone()),
        ("country", merchant.country.clone().unwrap_or_default()),
        ("vat_id", merchant.vat_id.clone().unwrap_or_default()),
        ("time_zone", merchant.time_zone.clone()),
        ("locale", merchant.locale.clone()),
        ("currency", merchant.currency.to_string()),
        ("sender_email", merchant.sender_email.to_string()),
        ("support_email", merchant.support_email.to_string()),
        ("alarm_email", merchant.alarm_email.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("support_text", merchant.support_text.clone()),
        ("consent_text", merchant.consent_text.clone()),
        ("accent", merchant.accent.clone()),
    ];
    let mut typed: Typed = pairs.map(|(name, value)| (name.to_owned(), value)).into();
    for key in WORDS {
        let word = merchant.words.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        typed.insert(format!("word_{key}"), word.to_owned());
    }
    typed
}

fn page(app: &App, merchant: &Merchant, version: i64, typed: &Typed, errors: Errors) -> SettingsPage {
    let locale = view::language(merchant, &merchant.locale);
    let field = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let word = |key: &str| WordField {
        key: key.to_owned(),
        usual: app.renderer().text(locale, &format!("words.{key}"), &[]).unwrap_or_else(|_| key.to_owned()),
        value: field(&format!("word_{key}")),
    };
    let language =
        |locale: &Locale| Choice { value: locale.tag().to_owned(), label: Label::text(locale.own_name()) };
    SettingsPage {
        version,
        form: SettingsForm {
            name: field("name"),
            legal_name: field("legal_name"),
            legal_address: field("legal_address"),
            country: field("country"),
            vat_id: field("vat_id"),
            time_zone: field("time_zone"),
            locale: field("locale"),
            currency: field("currency"),
            sender_email: field("sender_email"),
            support_email: field("support_email"),
            alarm_email: field("alarm_email"),
            support_text: field("support_text"),
            consent_text: field("consent_text"),
            accent: field("accent"),
        },
        time_zones: jiff::tz::db().available().map(|name| name.to_string()).collect(),
        locales: Locale::ALL.iter().map(language).collect(),
        words: WORDS.into_iter().map(word).collect(),
        logo_url: merchant.logo_sha256.as_ref().map(|sha256| format!("/logo/{sha256}")),
        logo_bytes_max: u64::try_from(LOGO_BYTES_MAX).unwrap_or(u64::MAX),
        errors,
    }
}

/// `POST /admin/settings`
async fn save(State(app): State<App>, staff: StaffVisit, Posted(typed): Posted<Typed>) -> Response {
    let version = typed.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
    let fields = typed.clone();
    let merchant = &staff.visit.merchant;
    match staff.write(&app, move |cx| flow::change(cx, version, &fields)).await {
        Ok(Saved::Done) => staff.done(SETTINGS, "saved"),
        Ok(Saved::Wrong(wrong)) => {
            let page = page(&app, merchant, version, &typed, wrong);
            staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Ok(Saved::Stale(now)) => {
            let theirs = stale::differing(typed_of(&now), &typed);
            let errors = stale::errors(&app, merchant, "settings", &theirs);
            staff.show_as(&app, StatusCode::CONFLICT, &page(&app, merchant, now.version, &typed, errors))
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

fn wrong(app: &App, merchant: &Merchant, word: &str, values: &[(&str, &str)]) -> String {
    let locale = view::language(merchant, &merchant.locale);
    let key = format!("admin.settings_wrong.{word}");
    app.renderer().text(locale, &key, values).unwrap_or_else(|_| word.to_owned())
}

/// `POST /admin/settings/logo`
async fn set_logo(State(app): State<App>, staff: StaffVisit, form: Multipart) -> Response {
    let picture = match picture(&app, &staff, form).await {
        Ok(picture) => picture,
        Err(problem) if problem.pointer.is_some() => {
            let merchant = &staff.visit.merchant;
            let errors = Errors::from([("logo".to_owned(), problem.detail)]);
            let page = page(&app, merchant, merchant.version, &typed_of(merchant), errors);
            return staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
        Err(problem) => return staff.refuse(&app, problem),
    };
    let done = store_picture(&app, &staff, picture).await;
    staff.after(&app, done, SETTINGS, "logo_saved")
}

/// The picture of a form whose token is right.
async fn picture(app: &App, staff: &StaffVisit, mut form: Multipart) -> Result<Vec<u8>, Problem> {
    let refuse = |word: &str, values: &[(&str, &str)]| {
        Problem::invalid("logo", wrong(app, &staff.visit.merchant, word, values))
    };
    let size = view::language(&staff.visit.merchant, &staff.visit.merchant.locale)
        .bytes(u64::try_from(LOGO_BYTES_MAX).unwrap_or(u64::MAX));
    let too_large = || refuse("logo_large", &[("size", &size)]);
    let broken = |error: &MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Problem::new(Code::Malformed, format!("the upload cannot be read: {error}")),
    };
    let mut genuine = false;
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        match field.name() {
            Some("_csrf") => {
                let token = field.text().await.map_err(|error| broken(&error))?;
                let expected = staff.visit.csrf(app);
                genuine = bool::from(token.as_bytes().ct_eq(expected.as_bytes()));
            }
            Some("logo") if genuine => {
                let mut bytes = Vec::new();
                while let Some(piece) = field.chunk().await.map_err(|error| broken(&error))? {
                    bytes.extend_from_slice(&piece);
                    if bytes.len() > LOGO_BYTES_MAX {
                        return Err(too_large());
                    }
                }
                if bytes.is_empty() {
                    return Err(refuse("logo_missing", &[]));
                }
                picture_kind(&bytes).ok_or_else(|| refuse("logo_kind", &[]))?;
                return Ok(bytes);
            }
            _ => {}
        }
    }
    if genuine {
        return Err(refuse("logo_missing", &[]));
    }
    let text = "this form is out of date; go back, load the page again, and send it once more";
    Err(Problem::new(Code::Forbidden, text))
}

async fn store_picture(app: &App, staff: &StaffVisit, bytes: Vec<u8>) -> Flow<()> {
    let store = app.blobs().clone();
    let stored = tokio::task::spawn_blocking(move || stores::put(&*store, &bytes)).await;
    let digests = match stored {
        Ok(Ok(digests)) => digests,
        Ok(Err(error)) => return Err(unstored(&error).into()),
        Err(error) => return Err(unstored(&error).into()),
    };
    let file = StoredFile {
        name: "logo".to_owned(),
        sha256: digests.sha256.to_string(),
        size: digests.size,
        crc32: digests.crc32,
        md5: digests.md5_hex(),
    };
    staff.write(app, move |cx| flow::set_logo(cx, Some(&file))).await
}

fn unstored(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a logo could not be stored");
    Problem::new(Code::Unavailable, "the picture cannot be stored at the moment; try again in a minute")
}

/// `POST /admin/settings/logo/remove`
async fn remove_logo(State(app): State<App>, staff: StaffVisit, Posted(_): Posted<Nothing>) -> Response {
    let done = staff.write(&app, |cx| flow::set_logo(cx, None)).await;
    staff.after(&app, done, SETTINGS, "logo_removed")
}
