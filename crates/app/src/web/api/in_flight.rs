//! Requests with an `Idempotency-Key` that are being worked on in this process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::ApiKeyId;

use crate::idempotency::Ticket;
use crate::problem::{Code, Problem};

type Name = (ApiKeyId, String);

/// Which keys are in use now. The database alone keeps an effect from being had twice; this
/// tells a second asker at once, instead of keeping it waiting.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Name>>>);

/// A key in use, until it is dropped.
#[derive(Debug)]
pub struct Place {
    all: InFlight,
    name: Name,
}

impl InFlight {
    /// Marks the key as in use.
    ///
    /// # Errors
    /// When it is in use already.
    pub fn enter(&self, ticket: &Ticket) -> Result<Place, Problem> {
        let name = (ticket.api_key, ticket.key.clone());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.insert(name.clone()) {
            return Ok(Place { all: self.clone(), name });
        }
        let text = "a request with this Idempotency-Key is being worked on; ask again in a second";
        Err(Problem { retry_after: Some(1), ..Problem::new(Code::InProgress, text) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use kernel::MerchantId;

    use super::*;

    fn ticket(key: &str) -> Ticket {
        Ticket {
            merchant: MerchantId::from_bits(1),
            api_key: ApiKeyId::from_bits(1),
            key: key.to_owned(),
            request_hash: [0; 32],
        }
    }

    #[test]
    fn a_key_in_use_is_refused_until_it_is_free() {
        let all = InFlight::default();
        let first = all.enter(&ticket("a")).unwrap();
        assert_eq!(all.enter(&ticket("a")).unwrap_err().code, Code::InProgress);
        assert!(all.enter(&ticket("b")).is_ok());
        drop(first);
        assert!(all.enter(&ticket("a")).is_ok());
    }
}
