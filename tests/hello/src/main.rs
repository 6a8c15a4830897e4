//! The least function there is, for the start benchmark: built as ours are, and deployed nowhere.

use std::convert::Infallible;

use lambda_http::{Body, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    run(service_fn(|_: Request| async { Ok::<_, Infallible>(Response::new(Body::from("Hello, world"))) })).await
}
