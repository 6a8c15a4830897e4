//! One stack: everything in a deployment, started and stopped together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use local_aws::gateway::{Api, LONGEST_BODY, aws_address, of_gateway};
use local_aws::lambda::Functions;
use local_aws::mapping::{Courier, Poller, Scheduler, Topics};
use local_aws::template::{self, Target, Template};
use local_aws::{Accounts, ConnectionReset, Failure, Permissions, Services, StackClock};
use serde_json::{Value, json};
use shared::history::Report;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::addresses::Addresses;
use crate::carrier::Direct;
use crate::environment::Environments;
use crate::events::{self, Watched};
use crate::functions;
use crate::inbox::{self, Desk, Inbox};
use crate::keyrings::{self, Keyrings};
use crate::listen::{self, Doors};
use crate::logs::Logs;
use crate::loopback::{only_loopback_hosts, only_this_machine};
use crate::options::{OnCall, Options};
use crate::page;
use crate::plan::Plan;
use crate::report::{self, Reports};
use crate::settings::All;

/// What invokes functions besides the API.
struct Behind {
    pollers: Vec<Poller>,
    scheduler: Scheduler,
    topics: Topics,
    courier: Courier,
    functions: Arc<Functions>,
    services: Services,
    /// Services outside AWS call its webhooks.
    api: Option<Arc<Api>>,
}

/// A running stack.
pub struct Stack {
    clock: StackClock,
    services: Services,
    inbox: Inbox,
    logs: Logs,
    keyrings: Keyrings,
    environments: Environments,
    reports: Reports,
    api: Option<Arc<Api>>,
    behind: Arc<Behind>,
    plan: Plan,
    addresses: Addresses,
    doors: Doors,
}

impl Stack {
    /// Starts everything.
    ///
    /// # Errors
    /// The template, the settings, the data folder or an address is unusable.
    pub async fn start(options: Options) -> Result<Stack, Failure> {
        let template = match options.template {
            Some(template) => template,
            None => {
                let root = options.root.map_or_else(template::find_root, Ok)?;
                Template::read_with(&root, &options.profile, &options.env)?
            }
        };
        let policies = template.functions.iter().map(|(name, function)| (name.as_str(), &function.policies));
        let permissions =
            Permissions::read(policies).map_err(|problem| Failure::new(format!("template.yaml: {problem}")))?;
        let clock = options.clock;
        let inbox = Inbox::new(clock.clone());
        let mailbox = inbox.clone();
        let deliver = move |delivered, origin| mailbox.receive(delivered, origin);
        let services = Services::open(clock.handle(), options.data.as_deref(), permissions, deliver);
        let services = services.map_err(Failure::new)?;

        let aws_door = listen::open("AWS", "--aws", options.aws).await?;
        let api_door = listen::open_at("the API", "--api", options.api.filter(|_| !options.services_only)).await?;
        let inbox_door = listen::open_at("the inbox", "--inbox", options.inbox).await?;
        let page_door = listen::open_at("the page", "--page", options.page).await?;
        let address = |door: &tokio::net::TcpListener| door.local_addr().map_err(Failure::new);
        let addresses = Addresses {
            api: api_door.as_ref().map(address).transpose()?,
            aws: address(&aws_door)?,
            inbox: inbox_door.as_ref().map(address).transpose()?,
            page: page_door.as_ref().map(address).transpose()?,
        };

        // Plain http, because this stack serves its keys without TLS.
        let issuer = addresses.api.map(|address| format!("http://{address}"));
        let mut environments = Environments::new(&template, Some(addresses.aws), issuer, &options.env);
        functions::check(&options.env, &environments)?;
        let settings = All::read(&environments)?;
        for table in &template.tables {
            services.create_table(&table.definition, table.ttl.as_deref()).map_err(Failure::new)?;
        }
        template.queues.iter().for_each(|arn| services.create_queue(arn));
        template.buses.iter().for_each(|bus| services.create_bus(bus));
        for rule in &template.rules {
            services.create_rule(&rule.bus, &rule.name, rule.pattern.clone()).map_err(Failure::new)?;
        }
        template.senders.iter().chain([&settings.request.mail.sender]).for_each(|sender| services.allow_sender(sender));
        template.secrets.iter().for_each(|arn| services.create_secret(arn));
        if let Some(arn) = &settings.request.providers.secret {
            let accounts = Accounts::open().map_err(Failure::new)?;
            services.put_secret(arn, accounts.secret()).map_err(Failure::new)?;
            services.open_accounts(accounts);
        }
        keyrings::lay_ready(&services, &settings.verify.tokens, options.signing_keys.first(), clock.now())?;

        let (reader, on_line) = (inbox.clone(), options.on_line);
        let on_line = move |line: &str| {
            reader.read_log(line);
            on_line(line);
        };
        let logs = Logs::new(services.clone(), Arc::new(on_line));
        let mut doors = Doors::new();
        let log = logs.log(&clock);
        let events = Dispatch::new(log.subscriber());
        let direct = Direct::to(services.clone(), events.clone(), options.on_call.clone());
        let reports = Reports::new(&services, &direct, &clock, &environments)?;
        let direct = options.in_process.then_some(direct);
        doors.serve(aws_door, aws_router(services.clone(), events.clone(), options.on_call));
        let behind_api: BTreeSet<String> = template.routes.iter().map(|route| route.function.clone()).collect();
        let scheduled = template.schedules.iter().map(|schedule| &schedule.function);
        let subscribed = template.subscriptions.iter().map(|subscription| &subscription.function);
        let targets = template.rules.iter().flat_map(|rule| &rule.targets);
        let targets =
            targets.filter_map(|target| if let Target::Function { name, .. } = target { Some(name) } else { None });
        // A function behind a rule starts even if this deployment leaves out the rule.
        let is_behind_rules = |name: &&String| template.functions.get(*name).is_some_and(|it| it.failed.is_some());
        let unused = template.functions.keys().filter(is_behind_rules);
        let mapped = template.mappings.iter().map(|mapping| &mapping.function);
        let behind_streams = mapped.chain(scheduled).chain(subscribed).chain(targets).chain(unused);
        let behind_streams: BTreeSet<String> = behind_streams.cloned().collect();
        let (functions, others) = environments.split(&behind_api);
        let (_, tasks) = others.split(&behind_streams);
        let Template { functions: deployed, routes, cors, custom, mappings, schedules, rules, .. } = template;
        let (destinations, subscriptions) = (template.destinations, template.subscriptions);
        let failed: BTreeMap<_, _> = deployed.into_iter().filter_map(|(name, it)| Some((name, it.failed?))).collect();
        let named = rules.iter().map(|rule| rule.name.clone()).collect();
        let mut plan = Plan { routes, cors, functions, clock: clock.clone(), log, events, direct };
        let name = tasks.named_by(keyrings::BINARY).map(str::to_owned);
        let name = name.ok_or_else(|| Failure::new("template.yaml has no function rotate-keys"))?;
        let keyrings = Keyrings::new(plan.functions(&tasks, "tasks").await?, name, &settings);
        // As in AWS, a deployment is complete once its keys exist, and functions start with the resource's answer.
        for (name, resource) in &custom {
            let data = keyrings.create((name, resource), &services, addresses.aws).await?;
            environments.fill(name, &data)?;
        }
        (plan.functions, _) = environments.split(&behind_api);
        // Without functions there is nothing to invoke.
        let (mappings, schedules) = if options.services_only { Default::default() } else { (mappings, schedules) };
        let told = if options.services_only { Default::default() } else { (destinations, subscriptions) };
        let readers = environments.split(&behind_streams).0;
        let readers = if options.services_only { environments.split(&BTreeSet::new()).0 } else { readers };
        let readers = Arc::new(plan.functions(&readers, "streams").await?);
        let poller = |mapping| Poller::start(mapping, services.clone(), readers.clone(), clock.clone());
        let pollers = mappings.into_iter().map(poller).collect::<Result<_, _>>()?;
        let scheduler = Scheduler::start(schedules, readers.clone(), clock.clone());
        let topics = Topics::start(told, services.clone(), clock.clone())?;
        let mut rules = if options.services_only { Vec::new() } else { rules };
        if let Some(address) = addresses.api {
            // Links in mails lead to this machine.
            rules.iter_mut().for_each(|rule| rule.replace(&aws_address(), &format!("http://{address}")));
        }
        let courier = Courier::new(rules, failed, services.clone(), readers.clone(), clock.clone());
        let api = if options.services_only { None } else { Some(Arc::new(plan.start("").await?)) };
        let (functions, services_behind) = (readers, services.clone());
        let behind =
            Behind { pollers, scheduler, topics, courier, functions, services: services_behind, api: api.clone() };
        let behind = Arc::new(behind);
        if let Some(pause) = options.deliver_every {
            let behind = behind.clone();
            doors.repeat(pause, move || deliver_all(behind.clone()));
        }
        if let (Some(door), Some(api)) = (api_door, &api) {
            // A stack with a domain is behind a proxy, and the proxy passes that name on.
            let has_domain = environments.all().get("DOMAIN_NAME").is_some_and(|name| !name.is_empty());
            let is_loopback = !has_domain && door.local_addr().is_ok_and(|address| address.ip().is_loopback());
            let router = Router::new().fallback(call_api).with_state(api.clone());
            doors.serve(door, if is_loopback { router.layer(from_fn(only_loopback_hosts)) } else { router });
        }
        if let Some(door) = inbox_door {
            let desk = Desk {
                inbox: inbox.clone(),
                clock: clock.clone(),
                logs: logs.clone(),
                api: api.clone(),
                services: services.clone(),
                stopping: doors.stopping(),
            };
            let watched = Watched {
                services: services.clone(),
                rules: named,
                setting: environments.all().remove("EVENTS").unwrap_or_default(),
                is_read: !options.services_only,
                stopping: doors.stopping(),
            };
            let router = inbox::router(desk).merge(events::router(watched)).merge(report::router(reports.clone()));
            doors.serve(door, router.layer(from_fn(only_this_machine)));
        }
        if let Some(door) = page_door {
            doors.serve(
                door,
                page::router(&addresses.api_url(), settings.request.frontends.usual).layer(from_fn(only_this_machine)),
            );
        }
        Ok(Stack { clock, services, inbox, logs, keyrings, environments, reports, api, behind, plan, addresses, doors })
    }

    /// The clock of the stack.
    pub fn clock(&self) -> &StackClock {
        &self.clock
    }

    /// The API.
    ///
    /// # Errors
    /// The stack runs services only.
    pub fn api(&self) -> Result<&Api, Failure> {
        self.api.as_deref().ok_or_else(|| Failure::new("this stack has services only"))
    }

    /// A second API with its own function instances. Lambda starts such instances when requests arrive at the same time.
    ///
    /// # Errors
    /// A function does not start.
    pub async fn another_api(&self, name: &'static str) -> Result<Api, Failure> {
        self.plan.start(name).await
    }

    /// The AWS services.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The messages that the stack has sent.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The newest log lines of the functions, as JSON texts, oldest first.
    pub fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    /// The report of now.
    ///
    /// # Errors
    /// The table is unreachable.
    pub async fn report(&self) -> Result<Report, Failure> {
        self.reports.make().await
    }

    /// The addresses of its servers.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The environment of a function, by resource name. Its binary can run against this stack with these variables.
    pub fn environment(&self, function: &str) -> Vec<(String, String)> {
        let variables = self.environments.variables(function).into_iter().flatten();
        variables.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Rotates each keyring with the steps of Secrets Manager.
    ///
    /// # Errors
    /// `rotate-keys` fails.
    pub async fn rotate_keys(&self) -> Result<(), Failure> {
        self.keyrings.rotate().await
    }

    /// Invokes `rotate-keys` with an event.
    ///
    /// # Errors
    /// The function fails.
    pub async fn ask_for_keys(&self, event: &Value) -> Result<Value, Failure> {
        self.keyrings.ask(event).await
    }

    /// Revokes the key `kid`, as an operator does after a leak.
    ///
    /// # Errors
    /// `rotate-keys` fails.
    pub async fn revoke(&self, kid: &str) -> Result<Value, Failure> {
        self.ask_for_keys(&json!({ "mode": "revoke", "kid": kid })).await
    }

    /// Delivers all records of the tables' streams to the functions behind them, then what became of the mails and the events on the
    /// buses to theirs, and then runs the schedules that are due. Returns how many records.
    pub async fn deliver(&self) -> usize {
        deliver_all(self.behind.clone()).await
    }

    /// Invokes a function behind a stream, a schedule, a rule or a topic with any event.
    ///
    /// # Errors
    /// The function is none of these, or fails.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Failure> {
        self.behind.functions.invoke(function, event).await
    }

    /// Finishes pending requests and stops.
    pub async fn stop(self) {
        self.doors.close().await;
    }
}

async fn deliver_all(behind: Arc<Behind>) -> usize {
    let mut delivered = 0;
    for poller in &behind.pollers {
        delivered += poller.deliver().await;
    }
    behind.topics.deliver(&behind.courier);
    behind.courier.deliver().await;
    behind.scheduler.run_due().await;
    call_webhooks(&behind).await;
    delivered
}

/// The source of calls to webhooks, from the documentation's networks.
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 200));

/// Calls the API's webhooks with what became of messages by services outside AWS.
async fn call_webhooks(behind: &Behind) {
    let Some(api) = &behind.api else { return };
    let calls = behind.services.webhooks().unwrap_or_else(|problem| {
        tracing::warn!(problem, "no webhook could be called");
        Vec::new()
    });
    for call in calls {
        let path = call.uri().path().to_owned();
        let answer = api.call(call, OUTSIDE).await;
        if !answer.status().is_success() {
            tracing::warn!(path, status = answer.status().as_u16(), "a webhook refused its call");
        }
    }
}

fn aws_router(services: Services, log: Dispatch, on_call: OnCall) -> Router {
    Router::new().fallback(call_aws).with_state((services, log, on_call)).layer(from_fn(only_this_machine))
}

/// The longest request that DynamoDB accepts. The other services accept less.
const LONGEST_CALL: usize = 16 * 1024 * 1024;

type Aws = (Services, Dispatch, OnCall);

async fn call_aws(State((services, log, on_call)): State<Aws>, request: Request) -> axum::response::Response {
    match whole(request, LONGEST_CALL).await {
        Ok(request) => {
            on_call(&request);
            let answer = services.answer(request).with_subscriber(log).await;
            match answer.extensions().get::<ConnectionReset>() {
                Some(ConnectionReset) => Response::new(broken()),
                None => answer.map(Body::from),
            }
        }
        Err(status) => status.into_response(),
    }
}

/// A body that fails at once. The server then closes the connection before it has sent any byte of the answer.
fn broken() -> Body {
    let reset = Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    Body::from_stream(tokio_stream::once(reset))
}

async fn call_api(
    State(api): State<Arc<Api>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    // One byte more than the limit of the gateway, so that the gateway itself rejects bodies that are too long.
    match whole(request, LONGEST_BODY + 1).await {
        Ok(request) => api.call(request, source.ip()).await.map(Body::from),
        Err(status) => of_gateway(status).map(Body::from),
    }
}

/// Reads the whole body.
async fn whole(request: Request, longest: usize) -> Result<axum::http::Request<Bytes>, StatusCode> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, longest).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    Ok(axum::http::Request::from_parts(parts, body))
}

#[cfg(test)]
mod tests;
