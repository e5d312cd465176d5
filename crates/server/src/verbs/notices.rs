//! `handsel notices …`

use app::cx::Actor;
use app::notices::desk_flow::{self, Again};
use app::notices::{NoticeState, Stored, seal_context, store, unpack};
use kernel::NoticeId;

use super::{Desk, VerbError, found, id};

/// What can be done with notices.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the notices, newest first.
    List {
        /// Only those in this state, such as quarantined.
        #[arg(long)]
        state: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show one notice with the request as it came.
    Show {
        /// Its id.
        notice: String,
    },
    /// Have it judged again, with every check.
    Replay {
        /// Its id.
        notice: String,
    },
    /// Take a quarantined notice as it is: authenticity is still checked.
    Accept {
        /// Its id.
        notice: String,
    },
    /// Refuse a quarantined notice for good.
    Refuse {
        /// Its id.
        notice: String,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        why: String,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::List { state, limit } => list(desk, state.as_deref(), limit),
        Verb::Show { notice } => show(desk, &notice),
        Verb::Replay { notice } => again(desk, &notice, Again::Replay),
        Verb::Accept { notice } => again(desk, &notice, Again::Accept),
        Verb::Refuse { notice, why } => {
            let notice: NoticeId = id(&notice)?;
            desk.app
                .write_blocking(desk.merchant, Actor::Shell, move |cx| desk_flow::refuse(cx, notice, &why))?;
            desk.output.done("refused", &serde_json::json!({ "id": notice, "state": NoticeState::Refused }));
            Ok(())
        }
    }
}

fn list(desk: &Desk, state: Option<&str>, limit: u32) -> Result<(), VerbError> {
    let unknown = |error| VerbError::Usage(format!("--state {error}"));
    let state = state.map(str::parse::<NoticeState>).transpose().map_err(unknown)?;
    let merchant = desk.merchant;
    let all =
        desk.app.read_now(move |snapshot| Ok(store::newest_first(snapshot, merchant, state, limit)?))?;
    let row =
        |n: &Stored| vec![n.id.to_string(), n.state.to_string(), n.received_at.to_string(), n.reason.clone()];
    let rows: Vec<_> = all.iter().map(row).collect();
    desk.output.list(
        &["ID", "STATE", "RECEIVED", "REASON"],
        &rows,
        &all.iter().map(view).collect::<Vec<_>>(),
    );
    Ok(())
}

fn show(desk: &Desk, text: &str) -> Result<(), VerbError> {
    let (merchant, wanted): (_, NoticeId) = (desk.merchant, id(text)?);
    let notice = desk.app.read_now(move |snapshot| Ok(store::by_id(snapshot, merchant, wanted)?))?;
    let notice = found("notice", notice)?;
    let mut value = view(&notice);
    let raw = notice.raw_sealed.as_ref().map(|sealed| desk.app.ring().open(&seal_context(notice.id), sealed));
    let request = match raw {
        None => serde_json::json!("dropped by age"),
        Some(Err(error)) => serde_json::json!(error.to_string()),
        Some(Ok(packed)) => match unpack(&packed, notice.received_at) {
            None => serde_json::json!("damaged"),
            Some(post) => serde_json::json!({
                "method": post.method, "target": post.target,
                "headers": post.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
                    .collect::<Vec<_>>(),
                "body": String::from_utf8_lossy(&post.body),
            }),
        },
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("request".to_owned(), request);
    }
    desk.output.one(&value);
    Ok(())
}

fn again(desk: &Desk, text: &str, how: Again) -> Result<(), VerbError> {
    let notice: NoticeId = id(text)?;
    desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| desk_flow::again(cx, notice, how))?;
    desk.output.done("it will be judged again by the running server", &serde_json::json!({ "id": notice }));
    Ok(())
}

fn view(notice: &Stored) -> serde_json::Value {
    serde_json::json!({
        "id": notice.id, "connection": notice.connection, "state": notice.state, "reason": notice.reason,
        "order": notice.order, "copies": notice.copies, "address": notice.address, "received_at": notice.received_at,
        "verified_at": notice.verified_at, "decided_at": notice.decided_at, "summary": notice.summary,
    })
}
