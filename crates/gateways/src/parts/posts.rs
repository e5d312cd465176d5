//! Reading posts, and answering them the usual way.

use crate::{Exchange, Outcome, RawPost, Reply};

/// A header by its name, whatever its case; `None` when it is missing, there twice or not text. A
/// header that is there twice could mean one thing to a proxy and another one here.
pub(crate) fn header<'a>(post: &'a RawPost, name: &str) -> Option<&'a str> {
    let mut found = post.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let (_, value) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::trim)
}

/// The last answer with this purpose: the executor may have asked more than once.
pub(crate) fn answer<'a>(earlier: &'a [Exchange], purpose: &str) -> Option<&'a Exchange> {
    earlier.iter().rev().find(|exchange| exchange.purpose == purpose)
}

/// The acknowledgment of most gateways: 200, or they send again.
pub(crate) fn plain_reply(outcome: Outcome) -> Reply {
    let status = match outcome {
        Outcome::Stored => 200,
        Outcome::NotStored => 503,
        Outcome::Refused => 400,
    };
    Reply { status, content_type: "text/plain", body: Vec::new() }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;

    #[test]
    fn a_header_that_is_there_twice_counts_as_missing() {
        let post = RawPost {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: vec![
                ("X-One".to_owned(), b" 1 ".to_vec()),
                ("X-Two".to_owned(), b"2".to_vec()),
                ("x-two".to_owned(), b"3".to_vec()),
                ("X-Odd".to_owned(), vec![0xff]),
            ],
            body: Vec::new(),
            received_at: Timestamp::from_seconds(0),
        };
        assert_eq!(header(&post, "x-one"), Some("1"));
        assert_eq!(header(&post, "X-Two"), None);
        assert_eq!(header(&post, "X-Odd"), None);
    }
}
