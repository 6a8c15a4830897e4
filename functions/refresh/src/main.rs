//! The Lambda function `refresh`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<refresh::Refresh>().await
}
