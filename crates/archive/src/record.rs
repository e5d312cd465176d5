//! The records of a zip archive, byte for byte. The numbers are sections of APPNOTE.TXT 6.3.10.

use crate::DosTime;

/// 4.4.3.2: what a reader has to be able to do.
const NEEDS_DEFLATE: u16 = 20;
const NEEDS_ZIP64: u16 = 45;
const NEEDS_AES: u16 = 51;
/// 4.4.2: made on UNIX, so that the upper half of the external attributes is a mode; version 6.3, the first with
/// names in UTF-8.
const MADE_BY: u16 = (3 << 8) | 63;
/// 4.4.15: a regular file that its owner may write and all may read. Never a link, never a program.
const MODE: u32 = 0o100_644 << 16;
/// 4.4.4, bit 0 and bit 11.
const FLAG_ENCRYPTED: u16 = 1;
const FLAG_UTF8: u16 = 1 << 11;
/// The method that says "look into the extra field 0x9901".
const METHOD_AES: u16 = 99;

const LOCAL_FIXED: u64 = 30;
const CENTRAL_FIXED: u64 = 46;
const EXTRA_AES: u64 = 11;
const END: u64 = 22;
const END_ZIP64: u64 = 56 + 20;

/// What encryption adds in front of an entry's bytes: salt and password check.
pub(crate) const OPENING: u64 = 16 + 2;
/// What encryption adds behind them.
pub(crate) const TAG: u64 = 10;

/// Everything that decides an entry's two headers.
pub(crate) struct Headers<'a> {
    pub name: &'a str,
    pub modified: DosTime,
    /// 0 or 8, also when the entry is encrypted.
    pub method: u16,
    pub encrypted: bool,
    pub crc32: u32,
    pub size: u64,
    /// The entry's bytes in the archive, encryption aside.
    pub held: u64,
    /// Where the local header begins.
    pub at: u64,
}

impl Headers<'_> {
    /// The size between this header and the next.
    pub const fn packed(&self) -> u64 {
        self.held.saturating_add(if self.encrypted { OPENING + TAG } else { 0 })
    }

    /// Whether a size does not fit into 32 bits, whose last value is the sign for that.
    const fn wide(&self) -> bool {
        self.size >= WIDE || self.packed() >= WIDE
    }

    const fn far(&self) -> bool {
        self.at >= WIDE
    }

    fn name_length(&self) -> u64 {
        u64::try_from(self.name.len()).unwrap_or(u64::MAX)
    }

    const fn aes_length(&self) -> u64 {
        if self.encrypted { EXTRA_AES } else { 0 }
    }

    const fn local_extra(&self) -> u64 {
        self.aes_length() + if self.wide() { 20 } else { 0 }
    }

    const fn central_extra(&self) -> u64 {
        let values = if self.wide() { 16 } else { 0 } + if self.far() { 8 } else { 0 };
        self.aes_length() + if values == 0 { 0 } else { 4 + values }
    }

    /// The length of [`Self::local`].
    pub fn local_length(&self) -> u64 {
        LOCAL_FIXED + self.name_length() + self.local_extra()
    }

    /// The length of [`Self::central`].
    pub fn central_length(&self) -> u64 {
        CENTRAL_FIXED + self.name_length() + self.central_extra()
    }

    /// 4.3.7, the header in front of the entry's bytes.
    pub fn local(&self) -> Vec<u8> {
        let mut to = Bytes::new(self.local_length());
        to.u32(0x0403_4b50);
        self.shared(&mut to, self.wide());
        to.u16(narrow(self.local_extra()));
        to.text(self.name);
        if self.wide() {
            to.u16(0x0001);
            to.u16(16);
            to.u64(self.size);
            to.u64(self.packed());
        }
        self.aes(&mut to);
        to.0
    }

    /// 4.3.12, the entry's header in the central directory.
    pub fn central(&self) -> Vec<u8> {
        let mut to = Bytes::new(self.central_length());
        to.u32(0x0201_4b50);
        to.u16(MADE_BY);
        self.shared(&mut to, self.wide() || self.far());
        to.u16(narrow(self.central_extra()));
        to.u16(0); // no comment
        to.u16(0); // on the first disk
        to.u16(0); // not known to be text
        to.u32(MODE);
        to.u32(saturated(self.at));
        to.text(self.name);
        // 4.5.3: only the values whose 32 bits say "look here", in this order.
        if self.wide() || self.far() {
            to.u16(0x0001);
            to.u16(if self.wide() { 16 } else { 0 } + if self.far() { 8 } else { 0 });
            if self.wide() {
                to.u64(self.size);
                to.u64(self.packed());
            }
            if self.far() {
                to.u64(self.at);
            }
        }
        self.aes(&mut to);
        to.0
    }

    /// What both headers have in common, from the version needed to the length of the name.
    fn shared(&self, to: &mut Bytes, zip64: bool) {
        to.u16(match (self.encrypted, zip64) {
            (true, _) => NEEDS_AES,
            (false, true) => NEEDS_ZIP64,
            (false, false) => NEEDS_DEFLATE,
        });
        to.u16(FLAG_UTF8 | if self.encrypted { FLAG_ENCRYPTED } else { 0 });
        to.u16(if self.encrypted { METHOD_AES } else { self.method });
        to.u16(self.modified.time());
        to.u16(self.modified.date());
        // AE-2 has no checksum of the content: it would tell a short content without the password.
        to.u32(if self.encrypted { 0 } else { self.crc32 });
        if self.wide() {
            to.u32(u32::MAX);
            to.u32(u32::MAX);
        } else {
            to.u32(saturated(self.packed()));
            to.u32(saturated(self.size));
        }
        to.u16(narrow(self.name_length()));
    }

    /// The extra field of WinZip's AES: AE-2, 256 bits, and the method inside.
    fn aes(&self, to: &mut Bytes) {
        if self.encrypted {
            to.u16(0x9901);
            to.u16(7);
            to.u16(2);
            to.text("AE");
            to.u8(3);
            to.u16(self.method);
        }
    }
}

/// What stands behind the last header of the central directory.
pub(crate) struct End {
    pub entries: u64,
    pub directory_at: u64,
    pub directory_length: u64,
}

impl End {
    const fn wide(&self) -> bool {
        self.entries >= 0xffff || self.directory_at >= WIDE || self.directory_length >= WIDE
    }

    /// The length of [`Self::bytes`].
    pub const fn length(&self) -> u64 {
        END + if self.wide() { END_ZIP64 } else { 0 }
    }

    /// 4.3.14 to 4.3.16.
    pub fn bytes(&self) -> Vec<u8> {
        let mut to = Bytes::new(self.length());
        if self.wide() {
            to.u32(0x0606_4b50);
            to.u64(44); // the length of what follows of this record
            to.u16(MADE_BY);
            to.u16(NEEDS_ZIP64);
            to.u32(0);
            to.u32(0);
            to.u64(self.entries);
            to.u64(self.entries);
            to.u64(self.directory_length);
            to.u64(self.directory_at);
            to.u32(0x0706_4b50);
            to.u32(0);
            to.u64(self.directory_at.saturating_add(self.directory_length));
            to.u32(1);
        }
        to.u32(0x0605_4b50);
        to.u16(0);
        to.u16(0);
        to.u16(narrow(self.entries));
        to.u16(narrow(self.entries));
        to.u32(saturated(self.directory_length));
        to.u32(saturated(self.directory_at));
        to.u16(0); // no comment
        to.0
    }
}

/// From here on 32 bits do not say the value.
const WIDE: u64 = 0xffff_ffff;

fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn narrow(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn new(length: u64) -> Self {
        Self(Vec::with_capacity(usize::try_from(length).unwrap_or(0)))
    }

    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &Headers<'_>) {
        assert_eq!(u64::try_from(headers.local().len()), Ok(headers.local_length()));
        assert_eq!(u64::try_from(headers.central().len()), Ok(headers.central_length()));
    }

    #[test]
    fn a_header_is_as_long_as_it_was_said_to_be() {
        for encrypted in [false, true] {
            for at in [0, WIDE - 1, WIDE, WIDE + 1] {
                for size in [0, WIDE - 29, WIDE - 28, WIDE - 1, WIDE, u64::from(u32::MAX) * 3] {
                    let held = size / 2;
                    check(&Headers {
                        name: "Ä/b.txt",
                        modified: DosTime::FIRST,
                        method: 8,
                        encrypted,
                        crc32: 1,
                        size,
                        held,
                        at,
                    });
                    check(&Headers {
                        name: "",
                        modified: DosTime::FIRST,
                        method: 0,
                        encrypted,
                        crc32: 1,
                        size,
                        held: size,
                        at,
                    });
                }
            }
        }
    }

    #[test]
    fn an_end_is_as_long_as_it_was_said_to_be_and_wide_only_where_it_must() {
        for (entries, at, length, wide) in [
            (0, 0, 0, false),
            (0xfffe, WIDE - 1, WIDE - 1, false),
            (0xffff, 0, 0, true),
            (1, WIDE, 0, true),
            (1, 0, WIDE, true),
        ] {
            let end = End { entries, directory_at: at, directory_length: length };
            assert_eq!(u64::try_from(end.bytes().len()), Ok(end.length()));
            assert_eq!(end.length() > END, wide);
        }
    }
}
