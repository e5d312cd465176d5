//! A proxy between the product and PostgreSQL that loses the connection at the worst moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// When the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never sees the COMMIT.
    BeforeCommit,
    /// The same, and no connection can be made afterwards.
    BeforeCommitForGood,
    /// The server commits, and the client never hears of it.
    AfterCommit,
    /// The same, and no connection can be made afterwards.
    AfterCommitForGood,
}

/// A proxy on a port of this machine.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    plan: Arc<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    /// How often it is still to be done.
    cut: Mutex<Option<(Cut, u32)>>,
    done: AtomicU32,
    gone: AtomicBool,
}

impl FaultProxy {
    /// Forwards to a server's socket. Its threads end with the connections and the process.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn before(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let plan = Arc::new(Plan::default());
        let of_threads = Arc::clone(&plan);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if of_threads.gone.load(Ordering::SeqCst) {
                    // Dropped: the client sees its connection closed.
                    continue;
                }
                let (socket, plan) = (socket.clone(), Arc::clone(&of_threads));
                std::thread::spawn(move || {
                    // A connection that ends is the point of this proxy.
                    drop(forward(client, &socket, &plan));
                });
            }
        });
        Self { port, plan }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Loses the connection at the next COMMITs, that many times.
    ///
    /// # Panics
    /// When a thread of the proxy panicked.
    pub fn cut(&self, when: Cut, times: u32) {
        *self.plan.cut.lock().expect("the plan") = Some((when, times));
    }

    /// Lets connections through again.
    pub fn heal(&self) {
        self.plan.gone.store(false, Ordering::SeqCst);
    }

    /// How often it has lost a connection.
    pub fn cuts(&self) -> u32 {
        self.plan.done.load(Ordering::SeqCst)
    }
}

impl Plan {
    fn take(&self) -> Option<Cut> {
        let mut plan = self.cut.lock().expect("the plan");
        let (cut, left) = plan.take()?;
        if left > 1 {
            *plan = Some((cut, left - 1));
        }
        // Counted before the client can notice.
        self.done.fetch_add(1, Ordering::SeqCst);
        Some(cut)
    }
}

fn forward(client: TcpStream, socket: &Path, plan: &Plan) -> std::io::Result<()> {
    let server = UnixStream::connect(socket)?;
    client.set_nodelay(true)?;
    let quiet = Arc::new(AtomicBool::new(false));
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    let is_quiet = Arc::clone(&quiet);
    let back = std::thread::spawn(move || {
        let ended = give_back(&from_server, &to_client, &is_quiet);
        // Whichever way it ended: a client left waiting for a lost server would wait for ever.
        drop(to_client.shutdown(Shutdown::Both));
        drop(from_server.shutdown(Shutdown::Both));
        ended
    });
    let ended = pass_on(&client, &server, plan, &quiet);
    if !quiet.load(Ordering::SeqCst) {
        drop(server.shutdown(Shutdown::Both));
    }
    // What the server says to a COMMIT that is cut ends the other thread.
    drop(back.join());
    ended
}

fn give_back(mut server: &UnixStream, mut client: &TcpStream, quiet: &AtomicBool) -> std::io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = server.read(&mut buffer)?;
        if length == 0 || quiet.load(Ordering::SeqCst) {
            return Ok(());
        }
        client.write_all(buffer.get(..length).unwrap_or_default())?;
    }
}

/// Ends when the client ends, or with the COMMIT that is cut.
fn pass_on(
    client: &TcpStream,
    mut server: &UnixStream,
    plan: &Plan,
    quiet: &AtomicBool,
) -> std::io::Result<()> {
    // The first message has no type: its length, then what it is long.
    server.write_all(&read_message(client, &[])?)?;
    loop {
        let mut kind = [0];
        { client }.read_exact(&mut kind)?;
        let message = read_message(client, &kind)?;
        if kind == *b"Q" && message.get(5..).is_some_and(|text| text.starts_with(b"COMMIT")) {
            match plan.take() {
                Some(cut @ (Cut::BeforeCommit | Cut::BeforeCommitForGood)) => {
                    plan.gone.store(cut == Cut::BeforeCommitForGood, Ordering::SeqCst);
                    return Ok(());
                }
                Some(cut @ (Cut::AfterCommit | Cut::AfterCommitForGood)) => {
                    plan.gone.store(cut == Cut::AfterCommitForGood, Ordering::SeqCst);
                    quiet.store(true, Ordering::SeqCst);
                    return server.write_all(&message);
                }
                None => {}
            }
        }
        server.write_all(&message)?;
    }
}

/// Reads the length and the rest of a message whose type was read already.
fn read_message(mut from: &TcpStream, kind: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let rest = usize::try_from(u32::from_be_bytes(length)).unwrap_or(0).saturating_sub(4);
    let mut message = Vec::with_capacity(kind.len() + 4 + rest);
    message.extend_from_slice(kind);
    message.extend_from_slice(&length);
    let start = message.len();
    message.resize(start + rest, 0);
    from.read_exact(message.get_mut(start..).unwrap_or_default())?;
    Ok(message)
}
