//! E-mail addresses as far as a shop must understand them.

/// Why a text is not an address that mail can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// No `@`, or nothing on one of its sides.
    #[error("an e-mail address has the form name@domain")]
    Form,
    /// Longer than SMTP carries (RFC 5321, 4.5.3.1).
    #[error("an e-mail address has at most 254 characters, 64 of them before the @")]
    TooLong,
    /// A character that addresses do not have, or that looks like another one.
    #[error(
        "the character {0:?} cannot stand in an e-mail address; write the domain in its xn-- form if it needs one"
    )]
    Character(char),
}

/// A mail address, lower-cased, ASCII only.
///
/// Lower-casing makes one person one customer. Only ASCII is taken: two addresses that
/// look alike must not be two accounts, nor one fold into the other (CVE-2019-19844).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

const LENGTH_MAX: usize = 254;
const LOCAL_LENGTH_MAX: usize = 64;

impl EmailAddress {
    /// Reads an address, ignoring white space around it.
    ///
    /// # Errors
    /// [`EmailError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Form)?;
        if text.len() > LENGTH_MAX || local.len() > LOCAL_LENGTH_MAX {
            return Err(EmailError::TooLong);
        }
        let in_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let in_domain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if let Some(wrong) =
            local.chars().find(|c| !in_local(*c)).or_else(|| domain.chars().find(|c| !in_domain(*c)))
        {
            return Err(EmailError::Character(wrong));
        }
        let labels_hold = |part: &str| part.split('.').all(|label| !label.is_empty());
        let hyphens_hold = domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'));
        if !labels_hold(local) || !labels_hold(domain) || !hyphens_hold {
            return Err(EmailError::Form);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = EmailError;
    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

impl serde::Serialize for EmailAddress {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for EmailAddress {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_is_one_address_whatever_the_case() {
        assert_eq!(EmailAddress::parse(" Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
    }

    #[test]
    fn look_alikes_and_header_breaks_are_refused() {
        assert_eq!(EmailAddress::parse("ada\u{ff20}example.com"), Err(EmailError::Form));
        assert_eq!(EmailAddress::parse("\u{131}da@example.com"), Err(EmailError::Character('\u{131}')));
        assert_eq!(EmailAddress::parse("ada@example.com\r\nBcc: x"), Err(EmailError::Character('\r')));
        assert_eq!(EmailAddress::parse("ada,bob@example.com"), Err(EmailError::Character(',')));
        assert_eq!(EmailAddress::parse("ada@-example.com"), Err(EmailError::Form));
        assert_eq!(EmailAddress::parse("ada@"), Err(EmailError::Form));
        assert_eq!(EmailAddress::parse(&format!("{}@example.com", "a".repeat(65))), Err(EmailError::TooLong));
    }
}
