//! How often one network, or on behalf of one mailbox, things may be asked for.
//!
//! The limits do not depend on whether an address is known here, so they tell nothing about it.

use kernel::Span;
use net::limit::{Bucket, Key};

use crate::app::App;
use crate::problem::{Code, Problem};

/// Placing orders, per network: an office behind one address must be able to shop.
pub const CHECKOUT: Bucket = Bucket { name: "checkout", burst: 30, per: Span::minutes(10) };
/// Previews of artwork, per network: each takes a processor for a moment.
pub const PREVIEW: Bucket = Bucket { name: "preview", burst: 120, per: Span::minutes(2) };
/// Pictures for artwork, per network.
pub const PICTURE: Bucket = Bucket { name: "picture", burst: 40, per: Span::minutes(10) };
/// Asking for links, per network.
pub const RESEND_FROM: Bucket = Bucket { name: "resend from", burst: 10, per: Span::hours(1) };
/// Asking for links, per mailbox: nobody's is to be flooded.
pub const RESEND_TO: Bucket = Bucket { name: "resend to", burst: 3, per: Span::hours(1) };
/// Asking for sign-in mails, per network.
pub const SIGN_IN_FROM: Bucket = Bucket { name: "sign-in from", burst: 10, per: Span::minutes(30) };
/// Asking for sign-in mails, per mailbox.
pub const SIGN_IN_TO: Bucket = Bucket { name: "sign-in to", burst: 5, per: Span::minutes(30) };
/// Pressing the button of a mailed sign-in link, per network.
pub const CONFIRM_FROM: Bucket = Bucket { name: "confirm from", burst: 30, per: Span::minutes(10) };

/// Takes one from the bucket.
///
/// # Errors
/// [`Code::RateLimited`] with the time to wait.
pub fn take(app: &App, bucket: &Bucket, key: Key<'_>) -> Result<(), Problem> {
    app.limiter().check(bucket, key, app.now()).map_err(|wait| Problem {
        retry_after: Some(u64::from(wait.seconds)),
        ..Problem::new(Code::RateLimited, "this was asked for too often in a short time")
    })
}
