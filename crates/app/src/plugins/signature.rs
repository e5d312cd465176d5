//! Signatures of Standard Webhooks 1.0: HMAC-SHA-256 over `id.timestamp.body`, in base64 after `v1,`;
//! secrets are `whsec_` and base64. <https://www.standardwebhooks.com>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::Timestamp;
use sha2::Sha256;

use super::PluginSecret;

/// The secret as the other side is told it.
pub fn shown(secret: &PluginSecret) -> String {
    format!("whsec_{}", STANDARD.encode(secret.expose()))
}

/// The three headers of a signed request.
pub fn headers(secret: &PluginSecret, id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, String)> {
    let seconds = at.as_micros().div_euclid(1_000_000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("HMAC takes a key of any length");
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers =
        [("webhook-id", id.to_owned()), ("webhook-timestamp", seconds), ("webhook-signature", signature)];
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use kernel::Secret;

    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn a_request_is_signed_as_standard_webhooks_has_it() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let mut padded = [0u8; 32];
        padded[..key.len()].copy_from_slice(&key);
        // A key shorter than HMAC's block is filled up with zeros anyway.
        let secret = Secret::new(padded);
        let at = Timestamp::from_seconds(1_614_265_330);
        let headers = headers(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
