//! An empty function for the start benchmark. It is built like the others and never deployed.

use std::convert::Infallible;

use lambda_http::{Body, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    run(service_fn(|_: Request| async { Ok::<_, Infallible>(Response::new(Body::from("Hello, world"))) })).await
}
