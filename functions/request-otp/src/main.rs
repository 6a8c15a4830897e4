//! The Lambda function `request-otp`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::runtime::lambda::run::<request_otp::RequestOtp>().await
}
