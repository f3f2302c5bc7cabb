//! Copies of images: to another cloud, or to another project.
//!
//! The target fetches the image from the source where it reaches it, by an address of the tailnet; else the bytes go through
//! this node, as they come. Their hash is the image's fingerprint, which the target checks before it has the image.

use lxd_client::{Client, Error, Image, ImageOptions, ImageSource, OperationState, Route, Server};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{NewAlias, get, give_aliases, made, undo};
use crate::actions::copy::ways::{is_unreached, to_try};
use crate::actions::copy::{Mode, Place, Refused, Way};
use crate::actions::{ActionError, Job, Source};

/// The copy to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// An alias, or the beginning of a fingerprint.
    pub(crate) image: String,
    /// How its bytes are to travel.
    pub(crate) mode: Mode,
    /// New names; ones that other images have go over to this one.
    pub(crate) aliases: Vec<String>,
    /// The source's names too.
    pub(crate) copy_aliases: bool,
    pub(crate) public: bool,
    /// The target looks for newer ones, which only one that is public can be asked for.
    pub(crate) auto_update: bool,
}

/// A copy that was made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Copied {
    pub(crate) fingerprint: String,
    /// Which way it took; none where the target had the image already.
    pub(crate) way: Option<Way>,
    /// The better ways, and why they were not taken.
    pub(crate) not_by: Vec<Refused>,
    /// Its length.
    pub(crate) bytes: u64,
    /// How long the transfer took.
    pub(crate) seconds: f64,
}

/// Copies an image. A failure or a cancel leaves nothing at the target.
pub(crate) async fn copy(
    from: &Place,
    to: &Place,
    wanted: &Wanted,
    job: &Job,
) -> Result<Copied, ActionError> {
    job.stage("looking");
    // All connections are made at once, also those for the bytes, which saves round trips.
    let (image, target, ..) = tokio::join!(
        get(&from.client, &wanted.image, job),
        job.run(to.client.server()),
        from.client.open_ahead(),
        to.client.open_ahead(),
    );
    let (image, target) = (image?.value, target?);
    let copying = Copying { from, to, wanted, image: &image, target: &target, job };
    let began = Instant::now();
    let (way, not_by) = copying.transfer().await?;
    let seconds = began.elapsed().as_secs_f64();
    let mut aliases: Vec<NewAlias> = wanted.aliases.iter().map(|name| NewAlias::new(name)).collect();
    if wanted.copy_aliases {
        let named = image.aliases.iter();
        aliases.extend(named.map(|a| NewAlias { name: a.name.clone(), description: a.description.clone() }));
    }
    let settled = async {
        give_aliases(&to.client, &image.fingerprint, &aliases, job).await?;
        if way.is_none() && wanted.public {
            let public = serde_json::json!({"public": true});
            job.run(to.client.image(&image.fingerprint).patch(&public)).await?;
        }
        Ok(())
    };
    match settled.await {
        Err(error @ ActionError::Cancelled(_)) if way.is_some() => {
            Err(undo(&to.client, &image.fingerprint, error).await)
        }
        other => other.map(|()| Copied {
            fingerprint: image.fingerprint.clone(),
            way,
            not_by,
            bytes: image.size,
            seconds,
        }),
    }
}

struct Copying<'a> {
    from: &'a Place,
    to: &'a Place,
    wanted: &'a Wanted,
    image: &'a Image,
    target: &'a Server,
    job: &'a Job,
}

impl Copying<'_> {
    /// Brings the image to the target, and gives the way that it took.
    async fn transfer(&self) -> Result<(Option<Way>, Vec<Refused>), ActionError> {
        let (routes, mut not_by) = self.routes()?;
        if let ([], Some(Refused { way, why })) = (&routes[..], not_by.first()) {
            return Err(ActionError::Refused(format!("{} is not possible: {why}", way.as_str())));
        }
        let last = routes.len().saturating_sub(1);
        for (number, (way, route)) in routes.into_iter().enumerate() {
            self.job.stage(way.as_str());
            let tried = match route {
                Route::Pull(url) => self.pull(&url).await,
                Route::Push(url) => self.push(&url).await,
                _ => self.relay().await,
            };
            match tried {
                Ok(true) => return Ok((Some(way), not_by)),
                Ok(false) => return Ok((None, not_by)),
                Err(ActionError::Cloud(error)) if number < last && is_unreached(&error) => {
                    not_by.push(Refused { way, why: lxd_client::one_line(&error) });
                }
                Err(error) => return Err(error),
            }
        }
        Ok((None, not_by))
    }

    /// The ways to try. A push makes one server send what the other could as well fetch, and is taken only where it is asked
    /// for.
    #[allow(clippy::type_complexity)]
    fn routes(&self) -> Result<(Vec<(Way, Route)>, Vec<Refused>), ActionError> {
        if self.wanted.auto_update && matches!(self.wanted.mode, Mode::Push | Mode::Relay) {
            return Err(ActionError::Refused("Auto update is only available in pull mode".to_owned()));
        }
        if self.from.cloud == self.to.cloud && self.wanted.mode == Mode::Auto {
            // A server reaches itself, and nothing leaves it then.
            let own =
                self.target.environment.as_ref().and_then(|e| e.rest.get("addresses")?.get(0)?.as_str());
            let itself = own.map(|own| (Way::Server, Route::Pull(format!("https://{own}"))));
            return Ok((itself.into_iter().chain([(Way::Relay, Route::Relay)]).collect(), Vec::new()));
        }
        let mode = match self.wanted.mode {
            Mode::Auto if self.wanted.auto_update => Mode::Pull,
            mode => mode,
        };
        let (mut routes, mut not_by) = to_try(mode, self.from, self.to);
        if mode == Mode::Auto {
            routes.retain(|(way, _)| *way != Way::Push);
            not_by.retain(|refused| refused.way != Way::Push);
        }
        Ok((routes, not_by))
    }

    /// What the image is to be at the target.
    fn options(&self) -> ImageOptions {
        let mut options = ImageOptions::default();
        for (key, value) in &self.image.properties {
            options = options.property(key, value);
        }
        if self.wanted.public { options.public() } else { options }
    }

    /// Whether the target has the image already.
    async fn is_there(&self) -> Result<bool, Error> {
        match self.to.client.image(&self.image.fingerprint).get().await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has the target fetch it, which needs to know the source's certificate, and a secret for an image that is not public.
    async fn pull(&self, url: &str) -> Result<bool, ActionError> {
        let image = &self.image;
        let source = &self.from.client;
        let handle = source.image(&image.fingerprint);
        let secret =
            async { if image.public { Ok(None) } else { handle.revocable_secret().await.map(Some) } };
        let asked = async { tokio::try_join!(source.server(), secret, self.is_there()) };
        let (server, secret, is_there) = self.job.run(asked).await?;
        let (secret, kept) = secret.unzip();
        let fetched = match is_there {
            true => Ok(false),
            false => self.fetched(url, &server, secret.as_deref()).await,
        };
        if let (Some(kept), Ok(false) | Err(_)) = (kept, &fetched) {
            // Nobody has used it, and it would last as long as the source runs. One that is used ends by itself.
            let _ = kept.cancel().await;
        }
        fetched
    }

    /// Has the target fetch it with this secret, where it needs one.
    async fn fetched(&self, url: &str, source: &Server, secret: Option<&str>) -> Result<bool, ActionError> {
        let image = &self.image;
        let protocol = if self.target.is_incus() { "incus" } else { "lxd" };
        let mut options = ImageOptions::default();
        if self.wanted.public {
            options = options.public();
        }
        let mut asked = if self.wanted.auto_update {
            options = options.auto_update();
            ImageSource::remote(url, protocol, &self.wanted.image)
        } else {
            ImageSource::fingerprint(url, protocol, &image.fingerprint, secret)
        };
        if self.from.project != "default" {
            asked = asked.project(&self.from.project);
        }
        if let Some(pem) = certificate(source) {
            asked = asked.certificate(pem);
        }
        // Not to be cancelled: the server may have begun.
        let operation = self.to.client.create_image(&asked, &options).await?;
        self.finished(self.job.follow(operation).await?).await
    }

    /// Has the source send it to the target, which expects it.
    async fn push(&self, url: &str) -> Result<bool, ActionError> {
        let image = &self.image;
        if self.job.run(self.is_there()).await? {
            return Ok(false);
        }
        let target = &self.to.client;
        let secret = target.expect_image(&image.fingerprint, &self.options()).await?;
        let certificate = certificate(self.target).unwrap_or_default();
        let project = Some(self.to.project.as_str()).filter(|project| *project != "default");
        let handle = self.from.client.image(&image.fingerprint);
        let operation = handle.push_to(url, &secret, certificate, project).await?;
        let ended = self.job.follow(operation).await?;
        // The source tells the end of its own work: the target's is seen at the target.
        if !self.is_there().await? {
            let message = "the source says that it has sent the image, and the target does not have it";
            return Err(ActionError::Refused(message.to_owned()));
        }
        self.finished(ended).await
    }

    /// Carries it through this node.
    async fn relay(&self) -> Result<bool, ActionError> {
        let image = &self.image;
        let handle = self.from.client.image(&image.fingerprint);
        let (download, is_there) =
            self.job.run(async { tokio::try_join!(handle.export(), self.is_there()) }).await?;
        if is_there {
            return Ok(false);
        }
        let length = download.length().or(Some(image.size).filter(|size| *size > 0));
        let kind =
            download.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let name = format!("the image from {}", self.from.cloud);
        let (reader, sent) = Source::new(name, download).with_length(length).sending(self.job);
        let mut options = self.options().fingerprint(&image.fingerprint);
        if let Some(name) = image.rest.get("filename").and_then(Value::as_str).filter(|name| !name.is_empty())
        {
            options = options.filename(name);
        }
        let request = self.to.client.import_exported_image(kind.as_deref(), reader, &options);
        let operation = sent.through(request, self.job).await?;
        self.finished(self.job.follow(operation).await?).await
    }

    /// Looks at what was made. Where the job was cancelled meanwhile, it is removed again.
    async fn finished(&self, ended: OperationState) -> Result<bool, ActionError> {
        let client: &Client = &self.to.client;
        let fingerprint = made(&ended).unwrap_or_else(|| self.image.fingerprint.clone());
        if fingerprint != self.image.fingerprint && !self.wanted.auto_update {
            let message =
                format!("the target has made the image {fingerprint}, not {}", self.image.fingerprint);
            return Err(undo(client, &fingerprint, ActionError::Unverified(message)).await);
        }
        match self.job.run(async { Ok::<_, ActionError>(true) }).await {
            Ok(done) => Ok(done),
            Err(cancelled) => Err(undo(client, &fingerprint, cancelled).await),
        }
    }
}

/// A server's own certificate, PEM.
fn certificate(server: &Server) -> Option<&str> {
    server.environment.as_ref()?.rest.get("certificate")?.as_str()
}
