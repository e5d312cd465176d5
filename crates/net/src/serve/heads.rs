//! Request heads as they come in, byte by byte: what hyper forgives and a proxy may read otherwise.
//!
//! hyper takes a line feed alone for a line's end, as RFC 9112 (2.2) permits, and drops a length
//! that stands beside a transfer coding (6.3). A proxy before us that reads either the other way
//! sees other requests than we do, and one client's bytes become another's request (request
//! smuggling). Neither shows in what hyper hands on, so the bytes are looked at before it gets them.
//!
//! To see every head, hyper is given no byte beyond the end of one: where a body of known length
//! ends is known here, and a chunked request is the last of its connection.

/// Enough of a line for the names and numbers that matter here.
const LINE_START_MAX: usize = 80;

/// What stands at this place of the stream.
#[derive(Debug)]
enum At {
    /// Within a head.
    Head,
    /// Within a body of which so many bytes are missing.
    Body(u64),
    /// In a body whose end only hyper finds. Nothing is read as a head any more.
    Unbounded,
}

/// What a head that has ended says of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// One reading only; more requests may follow.
    Clear,
    /// One reading only, with a body whose end is not known beforehand: no request follows.
    Last,
    /// Others may read it otherwise.
    Unclear,
}

/// Follows one connection's bytes.
#[derive(Debug)]
pub(super) struct Heads {
    at: At,
    /// The start of the line that is being read.
    line: [u8; LINE_START_MAX],
    /// Bytes of that line so far, also those that were not kept.
    length: usize,
    last_byte: u8,
    seen: Seen,
}

/// What the head has shown so far.
#[derive(Debug, Default)]
struct Seen {
    begun: bool,
    bare_line_feed: bool,
    codings: usize,
    lengths: usize,
    body: Option<u64>,
}

impl Default for Heads {
    fn default() -> Self {
        Self { at: At::Head, line: [0; LINE_START_MAX], length: 0, last_byte: 0, seen: Seen::default() }
    }
}

impl Heads {
    /// How many of these bytes may be handed on now, and the verdict when a head ends with them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> (usize, Option<Head>) {
        match self.at {
            At::Head => self.follow_head(bytes),
            At::Unbounded => (bytes.len(), None),
            At::Body(missing) => {
                let count = usize::try_from(missing).map_or(bytes.len(), |missing| missing.min(bytes.len()));
                let left = missing.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
                self.at = if left == 0 { At::Head } else { At::Body(left) };
                (count, None)
            }
        }
    }

    fn follow_head(&mut self, bytes: &[u8]) -> (usize, Option<Head>) {
        for (index, byte) in bytes.iter().enumerate() {
            if *byte != b'\n' {
                if let Some(place) = self.line.get_mut(self.length) {
                    *place = *byte;
                }
                self.length = self.length.saturating_add(1);
                self.last_byte = *byte;
                continue;
            }
            if let Some(verdict) = self.end_line() {
                return (index + 1, Some(verdict));
            }
        }
        (bytes.len(), None)
    }

    /// A line has ended; the verdict if the head ends with it.
    fn end_line(&mut self) -> Option<Head> {
        let with_return = self.length > 0 && self.last_byte == b'\r';
        let content = self.length - usize::from(with_return);
        self.seen.bare_line_feed |= !with_return;
        if content > 0 {
            self.seen.take_line(self.line.get(..content.min(LINE_START_MAX)).unwrap_or_default());
        }
        (self.length, self.last_byte) = (0, 0);
        // Empty lines before a request are skipped, as they always were (RFC 9112, 2.2).
        if content > 0 || !self.seen.begun {
            return None;
        }
        let (verdict, at) = std::mem::take(&mut self.seen).judge();
        self.at = at;
        Some(verdict)
    }
}

impl Seen {
    fn take_line(&mut self, line: &[u8]) {
        self.begun = true;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = line.split_at(colon);
        // Space before the colon is refused by hyper; here it must not hide a name.
        let name = name.trim_ascii();
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.codings += 1;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            let digits = value.get(1..).unwrap_or_default().trim_ascii();
            self.body = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        }
    }

    fn judge(self) -> (Head, At) {
        let unclear = self.bare_line_feed || self.lengths + self.codings.min(1) > 1;
        match (self.lengths, self.codings, self.body) {
            // Whatever follows is thrown away: the connection ends with this request.
            _ if unclear => (Head::Unclear, At::Unbounded),
            (_, 1.., _) | (1.., _, None) => (Head::Last, At::Unbounded),
            (_, _, None | Some(0)) => (Head::Clear, At::Head),
            (_, _, Some(length)) => (Head::Clear, At::Body(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The verdicts over these bytes when they come in pieces of this size.
    fn verdicts(stream: &[u8], piece: usize) -> Vec<Head> {
        let (mut heads, mut found) = (Heads::default(), Vec::new());
        for mut bytes in stream.chunks(piece) {
            while !bytes.is_empty() {
                let (count, verdict) = heads.follow(bytes);
                found.extend(verdict);
                bytes = &bytes[count..];
            }
        }
        found
    }

    fn in_any_pieces(stream: &[u8]) -> Vec<Head> {
        let whole = verdicts(stream, stream.len());
        assert_eq!(verdicts(stream, 1), whole);
        assert_eq!(verdicts(stream, 7), whole);
        whole
    }

    #[test]
    fn requests_one_after_another_are_clear() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  5 \r\n\r\n\nb\n\nc";
        let stream = format!("{get}{post}\r\n{get}{get}");
        assert_eq!(in_any_pieces(stream.as_bytes()), [Head::Clear; 4]);
    }

    #[test]
    fn what_two_readers_may_frame_differently_is_unclear() {
        for lines in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 3\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Transfer-Encoding : chunked\r\nContent-Length: 3\r\n",
            "X: y\nTransfer-Encoding: chunked\r\n",
            "X: y\n",
        ] {
            let stream = format!("POST / HTTP/1.1\r\n{lines}\r\n");
            assert_eq!(in_any_pieces(stream.as_bytes()), [Head::Unclear], "{lines:?}");
        }
        assert_eq!(in_any_pieces(b"GET / HTTP/1.1\r\nHost: a\r\n\nGET"), [Head::Unclear]);
        assert_eq!(in_any_pieces(b"GET / HTTP/1.1\nHost: a\r\n\r\n"), [Head::Unclear]);
    }

    #[test]
    fn after_a_body_without_a_known_end_nothing_is_a_head() {
        for line in ["Transfer-Encoding: chunked", "Content-Length: 3, 4", "Content-Length: x"] {
            let stream = format!("POST / HTTP/1.1\r\n{line}\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
            assert_eq!(in_any_pieces(stream.as_bytes()), [Head::Last], "{line}");
        }
    }

    #[test]
    fn a_name_behind_a_long_line_is_seen() {
        let long = "y".repeat(5000);
        let stream =
            format!("POST /{long} HTTP/1.1\r\nX: {long}\r\nContent-Length: 1\r\n\r\naGET / HTTP/1.1\r\n\r\n");
        assert_eq!(in_any_pieces(stream.as_bytes()), [Head::Clear; 2]);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(stream in "(GET|:|\r\n|\n|a|Content-Length: 3|Transfer-Encoding: x|\r){0,40}", piece in 1usize..9) {
            prop_assume!(!stream.is_empty());
            prop_assert_eq!(verdicts(stream.as_bytes(), piece), verdicts(stream.as_bytes(), stream.len()));
        }
    }
}
