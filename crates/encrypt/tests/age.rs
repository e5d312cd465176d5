//! Encrypted copies are opened by the programs that buyers have: `age` and keys of `ssh-keygen`.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use encrypt::{EncryptError, KeyError, KeyKind, Recipient, encrypt};
use tempfile::TempDir;

/// A folder, a private key in it, and the public one.
struct Pair {
    folder: TempDir,
    public: String,
}

impl Pair {
    fn secret(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// What `age` makes of an encrypted copy.
    fn open(&self, copy: &[u8]) -> Output {
        let path = self.folder.path().join("copy.age");
        fs::write(&path, copy).expect("the copy is written");
        let mut open = Command::new("age");
        open.arg("--decrypt").arg("--identity").arg(self.secret()).arg(&path);
        open.output().expect("age is installed: ./test installs it")
    }
}

fn run(program: &str, arguments: &[&str], key: &Path) -> Output {
    let done = Command::new(program).args(arguments).arg(key).output().expect("the program is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done
}

fn age_pair() -> Pair {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    run("age-keygen", &["-o"], &key);
    let public = String::from_utf8(run("age-keygen", &["-y"], &key).stdout).expect("text");
    Pair { folder, public }
}

fn ssh_pair(kind: &str, bits: &str) -> Pair {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    run("ssh-keygen", &["-q", "-t", kind, "-b", bits, "-N", "", "-C", "ada@home", "-f"], &key);
    let public = fs::read_to_string(key.with_extension("pub")).expect("a public key");
    Pair { folder, public }
}

fn copy(key: &str, content: &[u8]) -> Vec<u8> {
    let recipient = Recipient::parse(key).expect("a key");
    let mut copy = Vec::new();
    let bytes = encrypt(&recipient, &mut io::Cursor::new(content), &mut copy).expect("encrypted");
    assert_eq!(bytes, u64::try_from(content.len()).expect("a size"));
    copy
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).expect("a byte")).collect()
}

#[test]
fn age_opens_what_was_encrypted_to_an_age_key() {
    let pair = age_pair();
    let [empty, short, exact, long] = [0, 11, 64 * 1024, 1_000_003].map(content);
    assert_eq!(pair.open(&copy(&pair.public, &empty)).stdout, empty);
    assert_eq!(pair.open(&copy(&pair.public, &short)).stdout, short);
    assert_eq!(pair.open(&copy(&pair.public, &exact)).stdout, exact);
    assert_eq!(pair.open(&copy(&pair.public, &long)).stdout, long);
}

#[test]
fn age_opens_what_was_encrypted_to_ssh_keys() {
    let [ed25519, rsa] = [ssh_pair("ed25519", "256"), ssh_pair("rsa", "2048")];
    assert_eq!(ed25519.open(&copy(&ed25519.public, b"charts")).stdout, b"charts");
    assert_eq!(rsa.open(&copy(&rsa.public, b"charts")).stdout, b"charts");
    assert_eq!(Recipient::parse(&ed25519.public).map(|key| key.kind()), Ok(KeyKind::SshEd25519));
    assert_eq!(Recipient::parse(&rsa.public).map(|key| key.kind()), Ok(KeyKind::SshRsa));
}

#[test]
fn nobody_else_opens_it_and_a_changed_copy_is_noticed() {
    let (pair, other) = (age_pair(), age_pair());
    let mut made = copy(&pair.public, &content(200_000));
    assert!(!other.open(&made).status.success());
    let middle = made.len() / 2;
    made[middle] ^= 1;
    assert!(!pair.open(&made).status.success());
    made.truncate(middle);
    assert!(!pair.open(&made).status.success());
}

#[test]
fn the_plain_text_stands_nowhere_in_the_copy() {
    let pair = age_pair();
    let made = copy(&pair.public, &b"a very secret chart ".repeat(1_000));
    assert!(!made.windows(12).any(|window| window == b"secret chart"));
}

#[test]
fn a_key_is_kept_without_the_name_behind_it() {
    let pair = ssh_pair("ed25519", "256");
    assert!(pair.public.contains("ada@home"));
    let key = Recipient::parse(&pair.public).expect("a key");
    assert!(!key.as_str().contains("ada"));
    assert_eq!(Recipient::parse(key.as_str()).map(|key| key.fingerprint()), Ok(key.fingerprint()));
}

#[test]
fn an_age_key_in_capital_letters_is_the_same_key() {
    let pair = age_pair();
    let [small, large] = [pair.public.clone(), pair.public.to_uppercase()]
        .map(|text| Recipient::parse(&text).expect("a key").as_str().to_owned());
    assert_eq!(small, large);
}

#[test]
fn a_private_key_is_refused_as_one() {
    let [age, ssh] = [age_pair(), ssh_pair("ed25519", "256")];
    let secrets = [&age, &ssh].map(|pair| fs::read_to_string(pair.secret()).expect("a secret"));
    assert_eq!(
        secrets.map(|text| Recipient::parse(&text).err()),
        [Some(KeyError::Private), Some(KeyError::Private)]
    );
}

#[test]
fn what_is_no_key_is_refused_with_what_to_paste_instead() {
    let good = age_pair().public.trim().to_owned();
    let ecdsa = ssh_pair("ecdsa", "256").public;
    let weak = ssh_pair("rsa", "1024").public;
    let refused = |text: &str| Recipient::parse(text).expect_err("no key");
    assert_eq!(refused(" \n"), KeyError::Empty);
    assert_eq!(refused(&"a".repeat(5_000)), KeyError::Long);
    assert_eq!(refused(&format!("{good}\n{good}")), KeyError::Lines);
    assert_eq!(refused("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ"), KeyError::OpenPgp);
    assert_eq!(refused(&ecdsa), KeyError::Kind);
    assert_eq!(refused(&weak), KeyError::Weak);
    assert_eq!(refused("https://github.com/ada.keys"), KeyError::Kind);
    assert_eq!(refused(&good[..good.len() - 1]), KeyError::Broken);
    assert_eq!(refused(&format!("{good}q")), KeyError::Broken);
    assert_eq!(refused("ssh-ed25519"), KeyError::Broken);
    assert_eq!(refused("ssh-ed25519 AAAA"), KeyError::Broken);
    assert_eq!(
        refused("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"),
        KeyError::Kind
    );
}

/// Of these points every multiple that anybody computes is known: zero.
#[test]
fn a_key_that_everybody_can_read_is_refused_and_stops_nobody() {
    use base64::Engine as _;
    let mut one = [0u8; 32];
    one[0] = 1;
    let age = |point: [u8; 32]| {
        bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").expect("a prefix"), &point).expect("a key")
    };
    let mut wire = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    wire.extend_from_slice(&one);
    let ssh = format!("ssh-ed25519 {}", base64::prelude::BASE64_STANDARD.encode(wire));
    let refused = [age([0; 32]), age(one), ssh].map(|text| Recipient::parse(&text).err());
    assert_eq!(refused, [Some(KeyError::Unsafe), Some(KeyError::Unsafe), Some(KeyError::Unsafe)]);
}

/// A source that cannot be read, and a target with room for some bytes.
struct Broken {
    room: usize,
}

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_source_or_target_that_gives_up_is_told() {
    let key = Recipient::parse(&age_pair().public).expect("a key");
    let read = encrypt(&key, &mut Broken { room: 0 }, &mut Vec::new());
    let written = encrypt(&key, &mut io::Cursor::new(content(200_000)), &mut Broken { room: 1_000 });
    let at_once = encrypt(&key, &mut io::Cursor::new(b"chart"), &mut Broken { room: 0 });
    assert!(matches!(read, Err(EncryptError::Io(error)) if error.to_string() == "the disk is gone"));
    assert!(matches!(written, Err(EncryptError::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
    assert!(matches!(at_once, Err(EncryptError::Io(_))));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(age1|ssh-ed25519 |ssh-rsa |AGE1)?[a-zA-Z0-9+/= \n]{0,200}") {
        if let Ok(key) = Recipient::parse(&text) {
            encrypt(&key, &mut io::Cursor::new(b"x"), &mut Vec::new()).expect("a key that was taken is good");
        }
    }

    /// Sound lengths around hostile numbers: even, tiny, or without a factor.
    #[test]
    fn no_rsa_numbers_make_it_panic(
        exponent in proptest::collection::vec(0u8.., 0..6),
        modulus in proptest::collection::vec(0u8.., 250..520),
    ) {
        use base64::Engine as _;
        let mut wire = Vec::new();
        for field in [b"ssh-rsa".as_slice(), &exponent, &modulus] {
            wire.extend_from_slice(&u32::try_from(field.len()).expect("short").to_be_bytes());
            wire.extend_from_slice(field);
        }
        let text = format!("ssh-rsa {}", base64::prelude::BASE64_STANDARD.encode(wire));
        if let Ok(key) = Recipient::parse(&text) {
            encrypt(&key, &mut io::Cursor::new(b"x"), &mut Vec::new()).expect("a key that was taken is good");
        }
    }
}
