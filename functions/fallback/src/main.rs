//! The Lambda function `fallback`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<fallback::Fallback>().await
}
