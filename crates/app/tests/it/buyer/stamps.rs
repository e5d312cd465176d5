//! Stamped copies: who gets which, when, and what becomes of what cannot be stamped.

use app::deliverables::Deliverables;
use app::orders::Order;
use app::parts::{Part, PartKey, PartState};
use app::payloads::Terms;
use app::reviews::ReviewKind;
use app::stamps::{Stamping, Unfit};
use http::StatusCode;
use kernel::FileVersionId;
use paysim::ipn::{Body as Ipn, Means};
use stamp::{Kind, Mark, Position};

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    each_buyer_gets_a_copy_by_which_the_order_is_found,
    each_unit_has_a_copy_of_its_own,
    the_receipt_does_not_wait_for_the_copy,
    until_the_copy_is_there_nobody_gets_the_file,
    the_archive_of_all_files_has_the_copies,
    files_of_other_kinds_are_delivered_as_they_are,
    a_new_version_is_handed_out_when_its_copy_is_made,
    who_keeps_the_version_as_bought_gets_no_copy_of_a_new_one,
    what_cannot_be_stamped_is_put_before_a_person_who_decides,
    what_cannot_be_stamped_is_held_without_a_question_if_the_seller_wants_that,
    what_cannot_be_stamped_is_delivered_as_it_is_if_the_seller_wants_that,
    a_copy_is_made_before_the_money_where_access_is_given_then,
    files_of_a_payload_are_stamped_too,
    orders_keep_the_stamping_that_they_were_placed_with,
    an_archive_with_nothing_to_stamp_is_delivered_as_it_is,
    the_audit_finds_an_original_that_was_handed_out,
}

/// A PDF of one page, with something that tells it from others.
pub fn pdf(content: &str) -> Vec<u8> {
    let length = content.len();
    format!(
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
         2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 300 400]>>\nendobj\n\
         3 0 obj\n<</Type/Page/Parent 2 0 R/Resources<<>>/Contents 4 0 R>>\nendobj\n\
         4 0 obj\n<</Length {length}>>\nstream\n{content}\nendstream\nendobj\n\
         trailer\n<</Root 1 0 R/Size 5>>\nstartxref\n0\n%%EOF\n"
    )
    .into_bytes()
}

/// A PDF that nothing can be stamped on.
fn encrypted() -> Vec<u8> {
    let text = String::from_utf8(pdf("% closed")).expect("text");
    let lock = "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(12345678901234567890123456789012)\
        /U(12345678901234567890123456789012)>>/ID[<00><00>]";
    text.replace("/Size 5", &format!("/Size 5{lock}")).into_bytes()
}

/// Stamping with this rule for what cannot be stamped.
pub fn stamping(unfit: Unfit) -> Deliverables {
    let stamp = Stamping {
        text: "For {name} <{email}>, {order}".to_owned(),
        position: Position::Bottom,
        size: 8,
        opacity: 60,
        kinds: vec![Kind::Pdf, Kind::Epub],
        unfit,
    };
    Deliverables { stamp: Some(stamp), ..Deliverables::default() }
}

fn book(content: &[u8]) -> NewGood {
    NewGood { deliverables: stamping(Unfit::Ask), ..NewGood::of("BOOK").with_file("book.pdf", content) }
}

fn bought(t: &TestApp, good: NewGood) -> Order {
    let product = t.product(good);
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    order
}

fn names(t: &TestApp, order: &Order) -> Vec<String> {
    t.files(&t.grant(order)).into_iter().map(|file| file.name).collect()
}

fn states(t: &TestApp, order: &Order) -> Vec<PartState> {
    t.parts(order).into_iter().map(|part| part.state).collect()
}

impl TestApp {
    /// The bytes of a link's first file.
    pub fn delivered_file(&self, order: &Order) -> Vec<u8> {
        let file = self.files(&self.grant(order)).remove(0).version;
        self.fetched(order, file)
    }

    fn fetched(&self, order: &Order, file: FileVersionId) -> Vec<u8> {
        let begun = self.post(&format!("{}/files/{file}", self.landing_of(order)), &[]);
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
        self.get(begun.location()).body
    }

    /// Whose copies the marks in a file are.
    pub fn owners(&self, file: &[u8]) -> Vec<kernel::OrderId> {
        let (merchant, found) = (self.shop.merchant.id, stamp::find_marks(file));
        self.read(move |snapshot| {
            let answers = app::stamps::flow::whose(snapshot, merchant, &found)?;
            Ok(answers.into_iter().filter_map(|answer| answer.known).map(|known| known.copy.order).collect())
        })
    }
}

fn marks(file: &[u8]) -> Vec<Mark> {
    stamp::find_marks(file).into_iter().map(|found| found.mark).collect()
}

fn each_buyer_gets_a_copy_by_which_the_order_is_found(t: TestApp) {
    let product = t.product(book(&pdf("% the book")));
    let [ada, bob] = [t.order(&[(&product, 1)]), t.order(&[(&product, 1)])];
    t.pay(&ada);
    t.pay(&bob);

    let [first, second] = [t.delivered_file(&ada), t.delivered_file(&bob)];

    assert_eq!(t.owners(&first), [ada.id]);
    assert_eq!(t.owners(&second), [bob.id]);
    assert_eq!(names(&t, &ada), ["book.pdf"]);
    assert_eq!(states(&t, &ada), [PartState::Done]);
}

fn each_unit_has_a_copy_of_its_own(t: TestApp) {
    let product = t.product(book(&pdf("% the book")));
    let order = t.order(&[(&product, 3)]);
    t.pay(&order);

    let mut contents: Vec<_> = t.grants(&order).iter().map(|grant| t.files(grant).remove(0).sha256).collect();
    contents.sort();
    contents.dedup();

    assert_eq!(contents.len(), 3);
    assert_eq!(t.count("SELECT count(*) AS n FROM stamps"), 3);
}

fn the_receipt_does_not_wait_for_the_copy(t: TestApp) {
    let order = bought(&t, book(&encrypted()));

    let receipt = t.mails_to("buyer@example.com").pop().expect("a receipt");

    assert_eq!(states(&t, &order), [PartState::Held]);
    assert!(receipt.text.contains("Still being prepared"), "{}", receipt.text);
}

fn until_the_copy_is_there_nobody_gets_the_file(t: TestApp) {
    let original = pdf("% the book");
    let product = t.product(book(&original));
    let version = t.read({
        let product = product.clone();
        move |snapshot| {
            Ok(app::products::store::files(snapshot, product.merchant, product.id)?.remove(0).version)
        }
    });
    let order = t.order(&[(&product, 1)]);
    t.deliver(&Ipn::completed(&t.sale_of(&order), Means::Instant));
    t.finish_handed_over();
    let landing = t.landing_of(&order);

    let page = t.get(&landing).text();
    let begun = t.post(&format!("{landing}/files/{version}"), &[]);
    let archive = t.post(&format!("{landing}/archive"), &[]);

    assert!(page.contains("still being made") && !page.contains("book.pdf"), "{page}");
    assert_eq!(begun.status, StatusCode::NOT_FOUND, "{}", begun.text());
    assert_ne!(archive.status, StatusCode::SEE_OTHER);
    t.run_jobs();
    assert_ne!(t.delivered_file(&order), original);
    let late = t.post(&format!("{landing}/files/{version}"), &[]);
    assert_eq!(late.status, StatusCode::NOT_FOUND, "{}", late.text());
}

fn the_archive_of_all_files_has_the_copies(t: TestApp) {
    let files = [("one.pdf", "% one"), ("two.pdf", "% two")];
    let files = files.map(|(name, content)| (name.to_owned(), pdf(content)));
    let order = bought(&t, NewGood { files: files.to_vec(), ..book(b"") });

    let begun = t.post(&format!("{}/archive", t.landing_of(&order)), &[]);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    let archive = t.get(begun.location()).body;

    assert_eq!(marks(&archive).len(), 2);
    assert_eq!(t.owners(&archive), [order.id, order.id]);
    t.run_jobs();
}

fn files_of_other_kinds_are_delivered_as_they_are(t: TestApp) {
    let files = [("a.zip".to_owned(), b"a zip".to_vec()), ("b.PDF".to_owned(), pdf("% b"))];
    let order = bought(&t, NewGood { files: files.to_vec(), ..book(b"") });

    assert_eq!(names(&t, &order), ["a.zip", "b.PDF"]);
    assert_eq!(t.delivered_file(&order), b"a zip");
    assert_eq!(states(&t, &order), [PartState::Done]);
}

fn a_new_version_is_handed_out_when_its_copy_is_made(t: TestApp) {
    let product = t.product(book(&pdf("% first")).always_newest());
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let first = t.delivered_file(&order);

    t.new_version(&product, &pdf("% second, and longer"));

    assert_eq!(names(&t, &order), Vec::<String>::new());
    t.run_jobs();
    let second = t.delivered_file(&order);
    assert_eq!(t.owners(&second), [order.id]);
    assert_ne!(marks(&first), marks(&second));
    let told = t.mails_to("buyer@example.com").pop().expect("a mail");
    assert!(told.text.contains("book.pdf"), "{}", told.text);
}

fn who_keeps_the_version_as_bought_gets_no_copy_of_a_new_one(t: TestApp) {
    let product = t.product(book(&pdf("% first")));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    let first = t.delivered_file(&order);

    t.new_version(&product, &pdf("% second"));
    t.run_jobs();

    assert_eq!(t.delivered_file(&order), first);
    assert_eq!(t.parts(&order).len(), 1);
}

fn what_cannot_be_stamped_is_put_before_a_person_who_decides(t: TestApp) {
    let order = bought(&t, book(&encrypted()));
    let part = t.parts(&order).remove(0);
    assert_eq!((part.key.part, part.state), (Part::Stamp, PartState::Held));
    assert!(part.detail.contains("book.pdf") && part.detail.contains("encrypted"), "{}", part.detail);
    assert_eq!(t.review_kinds(&order), [ReviewKind::PartHeld]);
    assert_eq!(names(&t, &order), Vec::<String>::new());

    let (id, key) = (order.id, part.key);
    t.write(move |cx| app::parts::flow::leave_out(cx, id, &key)).expect("decided");

    assert_eq!(names(&t, &order), ["book.pdf"]);
    assert_eq!(t.delivered_file(&order), encrypted());
}

fn what_cannot_be_stamped_is_held_without_a_question_if_the_seller_wants_that(t: TestApp) {
    let order = bought(&t, NewGood { deliverables: stamping(Unfit::Hold), ..book(&encrypted()) });

    assert_eq!(states(&t, &order), [PartState::Held]);
    assert_eq!(t.review_kinds(&order), []);
    assert_eq!(names(&t, &order), Vec::<String>::new());
    let key: PartKey = t.parts(&order).remove(0).key;
    let id = order.id;
    t.write(move |cx| app::parts::flow::try_again(cx, id, &key)).expect("tried again");
    t.run_jobs();
    assert_eq!(states(&t, &order), [PartState::Held]);
}

fn what_cannot_be_stamped_is_delivered_as_it_is_if_the_seller_wants_that(t: TestApp) {
    let order = bought(&t, NewGood { deliverables: stamping(Unfit::Unstamped), ..book(&encrypted()) });

    assert_eq!(states(&t, &order), [PartState::Done]);
    assert_eq!(t.delivered_file(&order), encrypted());
    assert!(t.parts(&order)[0].detail.contains("encrypted"));
}

fn a_copy_is_made_before_the_money_where_access_is_given_then(t: TestApp) {
    let product = t.product(book(&pdf("% the book")).provisional());
    let order = t.order(&[(&product, 1)]);

    t.deliver_and_run(&Ipn::pending(&t.sale_of(&order), Means::Echeck, "echeck"));

    assert_eq!(t.owners(&t.delivered_file(&order)), [order.id]);
}

fn files_of_a_payload_are_stamped_too(t: TestApp) {
    std::fs::write(t.goods.join("book.pdf"), pdf("% of a folder")).expect("a file");
    std::fs::write(t.goods.join("a.zip"), b"a zip").expect("a file");
    let terms = Terms::read("/goods/book.pdf,+/goods/a.zip", "", "").expect("terms");
    let both = Deliverables { payload: Some(terms), ..stamping(Unfit::Ask) };

    let order = bought(&t, NewGood::of("BOOK").delivering(both));

    assert_eq!(names(&t, &order), ["book.pdf", "a.zip"]);
    assert_eq!(t.owners(&t.delivered_file(&order)), [order.id]);
}

fn orders_keep_the_stamping_that_they_were_placed_with(t: TestApp) {
    let product = t.product(book(&pdf("% the book")));
    let order = t.order(&[(&product, 1)]);
    let (id, version) = (product.id, product.version);
    t.write(move |cx| app::deliverables::flow::change(cx, id, version, "stamping", |all| all.stamp = None))
        .expect("switched off");

    t.pay(&order);

    assert_eq!(t.owners(&t.delivered_file(&order)), [order.id]);
}

/// A zip archive of one text file.
const ARCHIVE: &str = "504b03041400000000000000210086a61036050000000500000005000000612e74787468656c6c6f504b010214031400000000000000210086a610360500000005000000050000000000000000000000800100000000612e747874504b0506000000000100010033000000280000000000";

fn an_archive_with_nothing_to_stamp_is_delivered_as_it_is(t: TestApp) {
    let mut deliverables = stamping(Unfit::Ask);
    deliverables.stamp.iter_mut().for_each(|stamp| stamp.kinds.push(Kind::Zip));
    let archive = hex::decode(ARCHIVE).expect("hex");

    let order = bought(&t, NewGood { deliverables, ..NewGood::of("ICONS").with_file("icons.zip", &archive) });

    assert_eq!(states(&t, &order), [PartState::Done]);
    assert_eq!(t.delivered_file(&order), archive);
}

fn the_audit_finds_an_original_that_was_handed_out(t: TestApp) {
    let order = bought(&t, book(&pdf("% the book")));
    t.delivered_file(&order);
    assert_eq!(t.broken_checks(), Vec::<&str>::new());

    t.write(|cx| {
        Ok(db::sql("UPDATE downloads SET file_version_id = (SELECT file_version_id FROM line_files)")
            .execute(cx.tx)?)
    })
    .expect("it is damaged");

    assert!(t.broken_checks().contains(&"I2"), "{:?}", t.broken_checks());
    for check in t.broken_checks() {
        t.leaves_violation(check);
    }
}
