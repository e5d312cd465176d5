//! Reading from a thread that may not run the driver.
//!
//! The closure stays where it is and may borrow; its statements travel to a database thread,
//! one at a time, and the thread that asked blocks until the rows are back.

use std::sync::mpsc::{self, Receiver, Sender};

use super::worker::Line;
use super::{Pool, Read};
use crate::sql::Sql;
use crate::tx::Session;
use crate::{DbError, Engine, Row, Snapshot};

type Answer = Result<Vec<Row>, DbError>;

/// A database thread's end.
pub(crate) struct Lent {
    statements: Receiver<Sql<'static>>,
    answers: Sender<Answer>,
}

/// The closure's end.
struct LentSession {
    statements: Sender<Sql<'static>>,
    answers: Receiver<Answer>,
}

impl Session for LentSession {
    fn execute(&mut self, sql: &Sql<'_>) -> Result<u64, DbError> {
        Err(DbError::Statement {
            statement: sql.beginning(),
            problem: "a snapshot is for reading".to_owned(),
        })
    }

    fn query(&mut self, sql: &Sql<'_>) -> Answer {
        let params = sql.params.iter().cloned().map(crate::Param::into_owned).collect();
        let gone = || DbError::Disconnected("the database thread ended".to_owned());
        self.statements.send(Sql { text: sql.text.clone(), params }).map_err(|_| gone())?;
        self.answers.recv().map_err(|_| gone())?
    }

    fn engine(&self) -> Engine {
        Engine::Postgres
    }
}

/// Runs the closure here, again when the connection was lost.
pub(crate) fn read_here<T, E: From<DbError>>(
    pool: &Pool,
    work: &mut dyn FnMut(&mut Snapshot<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut attempts = 0;
    loop {
        let error = match borrow(pool) {
            Ok(mut session) => {
                let mut snapshot = Snapshot::new(&mut session);
                match (work(&mut snapshot), snapshot.passing_cause()) {
                    (Err(_), Some(error)) => error,
                    (result, _) => return result,
                }
            }
            Err(error) if error.is_passing() => error,
            Err(error) => return Err(E::from(error)),
        };
        attempts += 1;
        let Some(pause) = pool.pause_before(attempts, &error, 0) else { return Err(E::from(error)) };
        pool.reads.pause(pause);
    }
}

fn borrow(pool: &Pool) -> Result<LentSession, DbError> {
    let (statements, of_thread) = mpsc::channel();
    let (to_closure, answers) = mpsc::channel();
    let lent = Lent { statements: of_thread, answers: to_closure };
    pool.reads.push(Read::Lent(lent)).map_err(|(refused, _)| DbError::from(refused))?;
    answers.recv().map_err(|_| DbError::Closed)??;
    Ok(LentSession { statements, answers })
}

/// Serves a closure until it has ended.
pub(crate) fn serve(line: &mut Line<'_>, lent: &Lent) {
    let begun = line.session().and_then(|session| session.begin_read());
    let ready = begun.is_ok();
    if lent.answers.send(begun.map(|()| Vec::new())).is_err() || !ready {
        line.rollback();
        return;
    }
    while let Ok(statement) = lent.statements.recv() {
        let answer = line.session().and_then(|session| session.query(&statement));
        if lent.answers.send(answer).is_err() {
            break;
        }
    }
    line.rollback();
}
