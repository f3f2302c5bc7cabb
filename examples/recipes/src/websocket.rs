//! WebSocket with tokio-tungstenite.

use tailnet::{Tailnet, TailnetStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::http::Uri;

/// Connects to `url`, such as `ws://ticker/prices`. For `wss://` put TLS around the stream first, as `https.rs` does.
pub async fn connect(tailnet: &Tailnet, url: &Uri) -> anyhow::Result<WebSocketStream<TailnetStream>> {
    let host = url.host().unwrap_or_default();
    let stream = tailnet.connect((host, url.port_u16().unwrap_or(80))).await?;
    let (socket, _response) = client_async(url, stream).await?;
    Ok(socket)
}
