//! The codes of a period, from the metrics that functions write for CloudWatch.

use serde::{Deserialize, Serialize};

use crate::words::Channel;

/// A metric with its dimensions. A report needs its sum over the days of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in the namespace `Latchkey`.
    pub name: &'static str,
    /// The binary of the function. Its deployed name is the dimension `FunctionName`.
    pub function: &'static str,
    /// The name and value of the other dimension.
    pub dimension: Option<(&'static str, &'static str)>,
}

/// The codes of all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// Requests to `request-otp`, also invalid ones.
    pub requests: u64,
    /// Requests over a rate limit.
    pub rate_limited: u64,
    /// Requests to `verify-otp`, also invalid ones.
    pub verify_requests: u64,
    /// By channel.
    pub channels: Vec<(Channel, ChannelCodes)>,
}

/// The codes of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelCodes {
    /// Messages that the provider accepted.
    pub sent: u64,
    /// Messages that the provider refused.
    pub refused: u64,
    /// Messages whose provider gave no answer.
    pub unknown: u64,
    /// Codes that signed somebody in.
    pub used: u64,
}

const REQUEST: &str = "request-otp";
const VERIFY: &str = "verify-otp";

impl Codes {
    /// The metrics to sum. `GetMetricData` takes up to 500 in one call.
    pub fn metrics() -> Vec<Metric> {
        let all = |name, function| Metric { name, function, dimension: None };
        let limited = ("Outcome", "rate_limited");
        let mut metrics = vec![
            all("Requests", REQUEST),
            Metric { name: "Outcomes", function: REQUEST, dimension: Some(limited) },
            all("Requests", VERIFY),
        ];
        for channel in Channel::ALL {
            let of = |name, function| Metric { name, function, dimension: Some(("Channel", channel.name())) };
            metrics.extend(["Sends", "RefusedSends", "UnknownSends"].map(|name| of(name, REQUEST)));
            metrics.push(of("CodesUsed", VERIFY));
        }
        metrics
    }

    /// From the sums of [`Codes::metrics`], in their order. CloudWatch has no sum of a metric without data, which counts as zero.
    /// `None` if no metric has data: nobody asked for a code, or the functions write no metrics.
    pub fn of(sums: &[Option<f64>]) -> Option<Codes> {
        if sums.iter().all(Option::is_none) {
            return None;
        }
        // Sums of counts are whole numbers. The conversion saturates.
        let mut sums = sums.iter().map(|sum| sum.unwrap_or_default() as u64);
        let mut next = || sums.next().unwrap_or_default();
        let (requests, rate_limited, verify_requests) = (next(), next(), next());
        let channels = Channel::ALL.map(|channel| {
            let (sent, refused, unknown, used) = (next(), next(), next(), next());
            (channel, ChannelCodes { sent, refused, unknown, used })
        });
        Some(Codes { requests, rate_limited, verify_requests, channels: channels.into() })
    }
}
