//! Reads the input of a report as on AWS: the counts from RecordTable, and the codes from CloudWatch's metrics.

use std::sync::Arc;

use local_aws::{DEPLOYER, Failure, REGION, Services, StackClock};
use serde::Deserialize;
use shared::aws::{Aws, Credentials, Settings};
use shared::history::{Codes, Metric, Prices, Report};
use shared::store::{RecordTable, Store};
use shared::words::Error;

use crate::carrier::Direct;
use crate::environment::Environments;

/// The namespace of the functions' metrics.
const NAMESPACE: &str = "Latchkey";

/// Makes the reports of a stack.
#[derive(Clone)]
pub(crate) struct Reports(Arc<Parts>);

struct Parts {
    table: RecordTable,
    services: Services,
    clock: StackClock,
    /// Each metric, with the deployed name of its function.
    metrics: Vec<(Metric, String)>,
    prices: Prices,
}

impl Reports {
    pub(crate) fn new(
        services: &Services,
        direct: &Direct,
        clock: &StackClock,
        environments: &Environments,
    ) -> Result<Reports, Failure> {
        let variables = environments.all();
        let table = variables.get("RECORD_TABLE").ok_or_else(|| Failure::new("no function has RECORD_TABLE"))?;
        let credentials = Credentials::new(DEPLOYER, "local", None, None, "local");
        let carrier = Some(direct.carrier_of("report"));
        let mut settings = Settings { region: REGION.to_owned(), credentials, carrier, ..Settings::default() };
        // The carrier ignores the host.
        settings.endpoints.dynamodb = Some("http://localhost".to_owned());
        let aws = Aws::new(&settings, &clock.handle()).map_err(failure)?;
        let metrics =
            Codes::metrics().into_iter().map(|metric| Some((metric, environments.deployed(metric.function)?)));
        let metrics = metrics.collect::<Option<_>>();
        Ok(Reports(Arc::new(Parts {
            table: Store::new(&aws).record_table(table.clone()),
            services: services.clone(),
            clock: clock.clone(),
            metrics: metrics.ok_or_else(|| Failure::new("template.yaml has no function for a metric of the report"))?,
            prices: prices()?,
        })))
    }

    /// The report of now.
    pub(crate) async fn make(&self) -> Result<Report, Failure> {
        let Reports(parts) = self;
        let now = parts.clock.now();
        let days = Report::period(now);
        let sum = |(metric, function): &(Metric, String)| {
            let dimensions = [("FunctionName", function.as_str())].into_iter().chain(metric.dimension);
            let dimensions: Vec<_> = dimensions.collect();
            parts.services.metric_sum((NAMESPACE, metric.name), &dimensions, &days)
        };
        let codes = Codes::of(&parts.metrics.iter().map(sum).collect::<Vec<_>>());
        let counts = parts.table.counts(days.clone()).await.map_err(failure)?;
        Ok(Report::new(now, &counts, codes.as_ref(), &parts.prices))
    }
}

fn failure(error: Error) -> Failure {
    Failure::new(error.cause().unwrap_or_else(|| error.to_string()))
}

#[derive(Deserialize)]
struct PriceFile {
    aws: PriceList,
    counted: Counted,
}

#[derive(Deserialize)]
struct PriceList {
    mail: f64,
    sms: f64,
}

#[derive(Deserialize)]
struct Counted {
    sign_in: f64,
}

fn prices() -> Result<Prices, Failure> {
    let file: PriceFile = toml::from_str(include_str!("../../../docs/prices.toml")).map_err(Failure::new)?;
    Ok(Prices { mail: file.aws.mail, sms: file.aws.sms, sign_in: file.counted.sign_in })
}
