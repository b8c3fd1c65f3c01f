//! `keystead serve`: runs the server until it is told to stop.

use crate::exit::{Exit, Failure, Outcome};
use crate::operate::bind::bind;
use crate::operate::checkpoint_file::CheckpointFile;
use crate::operate::doors::Doors;
use crate::operate::guards::Guards;
use crate::operate::publish::{Place, Publishing};
use crate::operate::reload::Reload;
use crate::operate::settings::SettingFlags;
use crate::operate::starting::{self, Slot};
use crate::operate::webhook::Webhook;
use crate::output::Output;
use clap::Args;
use keystead_mail::Mailer;
use keystead_server::configuration::{Configuration, Loaded, RootKeyFrom};
use keystead_server::front::Front;
use keystead_server::listen::{self, Tls};
use keystead_server::metrics::Metrics;
use keystead_server::request_id::RequestIds;
use keystead_server::state::App;
use keystead_server::{logging, routes};
use keystead_service::{
    ALONE_MAX, AuditSettings, Entropy, Keystead, MailSettings, OpenFailed, Opened, Settings, SignInSettings,
    SystemClock, Temporary, Waits, check_breached_passwords,
};
use keystead_store::{Database, Options, inspect};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

/// Connections that read beside each other.
const READERS: u32 = 8;
/// How long a stop waits for the opening of an installation, which may wait for a database.
const OPENING_TIME_MAX: Duration = Duration::from_secs(15);
/// How long work that nobody waits for any more, such as a name's look-up, may hold up the end.
const RUNTIME_TIME_MAX: Duration = Duration::from_secs(1);

/// Run the server on this machine
///
/// On an empty data folder it creates the root key file and the database, and prints the
/// administrator's key, once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keystead serve
  keystead serve --data /var/lib/keystead --listen 127.0.0.1:8080
  keystead serve --database postgres://keystead@db.example.com/keystead

Every setting is a flag, a variable KEYSTEAD_… and a line of the configuration
file; --help lists all. Stop it with Ctrl-C or SIGTERM: what is in work is
finished and nothing is lost.")]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: SettingFlags,
    /// Issue a new administrator's key and print it, when the first one was lost
    #[arg(long)]
    new_admin_key: bool,
}

impl Serve {
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let loaded = self.settings.load(allow_plain_http)?;
        logging::start(&loaded.configuration.log)
            .map_err(|error| Failure::local(format!("Logging cannot start: {error}."), "Report this."))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::local(format!("The runtime cannot start: {error}."), "Check this machine's limits.")
        })?;
        let outcome = runtime.block_on(self.serve(loaded, allow_plain_http, output));
        runtime.shutdown_timeout(RUNTIME_TIME_MAX);
        outcome
    }

    async fn serve(&self, loaded: Loaded, allow_plain_http: bool, output: &Output) -> Outcome {
        let (configuration, guards) = (&loaded.configuration.clone(), loaded.guards.clone());
        let doors = loaded.doors.clone();
        let reload = Reload::new(self.settings.clone(), allow_plain_http, loaded)?;
        make_folder(configuration)?;
        let tls = tls(configuration)?;
        let places = places(configuration)?;
        let (listener, address) = bind(configuration.listen, "with --listen").await?;
        let guards = Guards::bind(guards).await?;
        let doors = Doors::bind(doors).await?;
        let stop = CancellationToken::new();
        tokio::spawn(wait_for_signal(stop.clone())?);
        if let Some(tls) = &tls {
            tokio::spawn(Arc::clone(tls).watch(stop.clone()));
        }
        let (metrics, entropy, slot) = (Metrics::new(), Entropy::system(), Slot::default());
        let front = |entropy: &Entropy| {
            entropy.with(|rng| Front::new(&configuration.limits, Arc::clone(&metrics), rng))
        };
        let router = slot.clone().router(front(&entropy).before(starting::routes()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (limits, serving) = (configuration.limits.clone(), stop.clone());
        let served =
            tokio::spawn(async move { listen::serve(listener, router, tls, &limits, serving).await });
        let (ready, ids) = (front(&entropy), entropy.with(|rng| RequestIds::new(rng)));
        let opened = tokio::select! {
            opened = open(configuration, address, self.new_admin_key, entropy) => opened,
            () = too_late(&stop) => {
                return Err(Failure::local(
                    "It was told to stop, and the installation did not open in time.",
                    "Nothing is lost. Check that the database answers, then start it again.",
                ));
            }
        };
        let Opened { keystead, admin_key } = opened.inspect_err(|_| stop.cancel())?;
        let every = Duration::from_secs(configuration.audit.checkpoint_seconds);
        let publishing = Publishing::begin(places, &keystead, every);
        let app = App { keystead: Arc::clone(&keystead), metrics };
        let guarding = guards.serve(&keystead, ids, &app.metrics, &stop);
        let guarding = tokio::spawn(reload.follow(guarding, stop.clone()));
        let mut asked = doors.serve(&app, &ready, &configuration.limits, &stop);
        slot.fill(ready.before(routes::router(app)));
        if let Some(key) = admin_key {
            output.data(&format!("KEYSTEAD_KEY={}\n", key.expose()))?;
            output.note("This is the administrator's key. It is shown only now: store it safely.");
        }
        output.data(&format!("{scheme}://{address}\n"))?;
        tracing::info!(%address, keys = keystead.keys_resident(), "ready");
        let ended = served.await;
        let _ = guarding.await;
        while asked.join_next().await.is_some() {}
        keystead.close().await;
        publishing.end().await;
        tracing::info!("stopped in order");
        told(ended)
    }
}

/// How serving ended.
fn told(ended: Result<std::io::Result<()>, JoinError>) -> Outcome {
    match ended {
        Ok(Ok(())) => Ok(Exit::Done),
        Ok(Err(error)) => Err(Failure::local(format!("Listening failed: {error}."), "See the log.")),
        Err(_) => Err(Failure::local("Serving ended unexpectedly.", "See the log.")),
    }
}

/// Where signed checkpoints go besides database and log.
fn places(configuration: &Configuration) -> Result<Vec<Place>, Failure> {
    let url = configuration.audit.checkpoint_webhook.as_ref();
    let webhook = url.map(|url| Webhook::new(url, configuration.allow_plain_http)).transpose()?;
    let file = configuration.audit.checkpoint_file.clone().map(CheckpointFile::new);
    Ok(webhook.map(Place::Webhook).into_iter().chain(file.map(Place::File)).collect())
}

/// Some time after it was told to stop: a first start that is nearly done is to print its key.
async fn too_late(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(OPENING_TIME_MAX).await;
}

async fn open(
    configuration: &Configuration,
    address: SocketAddr,
    new_admin_key: bool,
    entropy: Entropy,
) -> Result<Opened, Failure> {
    let database = Database::parse(configuration.database.expose()).map_err(|error| {
        Failure::usage(error.to_string(), "Write sqlite:PATH or postgres://USER@HOST/DATABASE.")
    })?;
    let first = configuration.root_key.source == RootKeyFrom::Passphrase
        && inspect(&database).await.is_ok_and(|found| found.schema.is_none());
    let settings = Settings {
        store: Options { database, readers: READERS },
        root_key: super::root_key::source(configuration, first)?,
        log: configuration.backup.log.clone(),
        usage_flush: Duration::from_secs(configuration.usage.flush_seconds),
        usage_queue_max: configuration.usage.queue_max,
        node_file: Some(configuration.data.join("node")),
        node_name: format!("{} {address}", host()),
        max_staleness: Duration::from_secs(configuration.freshness.max_staleness_seconds),
        alone_max: ALONE_MAX,
        waits: Waits::default(),
        temporary: Temporary {
            purge_after: Duration::from_secs(configuration.temporary.purge_after_seconds),
            minted_max: configuration.temporary.minted_max,
        },
        audit: AuditSettings {
            checkpoint_every: Duration::from_secs(configuration.audit.checkpoint_seconds),
            retention: match configuration.audit.retention_days {
                0 => None,
                days => Some(Duration::from_secs(days * 86_400)),
            },
            ..AuditSettings::default()
        },
        mail: MailSettings { mailer: mailer(configuration)?, ..MailSettings::default() },
        sign_in: sign_in(configuration, address)?,
        new_admin_key,
    };
    Keystead::open(settings, Arc::new(SystemClock), entropy).await.map_err(|error| match error {
        OpenFailed::Other(error) => {
            Failure::local(format!("The installation does not open: {error}."), "Run keystead doctor.")
        }
        error => Failure::local(error.to_string(), "Run keystead doctor to see what else is amiss."),
    })
}

fn sign_in(configuration: &Configuration, address: SocketAddr) -> Result<SignInSettings, Failure> {
    let settings = &configuration.sign_in;
    if let Some(list) = &settings.breached_passwords_file {
        check_breached_passwords(list).map_err(|error| {
            Failure::local(
                format!("sign_in.breached_passwords_file, {}: {error}.", list.display()),
                "Name Have I Been Pwned's list of SHA-1 digests, ordered by hash, or remove the setting.",
            )
        })?;
    }
    Ok(SignInSettings {
        url: people_url(configuration, address),
        session: Duration::from_secs(settings.session_seconds_max),
        idle: Duration::from_secs(settings.idle_seconds_max),
        password_characters_min: settings.password_characters_min,
        breached_passwords: settings.breached_passwords_file.clone(),
        private_providers: settings.private_providers,
        passkey_domain: settings.passkey_domain.clone(),
    })
}

/// Where people reach the server, without a `/` at the end.
pub(crate) fn people_url(configuration: &Configuration, address: SocketAddr) -> String {
    // Where a proxy adds TLS, browsers speak TLS.
    let plain = configuration.tls.certificate.is_none() && address.ip().is_loopback();
    let own = || format!("http{}://{address}", if plain { "" } else { "s" });
    let url = configuration.sign_in.url.clone().unwrap_or_else(own);
    url.trim_end_matches('/').to_owned()
}

fn mailer(configuration: &Configuration) -> Result<Option<Mailer>, Failure> {
    super::smtp::mailer(configuration).map_err(|error| {
        Failure::local(
            format!("Mail cannot be sent: {error}."),
            "Correct it, or remove smtp.host and smtp.from: notices wait then, and keystead notices shows them.",
        )
    })
}

/// What this machine is called, for the list of nodes.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(253).collect();
    if name.is_empty() { "localhost".into() } else { name }
}

/// The data folder, for its owner only.
pub(super) fn make_folder(configuration: &Configuration) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(&configuration.data).map_err(|error| {
        Failure::local(
            format!("The data folder {} cannot be made: {error}.", configuration.data.display()),
            "Choose another with --data, or make it writable.",
        )
    })
}

fn tls(configuration: &Configuration) -> Result<Option<Arc<Tls>>, Failure> {
    let (Some(certificate), Some(key)) = (&configuration.tls.certificate, &configuration.tls.key) else {
        return Ok(None);
    };
    Tls::load(certificate, key).map(Some).map_err(|error| {
        Failure::local(error.to_string(), "Correct tls.certificate and tls.key; both are PEM files.")
    })
}

/// Cancels on SIGTERM or SIGINT. Registered before anything is opened: a signal that comes early
/// still stops in order.
fn wait_for_signal(stop: CancellationToken) -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Failure::local(format!("Signals cannot be received: {error}."), "Check this machine's limits.")
        })
    };
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new requests are accepted");
        stop.cancel();
    })
}
