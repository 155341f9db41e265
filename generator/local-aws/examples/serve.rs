//! Serves the stand-in alone, to look at it by hand: `serve 127.0.0.1:4600`.

use local_aws::Settings;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4600".to_owned());
    let listener = TcpListener::bind(address).await?;
    local_aws::serve(listener, Settings::default(), std::future::pending()).await
}
