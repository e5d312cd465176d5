//! What PostgreSQL's error codes mean to a caller.

use std::error::Error;

use postgres::error::{Severity, SqlState};

use crate::DbError;

/// The error of a statement, or of a command of ours.
pub(crate) fn classify(error: &postgres::Error, statement: &str) -> DbError {
    let Some(server) = error.as_db_error() else {
        if is_lost(error) {
            return DbError::Disconnected(chain(error));
        }
        return DbError::Statement { statement: statement.to_owned(), problem: chain(error) };
    };
    let text = server.message().to_owned();
    let code = server.code();
    match code.code() {
        "40001" | "40P01" | "55P03" => DbError::Busy(text),
        // A table changed under a prepared statement; it is prepared anew.
        "0A000" if text.contains("cached plan") => DbError::Busy(text),
        "53100" => DbError::DiskFull,
        "XX001" | "XX002" => DbError::Broken(text),
        "57014" => DbError::Other(format!("\"{statement}\" took too long: {text}")),
        "25P03" => DbError::Other(format!("the transaction stood still for too long: {text}")),
        _ if is_passing(code) => DbError::Disconnected(text),
        // The detail is left out: it quotes values, and those may be a buyer's.
        other => DbError::Statement {
            statement: statement.to_owned(),
            problem: match server.constraint() {
                Some(constraint) => format!("{text} (constraint {constraint}, {other})"),
                None => format!("{text} ({other})"),
            },
        },
    }
}

/// The error of connecting.
pub(crate) fn of_connecting(error: &postgres::Error) -> DbError {
    match error.as_db_error().map(|server| server.code()) {
        Some(code) if is_passing(code) => DbError::Disconnected(chain(error)),
        Some(_) => DbError::Other(format!("PostgreSQL refuses the connection: {}", chain(error))),
        None => DbError::Disconnected(chain(error)),
    }
}

fn is_passing(code: &SqlState) -> bool {
    let code = code.code();
    code == "53300" || code.starts_with("08") || code.starts_with("57P")
}

/// Whether the connection is gone, so that nobody can say what became of a command.
pub(crate) fn is_lost(error: &postgres::Error) -> bool {
    match error.as_db_error() {
        Some(server) => matches!(server.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        None => error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>()),
    }
}

fn chain(error: &postgres::Error) -> String {
    let mut text =
        error.as_db_error().map_or_else(|| error.to_string(), |server| server.message().to_owned());
    let mut source = error.source();
    while let (None, Some(cause)) = (error.as_db_error(), source) {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
