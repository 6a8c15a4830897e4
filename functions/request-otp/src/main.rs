//! The Lambda function `request-otp`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::lambda::run::<request_otp::RequestOtp>().await
}
