//! What tests share: a fresh database of either engine, a private PostgreSQL, and faults.
//!
//! [`both_engines!`] turns one test function into a test for each engine. A test says what it
//! wants by its argument: anything that can be made for an engine ([`ForEngine`]).

mod database;
pub mod pg;
mod proxy;

pub use database::{ForEngine, Place, fresh, fresh_with, run_on};
pub use proxy::{Cut, FaultProxy};

/// Makes a test for each engine out of each function named.
///
/// ```ignore
/// testkit::both_engines! {
///     a_payment_reported_twice_delivers_once,
/// }
///
/// fn a_payment_reported_twice_delivers_once(db: db::Db) { … }
/// ```
#[macro_export]
macro_rules! both_engines {
    ($($(#[$attribute:meta])* $test:ident),* $(,)?) => {
        mod sqlite {
            $($(#[$attribute])* #[test] fn $test() {
                $crate::run_on($crate::SQLITE, super::$test);
            })*
        }
        mod postgres {
            $($(#[$attribute])* #[test] fn $test() {
                $crate::run_on($crate::POSTGRES, super::$test);
            })*
        }
    };
}

/// For the macro, whose caller may not depend on `db`.
#[doc(hidden)]
pub const SQLITE: db::Engine = db::Engine::Sqlite;
#[doc(hidden)]
pub const POSTGRES: db::Engine = db::Engine::Postgres;
