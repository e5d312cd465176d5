//! Passive mode: a port for each transfer, out of a range.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use kernel::Entropy;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

/// Clients open one data connection for each listener.
const BACKLOG: u32 = 4;

/// The ports of a door.
pub(super) struct Ports {
    range: RangeInclusive<u16>,
    entropy: Arc<dyn Entropy>,
}

/// A port that waits for one data connection.
pub(super) struct Passive {
    listener: TcpListener,
    /// Who may come.
    peer: IpAddr,
}

impl Ports {
    pub(super) fn new(range: RangeInclusive<u16>, entropy: Arc<dyn Entropy>) -> Self {
        Self { range, entropy }
    }

    /// A free port on this address of the machine; `None` while all are taken. The first that is tried
    /// is a random one, so that nobody can tell which comes next.
    pub(super) fn open(&self, local: IpAddr, peer: IpAddr) -> Option<Passive> {
        let mut seed = [0u8; 8];
        self.entropy.fill(&mut seed);
        let count = u64::try_from(self.range.len()).unwrap_or(u64::MAX).max(1);
        let first = usize::try_from(u64::from_le_bytes(seed) % count).unwrap_or(0);
        let ports = self.range.clone().cycle().skip(first).take(self.range.len());
        let mut opened = ports.map(|port| listen(SocketAddr::new(local, port)));
        opened.find_map(Result::ok).map(|listener| Passive { listener, peer })
    }
}

/// Without `SO_REUSEADDR` a port would be missing for a minute after each transfer.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Passive {
    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// The data connection. Connections from elsewhere are closed, and the wait goes on: somebody who
    /// guesses ports must neither be handed the goods nor stop the buyer from having them.
    pub(super) async fn accept(self, within: Duration) -> io::Result<TcpStream> {
        let deadline = Instant::now() + within;
        loop {
            let (stream, from) = timeout_at(deadline, self.listener.accept()).await??;
            if from.ip().to_canonical() == self.peer {
                return Ok(stream);
            }
            tracing::warn!(%from, expected = %self.peer, "FTP data connection from elsewhere refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::SeededEntropy;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_connection_from_elsewhere_is_not_taken() {
        let ports = Ports::new(0..=0, Arc::new(SeededEntropy::new(1)));
        let passive = ports.open(HERE, "127.0.0.2".parse().unwrap()).unwrap();
        let address = SocketAddr::new(HERE, passive.port().unwrap());
        let stranger = TcpStream::connect(address).await.unwrap();
        let buyer = TcpSocket::new_v4().unwrap();
        buyer.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let buyer = buyer.connect(address).await.unwrap();

        let taken = passive.accept(Duration::from_secs(5)).await.unwrap();

        assert_eq!(taken.peer_addr().unwrap(), buyer.local_addr().unwrap());
        drop(stranger);
    }

    #[tokio::test]
    async fn a_range_gives_each_of_its_ports_once_and_then_none() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = Ports::new(port..=port, Arc::new(SeededEntropy::new(1)));
        assert!(ports.open(HERE, HERE).is_none());
        drop(taken);
        let held = ports.open(HERE, HERE).unwrap();
        assert_eq!(held.port().unwrap(), port);
        assert!(ports.open(HERE, HERE).is_none());
    }
}
