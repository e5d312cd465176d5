//! Against a store of one's own: MinIO, Ceph, a cloud's. Run by hand, with an empty bucket:
//!
//! ```text
//! S3_ADDRESS=127.0.0.1:9000 S3_ENDPOINT=http://127.0.0.1:9000 S3_BUCKET=trial S3_KEY=… S3_SECRET=… \
//!   cargo test -p stores --test s3 -- --ignored own::
//! ```

use std::sync::Arc;

use kernel::{Clock as _, Secret, Span, SystemClock, Timestamp};
use stores::{BlobStore as _, Presign, Removal, S3Config, put};

use crate::network::TestNetwork;
use crate::server::{config, open};

const FAR_OFF: Timestamp = Timestamp::from_seconds(100_000_000_000);

fn own(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} says which store to try; see tests/s3/own.rs"))
}

#[test]
#[ignore = "needs a store of your own"]
fn a_store_keeps_what_it_is_given_and_gives_it_back() {
    let network = TestNetwork::to(own("S3_ADDRESS").parse().unwrap());
    let config = S3Config {
        bucket: own("S3_BUCKET"),
        key_id: own("S3_KEY"),
        secret: Secret::new(own("S3_SECRET")),
        region: std::env::var("S3_REGION").unwrap_or_else(|_| "us-east-1".to_owned()),
        ..config(&own("S3_ENDPOINT"))
    };
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock::default());
    let [here, there] = ["here", "there"].map(|folder| {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        open(&config, &dir.path().join(folder), network.clone(), clock.clone())
    });
    here.reach().unwrap();
    let large: Vec<u8> = (0u32..).flat_map(u32::to_le_bytes).take((64 << 20) + 1).collect();

    for content in [&b""[..], b"small", &large] {
        let digests = put(&here, content).unwrap();
        assert_eq!(there.open(&digests.sha256, digests.size).unwrap().all(), content);
        assert_eq!(there.check(&digests.sha256).unwrap(), digests);
        assert!(
            there.list(digests.sha256.shelf()).unwrap().iter().any(|found| found.sha256 == digests.sha256)
        );
        let wanted = Presign {
            sha256: digests.sha256,
            size: digests.size,
            valid: Span::minutes(1),
            disposition: "attachment; filename=\"a b.bin\"",
            content_type: "application/x-trial",
        };
        let url = there.presign(&wanted).unwrap().unwrap();
        let answer = network.get(url.expose());
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-trial")));
        assert_eq!(answer.body, content);
        assert_eq!(there.remove(&digests.sha256, FAR_OFF).unwrap(), Removal::Removed);
        assert_eq!(here.size(&digests.sha256).unwrap(), None);
    }
    // What calls were made, in order, and whether anything had to be read back to be believed.
    println!("{}", network.seen().join("\n"));
    here.sweep(clock.now() + Span::days(2), Span::days(1)).unwrap();
}
