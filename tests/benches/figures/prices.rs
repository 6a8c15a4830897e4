//! The cost of a million logins: counted units times the prices in `docs/prices.toml`.

use serde::Deserialize;
use tests::operations::OPERATIONS;

use crate::document::Table;
use crate::load::{Run, STEPS};

const PRICES: &str = include_str!("../../../docs/prices.toml");
const TEMPLATE: &str = include_str!("../../../template.yaml");
const MILLION: f64 = 1e6;
/// The monthly users in the table.
const PEOPLE: [u32; 3] = [10_000, 100_000, 1_000_000];

#[derive(Deserialize)]
pub struct Prices {
    date: String,
    aws: Aws,
    assumed: Assumed,
    other: Vec<Other>,
}

#[derive(Deserialize)]
struct Aws {
    api_request: f64,
    lambda_request: f64,
    lambda_gb_second: f64,
    write_unit: f64,
    read_unit: f64,
    mail: f64,
    log_byte: f64,
    month: f64,
}

#[derive(Deserialize)]
struct Assumed {
    trip_ms: f64,
    mail_ms: f64,
    vcpu_memory_mb: f64,
    logins_per_person: f64,
}

#[derive(Deserialize)]
struct Other {
    name: String,
    base: f64,
    tiers: Vec<Tier>,
}

/// The users above a number, up to the next tier.
#[derive(Deserialize)]
struct Tier {
    above: u32,
    each: f64,
}

impl Other {
    fn price(&self, people: u32) -> f64 {
        let ends = self.tiers.iter().skip(1).map(|tier| tier.above).chain([u32::MAX]);
        let tiers = self.tiers.iter().zip(ends);
        let prices = tiers.map(|(tier, end)| f64::from(people.min(end).saturating_sub(tier.above)) * tier.each);
        self.base + prices.sum::<f64>()
    }
}

/// The resources of one login.
pub struct Login {
    pub requests: f64,
    pub write: f64,
    pub read: f64,
    pub log_bytes: f64,
    /// CPU time of the functions, in seconds.
    pub cpu: f64,
    pub memory_mb: f64,
}

impl Login {
    pub fn of(run: &Run, log_bytes: u64) -> Login {
        let logins = run.logins as f64;
        Login {
            requests: STEPS.iter().map(|(_, times)| *times as f64).sum(),
            write: run.totals.capacity.write / logins,
            read: run.totals.capacity.read / logins,
            log_bytes: log_bytes as f64 / logins,
            cpu: run.functions.as_secs_f64() / logins,
            memory_mb: memory(),
        }
    }
}

/// The default memory of a function in the template.
fn memory() -> f64 {
    let (_, parameter) = TEMPLATE.split_once("\n  MemorySize:\n").unwrap();
    let default = parameter.lines().find_map(|line| line.trim().strip_prefix("Default: ")).unwrap();
    default.parse().unwrap()
}

impl Prices {
    pub fn read() -> Prices {
        toml::from_str(PRICES).unwrap()
    }

    /// The cost of a million logins by item, and a comparison with other products.
    pub fn tables(&self, login: &Login) -> String {
        let parts = self.parts(login);
        let mut table = Table::new(&["a million logins", "units per login", "dollars"]);
        for (name, counted, price) in &parts {
            table.row(&[(*name).to_owned(), counted.clone(), format!("{:.2}", price * MILLION)]);
        }
        let own: f64 = parts.iter().map(|part| part.2).sum();
        table.row(&["total without email".to_owned(), String::new(), format!("{:.2}", own * MILLION)]);
        table.row(&["email".to_owned(), "1".to_owned(), format!("{:.2}", self.aws.mail * MILLION)]);
        format!("{}\n{}", table.text(), self.others(own))
    }

    fn parts(&self, login: &Login) -> Vec<(&'static str, String, f64)> {
        let (aws, seconds) = (&self.aws, self.seconds(login));
        let memory = login.memory_mb / 1024.0;
        vec![
            ("API Gateway", format!("{} requests", login.requests), login.requests * aws.api_request),
            ("Lambda, invocations", format!("{}", login.requests), login.requests * aws.lambda_request),
            (
                "Lambda, time",
                format!("{:.0} ms of {:.0} MB", seconds * 1e3, login.memory_mb),
                seconds * memory * aws.lambda_gb_second,
            ),
            ("DynamoDB, writes", format!("{:.2} units", login.write), login.write * aws.write_unit),
            ("DynamoDB, reads", format!("{:.2} units", login.read), login.read * aws.read_unit),
            ("CloudWatch Logs", format!("{:.0} bytes", login.log_bytes), login.log_bytes * aws.log_byte),
        ]
    }

    /// The duration of the functions for one login: waiting for AWS, plus their CPU time with their share of a processor.
    fn seconds(&self, login: &Login) -> f64 {
        let trips_of = |name: &str| OPERATIONS.iter().find(|it| it.name == name).unwrap().rounds.len();
        let trips =
            trips_of("request, first") + trips_of("verify, known user") + 2 * trips_of("refresh") + trips_of("logout");
        // One of the round trips sends the email.
        let waiting = (trips - 1) as f64 * self.assumed.trip_ms + self.assumed.mail_ms;
        waiting / 1e3 + login.cpu * self.assumed.vcpu_memory_mb / login.memory_mb
    }

    fn others(&self, own: f64) -> String {
        let logins = self.assumed.logins_per_person;
        let columns = PEOPLE.map(|people| format!("{people} users"));
        let mut table = Table::new(
            &[&[format!("dollars per month, {logins} logins per user, {}", self.date)], &columns[..]].concat(),
        );
        let mut row = |name: &str, price: &dyn Fn(u32) -> f64| {
            let prices = PEOPLE.map(|people| format!("{:.2}", price(people)));
            table.row(&[&[name.to_owned()], &prices[..]].concat());
        };
        let ours = |people, each: f64| self.aws.month + f64::from(people) * logins * each;
        row("Latchkey, without email", &|people| ours(people, own));
        row("Latchkey, with an email per login", &|people| ours(people, own + self.aws.mail));
        for other in &self.other {
            row(&format!("{}, without email", other.name), &|people| other.price(people));
        }
        table.text()
    }
}
