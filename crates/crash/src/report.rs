//! What a run came to.

use std::collections::BTreeMap;

use crate::world::World;

/// What a run came to, for people and programs.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    /// Repeats the run.
    pub seed: u64,
    /// How often each hop was died at.
    pub hops: BTreeMap<&'static str, u32>,
    /// Processes that were killed.
    pub kills: u32,
    /// Database servers that were killed.
    pub servers_killed: u32,
    /// Programs that were asked to end, and did.
    pub ended: u32,
    /// What was bought.
    pub purchases: usize,
    /// Of these, what was paid and therefore delivered.
    pub delivered: usize,
    /// Notices that were answered with 200, each body counted once.
    pub acknowledged: usize,
    /// Mails that the mail server took.
    pub mails: usize,
    /// Mails that it took once more, recognizable by their Message-ID.
    pub mails_again: usize,
    /// Files that were fetched whole and compared.
    pub downloads: usize,
    /// Losses of the program that acknowledges early, each found.
    pub control_found: usize,
    /// What was lost or done twice.
    pub findings: Vec<String>,
}

impl Report {
    /// An empty one.
    pub fn of(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Notes what was found, and says it at once.
    pub fn find(&mut self, when: &str, found: Vec<String>) {
        for finding in found {
            eprintln!("FOUND {when}: {finding}");
            self.findings.push(format!("{when}: {finding}"));
        }
    }

    /// Adds up a world that has come to its end.
    pub fn add(&mut self, world: &World) {
        self.kills += world.kills;
        self.purchases += world.purchases.len();
        self.delivered += world.purchases.iter().filter(|bought| bought.is_delivered()).count();
        self.acknowledged += world.acknowledged().len();
        self.mails += world.mails.all().len();
        self.mails_again += world.mails.again();
        self.downloads += world.mails.fetched();
    }

    /// Whether nothing was lost and nothing done twice.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    /// Prints it.
    pub fn tell(&self, json: bool) {
        if json {
            println!("{}", serde_json::json!(self));
            return;
        }
        println!(
            "{} hops, {} kills of the program and {} of its database server, {} ends on request\n\
             {} purchases, {} delivered; {} notices acknowledged; {} mails, {} of them again; {} files fetched\n\
             the program that acknowledges early was found out {} times",
            self.hops.len(),
            self.kills,
            self.servers_killed,
            self.ended,
            self.purchases,
            self.delivered,
            self.acknowledged,
            self.mails,
            self.mails_again,
            self.downloads,
            self.control_found,
        );
        match self.findings.len() {
            0 => println!("nothing was lost, and nothing was done twice"),
            count => println!("{count} findings:\n  {}", self.findings.join("\n  ")),
        }
    }
}
