//! The back office: who gets in, and what they may do.

mod alarms;
mod artwork;
mod customers;
mod event_words;
mod home;
mod house;
mod matrix;
mod orders;
mod people;
mod pick_up;
mod post;
mod products;
mod sign_in;
mod stamps;
mod transaction;
mod uploads;

use app::cx::Actor;
use app::sessions::{self, Holder, Origin};
use app::staff::{self, Role, Staff};
use http::StatusCode;
use kernel::{MerchantId, Secret};

use crate::buyer::attribute;
use crate::support::goods::email;
use crate::support::http::Visitor;
use crate::support::{Reply, Shop, TestApp};

/// What everybody's password is in these tests.
pub const PASSWORD: &str = "correct horse battery";

impl TestApp {
    /// Somebody at the first merchant's back office, with [`PASSWORD`].
    pub fn person(&self, address: &str, role: Role) -> Staff {
        self.person_at(self.shop.merchant.id, address, role)
    }

    /// Somebody at a merchant's back office, with [`PASSWORD`].
    pub fn person_at(&self, merchant: MerchantId, address: &str, role: Role) -> Staff {
        let password = Secret::new(PASSWORD.to_owned());
        let hash = self.block_on(staff::password::hash(password, self.app.entropy())).expect("a hash");
        let address = email(address);
        let made = self.write_for(merchant, move |cx| {
            let (person, _) = staff::flow::invite(cx, &address, "", role)?;
            staff::flow::set_password(cx, &person, &hash, None)
        });
        made.expect("a person is made")
    }

    /// A browser that is signed in as this person, without the work of typing the password.
    pub fn signed_in(&self, person: &Staff) -> Visitor<'_> {
        let id = person.id;
        let opened = self.app.write_blocking(person.merchant, Actor::Visitor, move |cx| {
            let origin =
                Origin { address: "192.0.2.7".to_owned(), user_agent: "test".to_owned(), replaces: None };
            Ok(sessions::flow::open(cx, Holder::Staff(id), &origin)?)
        });
        let visitor = self.visitor();
        visitor.set_cookie("staff", opened.expect("a session").token.expose());
        visitor
    }

    /// An owner of the first merchant, and their browser with the account page seen.
    pub fn owner(&self) -> (Staff, Visitor<'_>) {
        self.signed_in_as(&self.shop, Role::Owner)
    }

    /// Somebody with this role, and their browser with the account page seen.
    pub fn signed_in_as(&self, shop: &Shop, role: Role) -> (Staff, Visitor<'_>) {
        let person = self.person_at(shop.merchant.id, &format!("{role}@staff.example"), role);
        let visitor = self.signed_in(&person);
        visitor.get("/admin/account");
        (person, visitor)
    }

    /// The kinds of the audit log's events about somebody, in no order: the clock stands still.
    pub fn acts_on(&self, person: &Staff) -> Vec<String> {
        let subject = person.id.to_string();
        self.read(move |snapshot| {
            let kinds = db::sql("SELECT kind FROM events WHERE subject = $1 ORDER BY id").bind(&subject);
            Ok(kinds.all(snapshot, |row| row.get("kind"))?)
        })
    }
}

impl Visitor<'_> {
    /// Opens the page that asks whether an act is meant, and says yes with what is typed there.
    #[track_caller]
    pub fn act(&self, path: &str, typed: &[(&str, &str)]) -> Reply {
        let turn = self.turn(path);
        let fields: Vec<(&str, &str)> =
            std::iter::once(("turn", turn.as_str())).chain(typed.iter().copied()).collect();
        self.post(path, &fields)
    }

    /// Opens the page that asks whether an act is meant, and answers what its form says of itself.
    #[track_caller]
    pub fn turn(&self, path: &str) -> String {
        let asked = self.get(path);
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
        assert!(asked.text().contains(&format!("action=\"{path}\"")), "{}", asked.text());
        attribute(&asked.text(), "name=\"turn\"", "value").unwrap_or_default()
    }

    /// Goes where an act leads, and answers what the page there says of it.
    #[track_caller]
    pub fn told(&self, acted: &Reply) -> String {
        assert_eq!(acted.status, StatusCode::SEE_OTHER, "{}", acted.text());
        let page = self.get(acted.location()).text();
        let flash =
            page.split("class=\"wrap flash\"").nth(1).unwrap_or_else(|| panic!("nothing is told in\n{page}"));
        let said = flash.split("<p dir=\"auto\">").nth(1).and_then(|rest| rest.split("</p>").next());
        said.unwrap_or_default().to_owned()
    }
}
