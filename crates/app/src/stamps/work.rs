//! Work on files that come from anywhere, where it can do no harm.
//!
//! Files to be stamped and files that leaked are read by a helper: this program once more, with limits of its own on
//! memory and time. A file that is made to use up either ends the helper and nothing else. The helper is told what to
//! do on its standard input and answers on its standard output; it opens nothing and knows nobody.

use std::io::{self, BufRead as _, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stamp::{Found, Mark, Stamp, StampError};

use crate::app::App;

/// The first line that a helper reads is not longer than this.
const TASK_BYTES_MAX: u64 = 64 * 1024;
/// What the helper's process may take of memory, in bytes: some times the largest file.
pub const HELPER_MEMORY_MAX: u64 = 2 << 30;
/// What the helper may take of a processor's time, in seconds: less than a job's lease.
pub const HELPER_SECONDS_MAX: u64 = 60;

/// What is to be done with a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Make a copy out to a buyer.
    Stamp {
        /// What everyone sees.
        stamp: Stamp,
        /// The code, as bytes.
        code: [u8; 10],
    },
    /// Find the marks in it.
    Find,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// A copy; its bytes follow the answer's first line.
    Stamped,
    /// There is nothing in the file that could be stamped.
    Nothing,
    /// The file cannot be stamped, or not be read within the limits; why.
    Unfit(String),
    /// The marks in the file.
    Found(Vec<Found>),
}

/// Why work could not be done, whatever the file is: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The helper could not be started or talked to.
    #[error("the helper for files cannot be run: {0}")]
    Helper(#[from] io::Error),
    /// The thread that waited for it ended early.
    #[error("the helper for files was not waited for: {0}")]
    Thread(#[from] tokio::task::JoinError),
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

/// Does a task, one at a time: each takes a multiple of the file's size of memory. A copy is written to `copy` as it
/// comes; what was written is of worth only where the answer is [`Done::Stamped`].
pub async fn run<W: Write + Send + 'static>(
    app: &App,
    task: Task,
    file: Bytes,
    mut copy: W,
) -> Result<(Done, W), WorkError> {
    let _turn = app.file_work().acquire().await.map_err(|_| WorkError::Ending)?;
    let helper = app.settings().helper.clone();
    let work = move || {
        let done = match helper {
            Some(program) => ask(&program, &task, &file, &mut copy),
            None => perform(&task, &file, &mut copy),
        };
        Ok((done?, copy))
    };
    tokio::task::spawn_blocking(work).await?.map_err(WorkError::Helper)
}

/// Does a task here.
fn perform(task: &Task, file: &[u8], copy: &mut impl Write) -> io::Result<Done> {
    match task {
        Task::Find => Ok(Done::Found(stamp::find_marks(file))),
        Task::Stamp { stamp, code } => match stamp::stamp(file, stamp, Mark::new(*code)) {
            Ok(stamped) => copy.write_all(&stamped).map(|()| Done::Stamped),
            Err(StampError::Nothing) => Ok(Done::Nothing),
            Err(error) => Ok(Done::Unfit(error.to_string())),
        },
    }
}

/// Lets the helper, which is `program`, do a task.
///
/// # Errors
/// When it cannot be run, or `copy` takes no more. A file that it dies of is [`Done::Unfit`].
pub fn ask(program: &Path, task: &Task, file: &Bytes, copy: &mut impl Write) -> io::Result<Done> {
    let mut child = Command::new(program)
        .args(["stamp", "work"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("its input and output are not there"));
    };
    let mut line = serde_json::to_vec(task)?;
    line.push(b'\n');
    let answered = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A helper that reads no further has ended, and its end is what is told.
            let _ = to.write_all(&line).and_then(|()| to.write_all(file));
        });
        understood(from, copy)
    });
    if child.wait()?.success() {
        return answered;
    }
    let why = format!("reading it took more than {HELPER_SECONDS_MAX} s or more memory than a file may take");
    Ok(Done::Unfit(why))
}

/// Reads an answer, and the copy that may follow it.
fn understood(from: impl Read, copy: &mut impl Write) -> io::Result<Done> {
    let mut from = io::BufReader::new(from);
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    let done = serde_json::from_slice(&line)?;
    io::copy(&mut from, copy)?;
    Ok(done)
}

/// The helper: reads a task and a file, answers, and ends.
///
/// # Errors
/// When the input is no task, or the answer cannot be written.
pub fn serve(input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = io::BufReader::new(input);
    let mut line = Vec::new();
    (&mut input).take(TASK_BYTES_MAX).read_until(b'\n', &mut line)?;
    let task: Task = serde_json::from_slice(&line)?;
    let mut file = Vec::new();
    input.read_to_end(&mut file)?;
    let mut copy = Vec::new();
    let done = perform(&task, &file, &mut copy)?;
    serde_json::to_writer(&mut output, &done)?;
    output.write_all(b"\n")?;
    output.write_all(&copy)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_helper_answers_what_is_done_here() {
        let mut input = serde_json::to_vec(&Task::Find).unwrap();
        input.extend_from_slice(b"\nno file of any kind");
        let mut output = Vec::new();

        serve(input.as_slice(), &mut output).unwrap();

        let done = understood(output.as_slice(), &mut Vec::new()).unwrap();
        assert!(matches!(done, Done::Found(found) if found.is_empty()));
    }

    #[test]
    fn a_file_that_cannot_be_stamped_is_an_answer_and_no_error() {
        let stamp = Stamp { lines: Vec::new(), position: stamp::Position::Top, size: 8, opacity: 60 };
        let task = Task::Stamp { stamp, code: [0; 10] };
        let done = perform(&task, b"%PDF-1.4 broken", &mut Vec::new()).unwrap();

        assert!(matches!(done, Done::Unfit(why) if why.contains("cannot be read")));
    }
}
