//! Work on files that come from anywhere, where it can do no harm.
//!
//! Files to be stamped and files that leaked are read by a helper: this program once more, with limits of its own on
//! memory and time. A file that is made to use up either ends the helper and nothing else. The helper is told what to
//! do on its standard input and answers on its standard output; it opens nothing and knows nobody.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stamp::{Found, Mark, Stamp};

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
    /// The file cannot be stamped; why, as the end of a sentence that begins with the file.
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

/// Does a task, one at a time: each takes a multiple of the file's size of memory.
pub async fn run(app: &App, task: Task, file: Bytes) -> Result<(Done, Vec<u8>), WorkError> {
    let _turn = app.file_work().acquire().await.map_err(|_| WorkError::Ending)?;
    let helper = app.settings().helper.clone();
    let work = move || match helper {
        Some(program) => ask(&program, &task, &file),
        None => Ok(perform(&task, &file)),
    };
    tokio::task::spawn_blocking(work).await?.map_err(WorkError::Helper)
}

/// Does a task here.
fn perform(task: &Task, file: &[u8]) -> (Done, Vec<u8>) {
    match task {
        Task::Find => (Done::Found(stamp::find_marks(file)), Vec::new()),
        Task::Stamp { stamp, code } => match stamp::stamp(file, stamp, Mark::new(*code)) {
            Ok(copy) => (Done::Stamped, copy),
            Err(error) => (Done::Unfit(error.to_string()), Vec::new()),
        },
    }
}

/// Lets the helper do a task.
fn ask(program: &Path, task: &Task, file: &Bytes) -> io::Result<(Done, Vec<u8>)> {
    let mut child = Command::new(program)
        .args(["stamp", "work"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (Some(mut to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("its input and output are not there"));
    };
    let mut line = serde_json::to_vec(task)?;
    line.push(b'\n');
    let mut answer = Vec::new();
    let read = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A helper that reads no further has ended, and its end is what is told.
            let _ = to.write_all(&line).and_then(|()| to.write_all(file));
        });
        from.read_to_end(&mut answer)
    });
    let status = child.wait()?;
    read?;
    if status.success() {
        return understood(&answer);
    }
    let why = format!("reading it took more than {HELPER_SECONDS_MAX} s or more memory than a file may take");
    match task {
        Task::Stamp { .. } => Ok((Done::Unfit(why), Vec::new())),
        Task::Find => Ok((Done::Found(Vec::new()), Vec::new())),
    }
}

fn understood(answer: &[u8]) -> io::Result<(Done, Vec<u8>)> {
    let end = answer.iter().position(|byte| *byte == b'\n').ok_or(io::ErrorKind::UnexpectedEof)?;
    let (line, rest) = answer.split_at(end);
    let done: Done = serde_json::from_slice(line)?;
    Ok((done, rest.get(1..).unwrap_or_default().to_vec()))
}

/// The helper: reads a task and a file, answers, and ends.
///
/// # Errors
/// When the input is no task, or the answer cannot be written.
pub fn serve(input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = io::BufReader::new(input);
    let mut line = Vec::new();
    io::BufRead::read_until(&mut (&mut input).take(TASK_BYTES_MAX), b'\n', &mut line)?;
    let task: Task = serde_json::from_slice(&line)?;
    let mut file = Vec::new();
    input.read_to_end(&mut file)?;
    let (done, copy) = perform(&task, &file);
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

        let (done, rest) = understood(&output).unwrap();
        assert!(matches!(done, Done::Found(found) if found.is_empty()) && rest.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_stamped_is_an_answer_and_no_error() {
        let stamp = Stamp { lines: Vec::new(), position: stamp::Position::Top, size: 8, opacity: 60 };
        let (done, _) = perform(&Task::Stamp { stamp, code: [0; 10] }, b"%PDF-1.4 broken");

        assert!(matches!(done, Done::Unfit(why) if why.contains("cannot be read")));
    }
}
