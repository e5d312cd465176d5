//! One running program.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::http;
use crate::trouble::{Tried, trouble};
use crate::wait;

/// A start takes this long at most, also on a busy machine.
const START_MOST: Duration = Duration::from_secs(60);
/// The number of SIGKILL.
const KILL: i32 = 9;

/// A program that serves. Killed when it is dropped.
pub struct Node {
    child: Child,
}

impl Node {
    /// Starts a program that is going to listen there, and waits until it does, or has ended.
    pub fn start(mut command: Command, port: u16, log: &Path) -> Tried<Self> {
        let log_file = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file);
        let mut node = Self { child: command.spawn()? };
        let came = wait::until(START_MOST, || {
            let ended = node.ended().is_some();
            (ended || http::connect(port).is_ok()).then_some(())
        });
        came.map(|()| node).ok_or_else(|| trouble(format!("nobody listens on {port}; see {}", log.display())))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Tried<()> {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end.
    pub fn ask_to_end(&self) -> Tried<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| trouble("a process without a number"))?;
        kill_process(id, Signal::TERM).map_err(|error| trouble(format!("SIGTERM: {error}")))
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        wait::until(most, || self.ended())
    }

    /// Waits until it has killed itself.
    pub fn wait_for_death(&mut self, most: Duration) -> bool {
        self.wait(most).is_some_and(|status| status.signal() == Some(KILL))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
