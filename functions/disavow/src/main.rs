//! The Lambda function `disavow`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<disavow::Disavow>().await
}
