//! How an image comes to a server: sent by this client, from an image server, or from an instance.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::io::AsyncRead;

use super::multipart;
use crate::path::form;
use crate::redacted;
use crate::transfer::body_of;
use crate::transport::BoxError;
use crate::{Client, Error, Operation, Request};

/// What to know of an image that is imported.
#[derive(Clone, Default)]
#[must_use = "it does nothing until it is given to a method"]
pub struct ImageOptions {
    public: bool,
    filename: Option<String>,
    properties: Vec<(String, String)>,
    profiles: Vec<String>,
    virtual_machine: bool,
    aliases: Vec<String>,
    auto_update: bool,
    expires_at: Option<String>,
    compression: Option<String>,
    fingerprint: Option<String>,
}

redacted::debug!(ImageOptions {
    public, filename, profiles, virtual_machine, aliases, auto_update, expires_at, compression, fingerprint
} hides { properties });

/// Where a server is to get an image from, for [`Client::create_image`].
#[derive(Clone)]
pub struct ImageSource(Value);

/// An address may have a password in it.
impl std::fmt::Debug for ImageSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ImageSource").field(&redacted::Hidden(&self.0)).finish()
    }
}

impl ImageOptions {
    /// Strangers may have it.
    pub fn public(mut self) -> ImageOptions {
        self.public = true;
        self
    }

    /// The name of its file, which only people read.
    pub fn filename(mut self, name: &str) -> ImageOptions {
        self.filename = Some(name.to_owned());
        self
    }

    /// Adds to what it says of itself.
    pub fn property(mut self, key: &str, value: &str) -> ImageOptions {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds a profile that instances of it get.
    pub fn profile(mut self, name: &str) -> ImageOptions {
        self.profiles.push(name.to_owned());
        self
    }

    /// Adds a name. Only [`Client::create_image`] gives it; one that is taken makes that fail.
    pub fn alias(mut self, name: &str) -> ImageOptions {
        self.aliases.push(name.to_owned());
        self
    }

    /// The server looks for a newer one from time to time. For [`Client::create_image`].
    pub fn auto_update(mut self) -> ImageOptions {
        self.auto_update = true;
        self
    }

    /// When the server may delete it, RFC 3339. For [`Client::create_image`].
    pub fn expires_at(mut self, when: &str) -> ImageOptions {
        self.expires_at = Some(when.to_owned());
        self
    }

    /// How an instance's image is compressed: `gzip`, `zstd`, `none` and so on; without it the server chooses. For
    /// [`Client::create_image`].
    pub fn compression(mut self, algorithm: &str) -> ImageOptions {
        self.compression = Some(algorithm.to_owned());
        self
    }

    /// The SHA-256 that its files must have; the server refuses others. For images that are sent to it.
    pub fn fingerprint(mut self, fingerprint: &str) -> ImageOptions {
        self.fingerprint = Some(fingerprint.to_owned());
        self
    }

    /// What comes second in a split image is the disk of a virtual machine.
    pub fn virtual_machine(mut self) -> ImageOptions {
        self.virtual_machine = true;
        self
    }
}

impl ImageSource {
    /// A file at an HTTPS address, which the server fetches by itself.
    #[must_use]
    pub fn url(url: &str) -> ImageSource {
        ImageSource(json!({"source": {"type": "url", "url": url}}))
    }

    /// An image of an image server; `protocol` is `simplestreams`, or that of an LXD (`lxd`) or Incus (`incus`).
    #[must_use]
    pub fn remote(server: &str, protocol: &str, alias: &str) -> ImageSource {
        let source =
            json!({"type": "image", "mode": "pull", "server": server, "protocol": protocol, "alias": alias});
        ImageSource(json!({"source": source}))
    }

    /// One image of another LXD or Incus, by its fingerprint; `protocol` is `lxd` or `incus`, `secret` is what
    /// [`crate::ImageHandle::secret`] gave there, for an image that is not public.
    #[must_use]
    pub fn fingerprint(server: &str, protocol: &str, fingerprint: &str, secret: Option<&str>) -> ImageSource {
        let mut source = json!({
            "type": "image", "mode": "pull", "server": server, "protocol": protocol, "fingerprint": fingerprint,
        });
        if let Some(secret) = secret {
            source["secret"] = secret.into();
        }
        ImageSource(json!({"source": source}))
    }

    /// The project of the other server that the image is in.
    #[must_use]
    pub fn project(mut self, name: &str) -> ImageSource {
        self.0["source"]["project"] = name.into();
        self
    }

    /// Has the image server be trusted by its certificate, PEM, where no authority vouches for it. It is for the protocols
    /// `lxd` and `incus`; the certificate is `certificate` in the server's environment.
    #[must_use]
    pub fn certificate(mut self, pem: &str) -> ImageSource {
        self.0["source"]["certificate"] = pem.into();
        self
    }

    /// What an instance is now, which must be stopped; as `lxc publish` does it.
    #[must_use]
    pub fn instance(name: &str) -> ImageSource {
        ImageSource(json!({"source": {"type": "instance", "name": name}}))
    }

    /// What a snapshot of an instance is.
    #[must_use]
    pub fn snapshot(instance: &str, snapshot: &str) -> ImageSource {
        let name = format!("{instance}/{snapshot}");
        ImageSource(json!({"source": {"type": "snapshot", "name": name}}))
    }
}

impl Client {
    /// `POST /1.0/images`: has the server make an image of something that it can reach itself. The
    /// operation's metadata has the `fingerprint` in the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_image(
        &self,
        source: &ImageSource,
        options: &ImageOptions,
    ) -> Result<Operation, Error> {
        let mut body = source.0.clone();
        body["public"] = options.public.into();
        body["auto_update"] = options.auto_update.into();
        // An empty map would take away what the image says of itself.
        if !options.properties.is_empty() {
            let properties = options.properties.iter().map(|(k, v)| (k.clone(), v.clone().into()));
            body["properties"] = Value::Object(properties.collect());
        }
        if !options.profiles.is_empty() {
            body["profiles"] = options.profiles.clone().into();
        }
        if !options.aliases.is_empty() {
            body["aliases"] = options.aliases.iter().map(|name| json!({"name": name})).collect();
        }
        for (key, value) in
            [("expires_at", &options.expires_at), ("compression_algorithm", &options.compression)]
        {
            if let Some(value) = value {
                body[key] = value.as_str().into();
            }
        }
        self.post(["images"]).json(&body).operation().await
    }

    /// `POST /1.0/images` with a file: imports a unified image, an archive with all in it, as it is read.
    /// The operation's metadata has the `fingerprint` in the end.
    ///
    /// # Errors
    /// When reading fails, or the server refuses it.
    pub async fn import_image(
        &self,
        image: impl AsyncRead + Send + 'static,
        options: &ImageOptions,
    ) -> Result<Operation, Error> {
        self.image_post(options).await?.body_from(image).operation().await
    }

    /// `POST /1.0/images` with two files: imports a split image, its metadata and its root disk, as they
    /// are read.
    ///
    /// # Errors
    /// When reading fails, or the server refuses it.
    pub async fn import_split_image(
        &self,
        metadata: impl AsyncRead + Send + 'static,
        rootfs: impl AsyncRead + Send + 'static,
        options: &ImageOptions,
    ) -> Result<Operation, Error> {
        let boundary = format!("{:032x}", fastrand::u128(..));
        let second = if options.virtual_machine { "rootfs.img" } else { "rootfs" };
        let head = |name: &str| {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            text(head)
        };
        // The server wants them in this order.
        let parts = head("metadata")
            .chain(pieces(metadata))
            .chain(text("\r\n".to_owned()))
            .chain(head(second))
            .chain(pieces(rootfs))
            .chain(text(format!("\r\n--{boundary}--\r\n")));
        let request = self.image_post(options).await?;
        let request = request.header("content-type", &format!("multipart/form-data; boundary={boundary}"));
        request.upload(StreamBody::new(parts).boxed_unsync()).operation().await
    }

    /// `POST /1.0/images` with what another server exports: imports that image as it comes, whole or split. A source
    /// that breaks makes it fail, and nothing is imported.
    ///
    /// # Errors
    /// When reading fails, or the server refuses it.
    pub async fn import_exported_image(
        &self,
        content_type: Option<&str>,
        exported: impl AsyncRead + Send + 'static,
        options: &ImageOptions,
    ) -> Result<Operation, Error> {
        let mut request = self.image_post(options).await?;
        // The parts of a split image have the names that an import wants, in its order.
        if let Some(multipart) = content_type.filter(|text| multipart::is_multipart(text)) {
            request = request.header("content-type", multipart);
        }
        request.body_from(exported).operation().await
    }

    /// `POST /1.0/images`: has the server expect an image from another one, and gives the secret for
    /// [`crate::ImageHandle::push_to`] there.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn expect_image(&self, fingerprint: &str, options: &ImageOptions) -> Result<String, Error> {
        let source = json!({"type": "image", "mode": "push", "fingerprint": fingerprint});
        let begun = self.create_image(&ImageSource(json!({"source": source})), options).await?;
        let secret = begun.begun_as().metadata.get("secret").and_then(Value::as_str);
        secret.map(str::to_owned).ok_or_else(|| self.protocol("an expected image without a secret"))
    }

    async fn image_post(&self, options: &ImageOptions) -> Result<Request, Error> {
        let prefix = self.header_prefix().await?;
        let mut request = self.post(["images"]);
        if options.public {
            request = request.header(&format!("{prefix}public"), "true");
        }
        if let Some(name) = &options.filename {
            request = request.header(&format!("{prefix}filename"), name);
        }
        if let Some(fingerprint) = &options.fingerprint {
            request = request.header(&format!("{prefix}fingerprint"), fingerprint);
        }
        let pairs: Vec<_> = options.properties.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if !pairs.is_empty() {
            request = request.header(&format!("{prefix}properties"), &form(pairs));
        }
        if !options.profiles.is_empty() {
            let profiles = options.profiles.iter().map(|name| ("profile", name.as_str()));
            request = request.header(&format!("{prefix}profiles"), &form(profiles));
        }
        Ok(request)
    }
}

type Piece = Result<Frame<Bytes>, BoxError>;

fn text(text: String) -> stream::BoxStream<'static, Piece> {
    stream::iter([Ok(Frame::data(Bytes::from(text)))]).boxed()
}

fn pieces(source: impl AsyncRead + Send + 'static) -> stream::BoxStream<'static, Piece> {
    StreamExt::boxed(http_body_util::BodyStream::new(body_of(source)))
}
