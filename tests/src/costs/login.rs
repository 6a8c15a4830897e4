//! The cost of a million logins: measured units times the prices, and a comparison with other products.

use serde::{Deserialize, Serialize};

use super::{Followed, Prices, Stack, Table};
use crate::operations::OPERATIONS;

const MEASURED: &str = include_str!("../../../docs/login.toml");
const MILLION: f64 = 1e6;
/// The monthly users in the table.
const PEOPLE: [u32; 3] = [10_000, 100_000, 1_000_000];

/// The units of one login, as the benchmark measures them.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub write: f64,
    pub read: f64,
    pub log_bytes: f64,
    /// CPU time of the functions, in seconds.
    pub cpu: f64,
}

impl Login {
    /// The units in `docs/login.toml`.
    pub fn measured() -> Login {
        toml::from_str(MEASURED).unwrap()
    }
}

/// The costs of logins with the units of `login`.
pub struct Costs {
    pub stack: Stack,
    pub followed: Followed,
    login: Login,
    custom_metrics: usize,
    prices: Prices,
}

impl Costs {
    pub fn new(login: Login, custom_metrics: usize, followed: Followed) -> Costs {
        Costs { login, custom_metrics, followed, stack: Stack::read(), prices: Prices::read() }
    }

    /// The cost of a million logins, without email.
    pub fn of_a_million(&self) -> f64 {
        self.parts().iter().map(|part| part.2 * MILLION).sum()
    }

    /// The cost of a million logins by item, and a comparison with other products.
    pub fn tables(&self) -> String {
        let parts = self.parts();
        let mut table = Table::new(&["a million logins", "units per login", "dollars"]);
        for (name, counted, price) in &parts {
            table.row(&[(*name).to_owned(), counted.clone(), format!("{:.2}", price * MILLION)]);
        }
        let own = self.of_a_million();
        table.row(&["total without email".to_owned(), String::new(), format!("{own:.2}")]);
        table.row(&["email".to_owned(), "1".to_owned(), format!("{:.2}", self.prices.aws.mail * MILLION)]);
        format!("{}\n{}", table.text(), self.others(own / MILLION))
    }

    fn parts(&self) -> Vec<(&'static str, String, f64)> {
        let (aws, login, seconds) = (&self.prices.aws, &self.login, self.seconds());
        let (rows, events) = (self.followed.rows(), self.followed.events());
        let (memory_mb, requests) = (self.stack.memory_mb(), self.stack.requests());
        let mut parts = vec![
            ("API Gateway", format!("{requests} requests"), requests * aws.api_request),
            ("Lambda, invocations", requests.to_string(), requests * aws.lambda_request),
            (
                "Lambda, time",
                format!("{:.0} ms of {memory_mb:.0} MB", seconds * 1e3),
                seconds * memory_mb / 1024.0 * aws.lambda_gb_second,
            ),
            ("DynamoDB, writes", format!("{:.2} units", login.write), login.write * aws.write_unit),
            ("DynamoDB, reads", format!("{:.2} units", login.read), login.read * aws.read_unit),
            ("DynamoDB, activity", format!("{rows:.0} units"), rows * aws.write_unit),
            ("EventBridge, events", format!("{events:.0}"), events * aws.event),
        ];
        parts.extend(self.stack.of_a_login(login.log_bytes).map(|line| (line.name, line.counted, line.dollars)));
        parts
    }

    /// The duration of the functions for one login: waiting for AWS, plus their CPU time with their share of a processor.
    fn seconds(&self) -> f64 {
        let assumed = &self.prices.assumed;
        let trips_of = |name: &str| OPERATIONS.iter().find(|it| it.name == name).unwrap().rounds.len();
        let trips =
            trips_of("request, first") + trips_of("verify, known user") + 2 * trips_of("refresh") + trips_of("logout");
        // One of the round trips sends the email.
        let waiting = (trips - 1) as f64 * assumed.trip_ms + assumed.mail_ms;
        waiting / 1e3 + self.login.cpu * assumed.vcpu_memory_mb / self.stack.memory_mb()
    }

    fn others(&self, own: f64) -> String {
        let logins = self.prices.assumed.logins_per_person;
        let columns = PEOPLE.map(|people| format!("{people} users"));
        let mut table = Table::new(
            &[&[format!("dollars per month, {logins} logins per user, {}", self.prices.date)], &columns[..]].concat(),
        );
        let mut row = |name: &str, price: &dyn Fn(u32) -> f64| {
            let prices = PEOPLE.map(|people| format!("{:.2}", price(people)));
            table.row(&[&[name.to_owned()], &prices[..]].concat());
        };
        let [month, without_metrics] = self.stack.month(self.custom_metrics);
        let ours = |month: f64, people, each: f64| month + f64::from(people) * logins * each;
        row("Latchkey, without email", &|people| ours(month, people, own));
        row("Latchkey with `Metrics=off`, without email", &|people| ours(without_metrics, people, own));
        row("Latchkey, with an email per login", &|people| ours(month, people, own + self.prices.aws.mail));
        for other in &self.prices.other {
            row(&format!("{}, without email", other.name), &|people| other.price(people));
        }
        table.text()
    }
}
