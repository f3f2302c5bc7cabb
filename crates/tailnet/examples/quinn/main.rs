//! QUIC in the tailnet with quinn: a server that echoes, and a client of it.
//! `TS_AUTHKEY=… cargo run -p tailnet --example quinn -- cert.pem` serves, with a new certificate that it writes there,
//! and `… -- cert.pem quinn:4433` asks it.

mod socket;

use std::sync::Arc;

use anyhow::Context;
use quinn::rustls::RootCertStore;
use quinn::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use quinn::{ClientConfig, ServerConfig};
use tailnet::Tailnet;

const NAME: &str = "quinn";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let certificate = std::env::args().nth(1).context("usage: quinn CERT.PEM [HOST:PORT]")?;
    let key = std::env::var("TS_AUTHKEY").context("TS_AUTHKEY must hold an auth key")?;
    let node = Tailnet::builder().auth_key(key.parse()?).ephemeral(true);
    match std::env::args().nth(2) {
        None => serve(node.hostname(NAME).up().await?, &certificate).await,
        Some(server) => ask(node.hostname("quinn-client").up().await?, &certificate, &server).await,
    }
}

async fn serve(tailnet: Tailnet, path: &str) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
    std::fs::write(path, made.cert.pem())?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let mut config = ServerConfig::with_single_cert(vec![made.cert.der().clone()], key)?;
    config.transport_config(Arc::new(socket::transport()));

    let endpoint = socket::endpoint(tailnet.bind_udp(4433).await?, Some(config))?;
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            let connection = incoming.await?;
            let (mut to, mut from) = connection.accept_bi().await?;
            tokio::io::copy(&mut from, &mut to).await?;
            to.finish()?;
            connection.closed().await;
            anyhow::Ok(())
        });
    }
    Ok(())
}

async fn ask(tailnet: Tailnet, path: &str, server: &str) -> anyhow::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path)?)?;
    let mut config = ClientConfig::with_root_certificates(Arc::new(roots))?;
    config.transport_config(Arc::new(socket::transport()));

    let address = tailnet.lookup_host(server).await?[0];
    let endpoint = socket::endpoint(tailnet.bind_udp(0).await?, None)?;
    let connection = endpoint.connect_with(config, address, NAME)?.await?;
    let (mut to, mut from) = connection.open_bi().await?;
    to.write_all(b"hello").await?;
    to.finish()?;
    println!("{}", String::from_utf8(from.read_to_end(1024).await?)?);
    connection.close(0u32.into(), b"done");
    endpoint.wait_idle().await;
    tailnet.close().await?;
    Ok(())
}
