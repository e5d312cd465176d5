//! How large the frames of a body should be: the same mapped file, handed to hyper in pieces of
//! several sizes, to one client that reads all of it.
//!
//! hyper gathers frames until it holds more than its buffer's size and then writes them at once.
//! One way has hyper as it comes and leaves Nagle's algorithm on, to show what that does.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::SystemEntropy;
use stores::{Blob, BlobStore as _, DirectoryStore};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::downloads::client::{self, Target};
use crate::report::{Failure, Pace, Report, timed};
use crate::shop;

/// A way to hand a file to the network.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    frame: u64,
    gathered: Gathered,
    small_packets: SmallPackets,
}

/// How much hyper gathers before it writes.
#[derive(Clone, Copy)]
enum Gathered {
    /// As the product sets it.
    Ours,
    /// As hyper has it.
    HyperDefault,
    /// This much.
    Exactly(usize),
}

/// What happens to the last, small packet of a write.
#[derive(Clone, Copy)]
enum SmallPackets {
    /// It leaves at once.
    AtOnce,
    /// It waits until what was sent before is acknowledged (Nagle).
    Wait,
}

const KIB: u64 = 1024;
/// What the product sets in its accept loop.
const GATHERED: usize = 400 * 1024;
const OURS: Way = Way {
    name: "1 MiB frames",
    frame: 1024 * KIB,
    gathered: Gathered::Ours,
    small_packets: SmallPackets::AtOnce,
};
const OTHERS: [Way; 6] = [
    Way { name: "64 KiB frames", frame: 64 * KIB, ..OURS },
    Way { name: "256 KiB frames", frame: 256 * KIB, ..OURS },
    Way { name: "4 MiB frames", frame: 4096 * KIB, ..OURS },
    Way {
        name: "256 KiB frames, 64 KiB gathered",
        frame: 256 * KIB,
        gathered: Gathered::Exactly(64 << 10),
        ..OURS
    },
    Way {
        name: "256 KiB frames, hyper's defaults, Nagle",
        frame: 256 * KIB,
        gathered: Gathered::HyperDefault,
        small_packets: SmallPackets::Wait,
    },
    Way {
        name: "1 MiB frames, hyper's defaults, Nagle",
        gathered: Gathered::HyperDefault,
        small_packets: SmallPackets::Wait,
        ..OURS
    },
];

/// Compares the ways with a file of this size.
///
/// # Errors
/// When the file cannot be stored or served.
pub fn run(size: usize, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let store = DirectoryStore::open(&folder.path().join("blobs"), Arc::new(SystemEntropy))?;
    let digests = stores::put(&store, &shop::content(size))?;
    let blob = store.open(&digests.sha256, digests.size)?;
    let ours = serve(&runtime, &blob, OURS)?;
    for other in OTHERS {
        let theirs = serve(&runtime, &blob, other)?;
        report.compare(
            other.name,
            (OURS.name, &mut timed(|turn| client::fetch(&ours, 1, digests.size, turn))),
            &mut timed(|turn| client::fetch(&theirs, 1, digests.size, turn)),
            None,
            pace,
        )?;
    }
    Ok(())
}

fn serve(runtime: &Runtime, blob: &Blob, way: Way) -> Result<Target, Failure> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let port = listener.local_addr()?.port();
    let blob = blob.clone();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let set = stream.set_nodelay(matches!(way.small_packets, SmallPackets::AtOnce));
            let blob = blob.clone();
            let answer = service_fn(move |_: Request<Incoming>| {
                let body = Framed { blob: blob.clone(), at: 0, frame: way.frame };
                async move { Ok::<_, Infallible>(Response::new(body)) }
            });
            let mut http = http1::Builder::new();
            match way.gathered {
                Gathered::Ours => http.max_buf_size(GATHERED),
                Gathered::Exactly(bytes) => http.max_buf_size(bytes),
                Gathered::HyperDefault => &mut http,
            };
            if set.is_ok() {
                tokio::spawn(http.serve_connection(TokioIo::new(stream), answer));
            }
        }
    });
    Ok(Target::new(port, vec!["/".to_owned()], usize::MAX))
}

/// A whole blob, piece by piece.
struct Framed {
    blob: Blob,
    at: u64,
    frame: u64,
}

impl Body for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let end = self.blob.len().min(self.at + self.frame);
        let piece = self.blob.bytes(self.at..end).filter(|piece| !piece.is_empty());
        self.at = end;
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.blob.len()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.blob.len() - self.at)
    }
}
