//! Against a real server.

use std::sync::Arc;

use kernel::{ManualClock, Secret, Span, SystemClock, Timestamp};
use stores::{
    BlobStore as _, Checksums, Digests, Presign, Removal, S3Config, Sha256, StoreError, UrlStyle, put,
};

use crate::server::{DOMAIN, Server};

const FAR_OFF: Timestamp = Timestamp::from_seconds(100_000_000_000);

fn key(sha256: &Sha256) -> String {
    format!("files/sha256/{:02x}/{sha256}", sha256.shelf())
}

fn wanted(digests: &Digests) -> Presign<'static> {
    Presign {
        sha256: digests.sha256,
        size: digests.size,
        valid: Span::minutes(2),
        disposition: "attachment; filename=\"a book.pdf\"",
        content_type: "application/pdf",
    }
}

/// Bytes that are not all alike.
fn content(length: usize) -> Vec<u8> {
    (0u32..).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).take(length).collect()
}

#[test]
fn what_one_machine_stores_another_reads_whole_and_in_parts() {
    let server = Server::start();
    let digests = put(&server.store(), b"hello, world").unwrap();
    let elsewhere = server.store();

    let blob = elsewhere.open(&digests.sha256, 12).unwrap();

    assert_eq!(&blob.all()[..], b"hello, world");
    assert_eq!(&elsewhere.read(&digests.sha256, 12, 7..12).unwrap()[..], b"world");
    assert_eq!(elsewhere.read(&digests.sha256, 12, 5..5).unwrap().len(), 0);
    assert_eq!(elsewhere.size(&digests.sha256).unwrap(), Some(12));
    assert_eq!(elsewhere.check(&digests.sha256).unwrap(), digests);
    assert!(server.file(&key(&digests.sha256)).is_file());
}

#[test]
fn a_blob_is_brought_over_once() {
    let server = Server::start();
    let digests = put(&server.store(), b"popular").unwrap();
    let network = server.network();
    let store = server.store_by(&server.config(), network.clone(), Arc::new(SystemClock::default()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(&store.open(&digests.sha256, 7).unwrap().all()[..], b"popular"));
        }
    });

    assert_eq!(network.seen(), [format!("GET /shop/{}", key(&digests.sha256))]);
}

#[test]
fn an_empty_blob_is_a_blob() {
    let server = Server::start();
    let digests = put(&server.store(), b"").unwrap();

    assert!(server.store().open(&digests.sha256, 0).unwrap().is_empty());
    assert_eq!(server.store().check(&digests.sha256).unwrap(), digests);
}

#[test]
fn a_large_blob_goes_in_parts_and_comes_back_in_pieces() {
    let server = Server::start();
    let network = server.network();
    let store = server.store_by(&server.config(), network.clone(), Arc::new(SystemClock::default()));
    let content = content((64 << 20) + 12_345);
    let digests = put(&store, &content).unwrap();
    let object = format!("/shop/{}", key(&digests.sha256));
    let of =
        |method: &str| network.seen().iter().filter(|call| **call == format!("{method} {object}")).count();
    // Begun, five parts, joined, looked at; and nothing read back, since every part was proved.
    assert_eq!((of("POST"), of("PUT"), of("HEAD"), of("GET")), (2, 5, 1, 0));

    let blob = server.store().open(&digests.sha256, digests.size).unwrap();

    assert_eq!(blob.all(), content);
}

#[test]
fn what_is_not_there_is_missing() {
    let server = Server::start();
    let (store, absent) = (server.store(), Sha256::of(b"never stored"));

    assert!(matches!(store.open(&absent, 12), Err(StoreError::Missing(_))));
    assert!(matches!(store.check(&absent), Err(StoreError::Missing(_))));
    assert_eq!(store.size(&absent).unwrap(), None);
    assert_eq!(store.remove(&absent, FAR_OFF).unwrap(), Removal::Absent);
}

#[test]
fn an_object_that_was_changed_in_the_bucket_is_not_served_and_an_upload_mends_it() {
    let server = Server::start();
    let digests = put(&server.store(), b"license text").unwrap();
    std::fs::write(server.file(&key(&digests.sha256)), b"License text").unwrap();

    let error = server.store().open(&digests.sha256, 12).unwrap_err();

    assert!(matches!(error, StoreError::Corrupted { .. }));
    assert!(error.to_string().contains("store attic") && error.to_string().contains(&key(&digests.sha256)));
    put(&server.store(), b"license text").unwrap();
    assert_eq!(&server.store().open(&digests.sha256, 12).unwrap().all()[..], b"license text");
}

#[test]
fn an_object_cut_short_in_the_bucket_is_not_served() {
    let server = Server::start();
    let digests = put(&server.store(), b"license text").unwrap();
    std::fs::write(server.file(&key(&digests.sha256)), b"license").unwrap();

    assert!(matches!(server.store().open(&digests.sha256, 12), Err(StoreError::Corrupted { .. })));
    assert!(matches!(server.store().presign(&wanted(&digests)), Err(StoreError::Corrupted { .. })));
}

#[test]
fn a_shelf_lists_its_blobs_and_nothing_else() {
    let server = Server::start();
    let store = server.store();
    let digests = put(&store, b"listed").unwrap();
    std::fs::write(server.file(&key(&digests.sha256)).with_file_name("notes.txt"), "stray").unwrap();

    let listed = store.list(digests.sha256.shelf()).unwrap();

    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].sha256, listed[0].size), (digests.sha256, 6));
    assert_eq!(store.list(digests.sha256.shelf().wrapping_add(1)).unwrap(), []);
}

#[test]
fn a_long_list_is_read_page_by_page() {
    let server = Server::start();
    let shelf = server.file("files/sha256/07");
    std::fs::create_dir_all(&shelf).unwrap();
    (0..1001).for_each(|n| std::fs::write(shelf.join(format!("07{n:062x}")), "").unwrap());
    let network = server.network();
    let store = server.store_by(&server.config(), network.clone(), Arc::new(SystemClock::default()));

    let listed = store.list(7).unwrap();

    assert_eq!(listed.len(), 1001);
    assert!(listed.is_sorted_by_key(|found| found.sha256));
    assert_eq!(network.seen(), ["GET /shop/", "GET /shop/"]);
}

#[test]
fn an_old_orphan_is_removed_and_a_young_one_stays() {
    let server = Server::start();
    let store = server.store();
    let digests = put(&store, b"orphan").unwrap();
    let stored_at = store.list(digests.sha256.shelf()).unwrap()[0].stored_at;

    assert_eq!(store.remove(&digests.sha256, stored_at).unwrap(), Removal::Young);
    assert_eq!(store.remove(&digests.sha256, FAR_OFF).unwrap(), Removal::Removed);

    assert!(!server.file(&key(&digests.sha256)).exists());
    assert!(matches!(store.open(&digests.sha256, 6), Err(StoreError::Missing(_))));
}

#[test]
fn an_upload_that_is_given_up_leaves_nothing() {
    let server = Server::start();
    let network = server.network();
    let store = server.store_by(&server.config(), network.clone(), Arc::new(SystemClock::default()));
    let mut upload = store.begin().unwrap();
    upload.write(b"half a file").unwrap();

    drop(upload);

    assert_eq!(network.seen(), Vec::<String>::new());
    assert_eq!(store.sweep(FAR_OFF, Span::hours(1)).err().map(|error| error.to_string()), None);
}

#[test]
fn a_presigned_url_gives_the_blob_under_its_name_until_it_runs_out() {
    let server = Server::start();
    let network = server.network();
    let clock = ManualClock::at(kernel::Clock::now(&SystemClock::default()));
    let store = server.store_by(&server.config(), network.clone(), Arc::new(clock.clone()));
    let digests = put(&store, b"%PDF").unwrap();
    let fresh = store.presign(&wanted(&digests)).unwrap().unwrap();
    // Signed as if by a clock five minutes and a second ago, and for longer than may be.
    let stale = server.store_by(&server.config(), network.clone(), Arc::new(clock.clone()));
    let long = Presign { valid: Span::days(7), ..wanted(&digests) };
    let allowed = stale.presign(&long).unwrap().unwrap();

    let answer = network.get(fresh.expose());

    assert_eq!((answer.status, &answer.body[..]), (200, &b"%PDF"[..]));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"a book.pdf\""));
    assert_eq!(answer.header("content-type"), Some("application/pdf"));
    assert!(allowed.expose().contains("X-Amz-Expires=300&"));
    assert!(network.get(&fresh.expose().replace("Signature=", "Signature=0")).status >= 400);
}

#[test]
fn a_presigned_url_that_has_run_out_gives_nothing() {
    let server = Server::start();
    let network = server.network();
    let now = kernel::Clock::now(&SystemClock::default());
    let digests = put(&server.store(), b"%PDF").unwrap();
    let late =
        server.store_by(&server.config(), network.clone(), Arc::new(ManualClock::at(now - Span::minutes(3))));

    let url = late.presign(&wanted(&digests)).unwrap().unwrap();

    assert_eq!(network.get(url.expose()).status, 403);
}

#[test]
fn a_bucket_may_stand_in_the_hosts_name() {
    let server = Server::start();
    let config = S3Config {
        endpoint: format!("http://{DOMAIN}"),
        style: UrlStyle::VirtualHost,
        prefix: String::new(),
        ..server.config()
    };
    let network = server.network();
    let store = server.store_by(&config, network.clone(), Arc::new(SystemClock::default()));

    let digests = put(&store, b"by name").unwrap();

    store.reach().unwrap();
    let name = digests.sha256.to_string();
    assert!(server.file(&format!("sha256/{}/{name}", &name[..2])).is_file());
    assert!(network.seen().iter().all(|call| !call.contains("/shop/")));
}

#[test]
fn a_store_without_checksums_is_held_to_its_etags() {
    let server = Server::start();
    let network = server.network();
    let config = S3Config { checksums: Checksums::Left, ..server.config() };
    let store = server.store_by(&config, network.clone(), Arc::new(SystemClock::default()));

    let digests = put(&store, b"held to an MD5").unwrap();

    let object = format!("/shop/{}", key(&digests.sha256));
    assert_eq!(network.seen(), [format!("PUT {object}"), format!("HEAD {object}")]);
}

#[test]
fn a_wrong_secret_is_refused_with_the_remedy() {
    let server = Server::start();
    let config = S3Config { secret: Secret::new("wrong".to_owned()), ..server.config() };
    let store = server.store_by(&config, server.network(), Arc::new(SystemClock::default()));

    let refused = store.reach().unwrap_err();

    assert!(matches!(refused, StoreError::Refused { .. }));
    assert!(refused.to_string().contains("check the key, the secret and the region"), "{refused}");
}

#[test]
fn a_bucket_that_does_not_exist_is_told_with_the_remedy() {
    let server = Server::start();
    let config = S3Config { bucket: "shoo".to_owned(), ..server.config() };
    let store = server.store_by(&config, server.network(), Arc::new(SystemClock::default()));

    let refused = store.reach().unwrap_err();

    assert!(refused.to_string().contains("correct its name"), "{refused}");
}

#[test]
fn a_server_that_is_gone_is_asked_four_times_and_then_named() {
    let server = Server::start();
    let network = server.network();
    let store = server.store_by(&server.config(), network.clone(), Arc::new(SystemClock::default()));
    drop(server);

    let error = store.size(&Sha256::of(b"x")).unwrap_err();

    assert!(matches!(error, StoreError::Unanswered { .. }));
    assert!(error.to_string().contains("store attic"), "{error}");
    assert_eq!(network.pauses(), [200_000, 400_000, 800_000].map(Span::micros));
}

#[test]
fn an_upload_that_was_taken_up_again_goes_to_the_bucket_whole() {
    let server = Server::start();
    let (store, whole) = (server.store(), content(200_000));
    let id = kernel::UploadId::from_bits(1);
    let mut first = store.resume(id, 0, None).unwrap();
    first.write(&whole[..150_000]).unwrap();
    let saved = first.save().unwrap();
    drop(first);

    let mut second = store.resume(id, saved, None).unwrap();
    second.write(&whole[150_000..]).unwrap();
    let digests = second.finish().unwrap();

    assert_eq!(digests, Digests::of(&whole));
    assert_eq!(server.store().check(&digests.sha256).unwrap(), digests);
    assert_eq!(store.resume(id, saved, None).unwrap().received(), 0, "nothing of it is left here");
}
