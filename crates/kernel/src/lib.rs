//! The words every other crate speaks: ids, money, time, clock, entropy, secrets, e-mail addresses.
//!
//! Nothing here touches the world except the two explicit doors `SystemClock` and
//! `SystemEntropy`, which only the program's wiring opens; everything else takes
//! time and randomness as arguments.

mod clock;
mod email;
mod entropy;
mod ids;
mod money;
#[cfg(feature = "schema")]
mod schema;
mod secret;
mod time;

pub use clock::{Clock, ManualClock, SystemClock};
pub use email::{EmailAddress, EmailError};
pub use entropy::{Draws, Entropy, SeededEntropy, SystemEntropy};
pub use ids::{
    ApiKeyId, ChoiceId, ConnectionId, CustomerId, DownloadId, EventId, FactId, FileVersionId, GrantChangeId,
    GrantId, IdError, InvoiceId, JobId, LineId, LoginTokenId, MerchantId, MessageId, NoticeId, OrderId,
    PaymentId, PluginId, PriceId, ProductFileId, ProductId, ReviewId, SessionId, StaffId, TransferId,
    UploadId,
};
pub use money::{Currency, Money, MoneyError};
pub use secret::Secret;
pub use time::{Span, Timestamp};
