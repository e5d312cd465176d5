//! What is made for a unit beside the files of its product: payloads, and every way in which
//! making something can go.

use app::deliverables::Deliverables;
use app::orders::{Line, Order};
use app::parts::{Part, PartKey, PartState, UnitPart};
use app::payloads::Terms;
use app::reviews::ReviewKind;
use http::StatusCode;

use crate::support::{NewGood, TestApp};

testkit::both_engines! {
    a_payload_is_gathered_after_the_payment_and_handed_out_like_a_file,
    the_receipt_does_not_wait_for_a_payload,
    who_chose_an_attribute_gets_its_folder_and_no_other,
    a_payload_that_lacks_a_file_is_held_and_comes_after_it_was_put_right,
    staff_deliver_without_what_cannot_be_made,
    what_was_taken_back_gets_nothing_made_until_it_is_given_back,
    what_was_delivered_does_not_change_with_the_folder,
    a_link_out_of_the_root_delivers_nothing,
}

fn payload(spec: &str, base: &str, attributes: &str) -> Deliverables {
    let terms = Terms::read(spec, base, attributes).expect("terms");
    Deliverables { payload: Some(terms), ..Deliverables::default() }
}

impl TestApp {
    fn put_goods(&self, path: &str, content: &[u8]) {
        let path = self.goods.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    fn line(&self, order: &Order) -> Line {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::orders::store::lines(snapshot, merchant, id)?.remove(0)))
    }

    /// The parts of an order's units.
    pub fn parts(&self, order: &Order) -> Vec<UnitPart> {
        let (merchant, id) = (order.merchant, order.id);
        self.read(move |snapshot| Ok(app::parts::store::of_order(snapshot, merchant, id)?))
    }
}

fn bought(t: &TestApp, deliverables: Deliverables) -> Order {
    let product = t.product(NewGood::of("BOOK").delivering(deliverables));
    let order = t.order(&[(&product, 1)]);
    t.pay(&order);
    order
}

fn names(t: &TestApp, order: &Order) -> Vec<String> {
    t.files(&t.grant(order)).into_iter().map(|file| file.name).collect()
}

fn key(t: &TestApp, order: &Order) -> PartKey {
    let part = t.parts(order).remove(0);
    assert_eq!(part.key.part, Part::Payload);
    part.key
}

fn a_payload_is_gathered_after_the_payment_and_handed_out_like_a_file(t: TestApp) {
    t.put_goods("book.pdf", b"the book");
    t.put_goods("fonts/a.ttf", b"a font");
    t.put_goods("fonts/b.ttf", b"another");
    let order = bought(&t, payload("/goods/book.pdf,+/goods/fonts/*.ttf", "", ""));
    assert_eq!(names(&t, &order), ["book.pdf", "a.ttf", "b.ttf"]);
    assert_eq!(t.parts(&order)[0].state, PartState::Done);

    let landing = t.landing_of(&order);
    let file = t.files(&t.grant(&order)).remove(0).version;
    let begun = t.post(&format!("{landing}/files/{file}"), &[]);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    assert_eq!(t.get(begun.location()).body, b"the book");
    assert!(t.get(&landing).text().contains("b.ttf"));
}

fn the_receipt_does_not_wait_for_a_payload(t: TestApp) {
    let order = bought(&t, payload("/goods/later.pdf", "", ""));
    let receipt = t.mails_to("buyer@example.com").pop().expect("a receipt");
    assert!(receipt.text.contains("Still being prepared"), "{}", receipt.text);
    assert!(t.get(&t.landing_of(&order)).text().contains("still being made"));
    t.put_goods("later.pdf", b"late");
    let again = key(&t, &order);
    t.write(move |cx| app::parts::flow::try_again(cx, order.id, &again)).expect("tried again");
    t.run_jobs();
    let ready = t.mails_to("buyer@example.com").pop().expect("a mail");
    assert!(ready.text.contains("later.pdf"), "{}", ready.text);
}

fn who_chose_an_attribute_gets_its_folder_and_no_other(t: TestApp) {
    t.put_goods("Large/decal.jpg", b"large");
    t.put_goods("small/decal.jpg", b"small");
    let product = t.product(NewGood::of("DECAL").delivering(payload("decal*.jpg", "/goods", "Large, Small")));
    let order = t.order_chosen(&product, "SMALL");
    t.pay(&order);
    let file = t.files(&t.grant(&order)).remove(0);
    assert_eq!(file.sha256, t.store("decal.jpg", b"small").sha256);
}

fn a_payload_that_lacks_a_file_is_held_and_comes_after_it_was_put_right(t: TestApp) {
    t.put_goods("a.zip", b"a");
    let order = bought(&t, payload("/goods/a.zip,+/goods/b.zip", "", ""));
    let part = t.parts(&order).remove(0);
    assert_eq!(part.state, PartState::Held);
    assert!(part.detail.contains("+/goods/b.zip came to no file"), "{}", part.detail);
    assert_eq!(t.review_kinds(&order), [ReviewKind::PartHeld]);
    assert_eq!(names(&t, &order), Vec::<String>::new());

    t.put_goods("b.zip", b"b");
    let (id, again) = (order.id, key(&t, &order));
    t.write(move |cx| app::parts::flow::try_again(cx, id, &again)).expect("tried again");
    t.run_jobs();
    assert_eq!(names(&t, &order), ["a.zip", "b.zip"]);
}

fn staff_deliver_without_what_cannot_be_made(t: TestApp) {
    let order = bought(&t, payload("/goods/never.zip", "", ""));
    let (id, held) = (order.id, key(&t, &order));
    t.write(move |cx| app::parts::flow::leave_out(cx, id, &held)).expect("left out");
    assert_eq!(t.parts(&order)[0].state, PartState::LeftOut);
    assert!(!t.get(&t.landing_of(&order)).text().contains("still being made"));
    let again = key(&t, &order);
    assert!(t.write(move |cx| app::parts::flow::leave_out(cx, id, &again)).is_err());
    t.run_jobs();
}

fn what_was_taken_back_gets_nothing_made_until_it_is_given_back(t: TestApp) {
    let order = bought(&t, payload("/goods/a.zip", "", ""));
    let (id, line) = (order.id, t.line(&order).id);
    t.write(move |cx| app::orders::flow::revoke_line(cx, id, line, "fraud")).expect("revoked");
    t.put_goods("a.zip", b"a");
    let again = key(&t, &order);
    t.write(move |cx| app::parts::flow::try_again(cx, id, &again)).expect("tried again");
    t.run_jobs();
    assert_eq!(t.parts(&order)[0].state, PartState::Waiting);
    t.write(move |cx| app::orders::flow::reinstate_line(cx, id, line, "a mistake")).expect("given back");
    t.run_jobs();
    assert_eq!(names(&t, &order), ["a.zip"]);
}

fn what_was_delivered_does_not_change_with_the_folder(t: TestApp) {
    t.put_goods("a.zip", b"first");
    let first = bought(&t, payload("/goods/a.zip", "", ""));
    let sha256 = |order: &Order| t.files(&t.grant(order)).remove(0).sha256;
    let before = sha256(&first);
    t.put_goods("a.zip", b"second and longer");
    let product = t.read({
        let (merchant, line) = (first.merchant, t.line(&first));
        move |snapshot| {
            let id = line.product.expect("a product");
            Ok(app::products::store::by_id(snapshot, merchant, id)?.expect("a product"))
        }
    });
    let second = t.order(&[(&product, 1)]);
    t.pay(&second);
    assert_eq!(sha256(&first), before);
    assert_ne!(sha256(&second), before);
}

fn a_link_out_of_the_root_delivers_nothing(t: TestApp) {
    let secret = t.goods.parent().expect("a folder").join("secret.txt");
    std::fs::write(&secret, b"secret").expect("a file");
    std::os::unix::fs::symlink(&secret, t.goods.join("a.txt")).expect("a link");
    let order = bought(&t, payload("/goods/a.txt", "", ""));
    assert_eq!(t.parts(&order)[0].state, PartState::Held);
    assert_eq!(names(&t, &order), Vec::<String>::new());
}
