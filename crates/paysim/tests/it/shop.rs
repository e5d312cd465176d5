//! A shop on loopback that writes down what is posted to it and answers as it is told; and a
//! client that speaks HTTP byte by byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Posts as they came in, and the status lines still to be answered; 200 when there are none.
#[derive(Clone, Default)]
pub struct Shop {
    received: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<&'static str>>>,
}

impl Shop {
    /// Opens; gives the address for `notify_url`.
    pub async fn open(answers: &[&'static str]) -> (Self, String) {
        let shop = Self { answers: Arc::new(Mutex::new(answers.to_vec())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let keeper = shop.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                keeper.serve(stream).await;
            }
        });
        (shop, format!("http://{address}/hook?a=b"))
    }

    async fn serve(&self, mut stream: TcpStream) {
        let request = read_request(&mut stream).await;
        self.received.lock().expect("the list").push(request);
        let answer = {
            let mut answers = self.answers.lock().expect("the answers");
            if answers.is_empty() { "200 OK" } else { answers.remove(0) }
        };
        let response = format!("HTTP/1.1 {answer}\r\ncontent-length: 5\r\nconnection: close\r\n\r\nsaid!");
        stream.write_all(response.as_bytes()).await.ok();
    }

    /// Whole requests, oldest first.
    pub fn received(&self) -> Vec<String> {
        self.received.lock().expect("the list").clone()
    }

    /// What came after the heads.
    pub fn bodies(&self) -> Vec<String> {
        self.received().iter().map(|request| body_of(request).to_owned()).collect()
    }
}

pub fn body_of(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let head_ends = text.find("\r\n\r\n").map(|at| at + 4);
        let length = text
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        if head_ends.is_some_and(|end| bytes.len() >= end + length.unwrap_or(0)) {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
            _ => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// Sends a request with these header lines; gives the whole response.
pub async fn ask(sim: &paysim::PaySimHandle, line: &str, headers: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(sim.address()).await.expect("the simulator listens");
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        sim.address(),
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.expect("it reads");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("it answers");
    String::from_utf8_lossy(&response).into_owned()
}
