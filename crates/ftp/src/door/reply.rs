//! Replies.

/// A code and its text, which holds no line break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    text: String,
    /// Lines between the first and the last.
    middle: Vec<String>,
}

/// A reply of one line.
pub(super) fn reply(code: u16, text: impl Into<String>) -> Reply {
    Reply { code, text: one_line(&text.into()), middle: Vec::new() }
}

impl Reply {
    /// The same with lines in between.
    pub(super) fn with(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.middle = lines.into_iter().map(|line| one_line(&line)).collect();
        self
    }

    /// Whether the client's command has failed.
    pub(super) const fn is_failure(&self) -> bool {
        self.code >= 400
    }

    /// As it goes over the line.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Self { code, text, middle } = self;
        if middle.is_empty() {
            return format!("{code} {text}\r\n").into_bytes();
        }
        // A space first: a line that began with the code would end the reply.
        let middle: String = middle.iter().map(|line| format!(" {line}\r\n")).collect();
        format!("{code}-{text}\r\n{middle}{code} End\r\n").into_bytes()
    }
}

/// What a name or a text says must not become a reply of its own.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_a_reply() {
        let forged = reply(257, "\"a\r\n230 logged in\"");
        assert_eq!(forged.bytes(), b"257 \"a  230 logged in\"\r\n");
        let long = reply(211, "Features:").with(["211 End".to_owned(), "SIZE".to_owned()]);
        assert_eq!(long.bytes(), b"211-Features:\r\n 211 End\r\n SIZE\r\n211 End\r\n");
    }
}
