//! The house that tests live in: the real router behind the real `Front`, on a real socket, over a
//! fresh installation with a clock that stands still and seeded randomness.

mod actors;
mod chromium;
mod client;
mod life;
mod lost_passwords;
mod passkeys;
mod people;
mod post;
mod provider;
mod signed_in;
mod world;

pub(crate) use actors::{Admin, Asker, Issued, Operator, OtherTenant, Stranger};
pub(crate) use chromium::Chromium;
pub(crate) use client::{Answer, Client, Shared, secret_of};
pub(crate) use life::life_of;
pub(crate) use lost_passwords::LOST_PASSWORD;

pub(crate) use passkeys::{device, flow, says};
pub(crate) use post::{Authority, MailServer, login, read, smtp_at};
pub(crate) use provider::{Back, LOOPBACK_PORT, Provider};
pub(crate) use signed_in::{Browser, PASSWORD, grants, token_in, token_in_letter};
pub(crate) use world::{World, merged};

use keystead_domain::ids::{KeyId, RequestId};
use keystead_domain::time::{ManualClock, Micros};
use keystead_domain::token::PlainKey;
use keystead_mail::{Mailer, Smtp};
use keystead_server::configuration::{self, Limits};
use keystead_server::front::Front;
use keystead_server::listen;
use keystead_server::metrics::Metrics;
use keystead_server::routes::router;
use keystead_server::state::App;
use keystead_service::caller::Origin;
use keystead_service::{AuditSettings, Entropy, Keystead, MailSettings, Opened, Settings, Temporary};
use keystead_store::Database;
use keystead_store::testing::{self, TestStore};
use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// How many keys may be minted from one, here.
pub(crate) const MINTED_MAX: usize = 32;

/// Makes each test run on both engines; PostgreSQL's half needs `KEYSTEAD_TEST_POSTGRES`, and
/// without it says so and passes.
macro_rules! on_both_engines {
    ($($name:ident,)*) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::house::House::on_sqlite().await).await;
            }
        )*}

        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                match $crate::house::House::on_postgres().await {
                    Some(house) => super::$name(house).await,
                    None => println!("not run: {} is not set", keystead_store::testing::POSTGRES_VARIABLE),
                }
            }
        )*}
    };
}
pub(crate) use on_both_engines;

/// Longer than any test: usage is written when the house closes, and freshness is never in doubt
/// when a test moves the clock.
const FOREVER: Duration = Duration::from_secs(100 * 366 * 86_400);

/// What the server has logged, of every house in this process.
pub(crate) static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A running server, and those who call it.
pub(crate) struct House {
    /// The installation's own administrator.
    pub(crate) operator: Operator,
    /// Administers the tenant `acme`.
    pub(crate) admin: Admin,
    /// Guards the API of acme's project `registry` in `production`, and may do nothing else.
    pub(crate) asker: Asker,
    /// Administers another tenant, which has things of the same names.
    pub(crate) other: OtherTenant,
    /// Has no key.
    pub(crate) stranger: Stranger,
    /// What acme has.
    pub(crate) acme: World,
    /// What the other tenant has.
    pub(crate) others: World,
    /// What time it is in the house.
    pub(crate) clock: Arc<ManualClock>,
    /// The installation.
    pub(crate) keystead: Arc<Keystead>,
    /// What all callers share.
    pub(crate) shared: Arc<Shared>,
    root_key_file: PathBuf,
    /// How it is opened from the next start on.
    chosen: Chosen,
    running: Running,
    restarts: u64,
    // Goes last: what runs uses it.
    store: TestStore,
    folder: tempfile::TempDir,
}

/// What a test chooses of how a house is opened.
#[derive(Clone, Default)]
struct Chosen {
    smtp: Option<Smtp>,
    /// Whether providers may stand on this machine.
    private_providers: bool,
    /// Where people reach it.
    url: Option<String>,
}

struct Running {
    shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl House {
    pub(crate) async fn on_sqlite() -> Self {
        Self::build(testing::sqlite().await).await
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        Some(Self::build(testing::postgres().await?).await)
    }

    async fn build(store: TestStore) -> Self {
        listen_to_the_log();
        // The installation opens the database itself.
        store.store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let root_key_file = folder.path().join("root.key");
        let clock = Arc::clone(&store.clock);
        let opened = open(&store, &root_key_file, 1, Chosen::default()).await;
        let bootstrap = opened.admin_key.unwrap();
        let shared = Arc::new(Shared::default());
        let running = serve(&opened.keystead, &shared, 1, any_port().await);

        let operator = Operator(Client::new(&shared, bootstrap.expose()));
        let tenant = async |slug: &str| {
            let body = json!({"name": format!("The {slug} company"), "slug": slug});
            let created = operator.post("/v1/organizations", body).await.created();
            Client::new(&shared, created["key"].as_str().unwrap())
        };
        let admin = Admin(tenant("acme").await);
        let other = OtherTenant(tenant("other").await);
        let acme = World::settle(&admin).await;
        let others = World::settle(&other).await;
        let asker = admin.make_asker("registry", "production").await;
        let stranger = Stranger(Client::without_key(&shared));
        Self {
            operator,
            admin,
            asker,
            other,
            stranger,
            acme,
            others,
            clock,
            keystead: opened.keystead,
            shared,
            root_key_file,
            chosen: Chosen::default(),
            running,
            restarts: 0,
            store,
            folder,
        }
    }

    /// Stops in order and starts again on the same database: what was gathered in memory is
    /// written, and all that is known is read again.
    pub(crate) async fn restart(&mut self) {
        self.restart_on(any_port().await).await;
    }

    async fn restart_on(&mut self, listener: TcpListener) {
        self.stop().await;
        self.restarts += 1;
        // Another seed: the same would make the same ids again.
        let seed = 1 + self.restarts;
        self.keystead = open(&self.store, &self.root_key_file, seed, self.chosen.clone()).await.keystead;
        self.running = serve(&self.keystead, &self.shared, seed, listener);
    }

    /// Starts again with this mail server. The outbox is looked at when a test says so, or somebody asks for
    /// another try.
    pub(crate) async fn mail_through(&mut self, smtp: Option<Smtp>) {
        self.chosen.smtp = smtp;
        self.restart().await;
    }

    /// Starts again, so that identity providers may stand on this machine.
    pub(crate) async fn reach_private_providers(&mut self) {
        self.chosen.private_providers = true;
        self.restart().await;
    }

    /// Starts again where browsers on this machine reach it, by the name that they trust.
    pub(crate) async fn reach_from_browsers(&mut self) {
        let listener = any_port().await;
        self.chosen.url = Some(format!("http://localhost:{}", listener.local_addr().unwrap().port()));
        self.restart_on(listener).await;
    }

    /// Where people reach it, as it says.
    pub(crate) fn url(&self) -> String {
        self.keystead.sign_in_settings().url.clone()
    }

    /// Another node on the same database; none where a file has one owner.
    pub(crate) async fn second_node(&self) -> Option<Arc<Keystead>> {
        if self.is_on_sqlite() {
            return None;
        }
        let folder = self.folder.path().join("second");
        std::fs::create_dir_all(&folder).unwrap();
        let root_key_file = folder.join("root.key");
        std::fs::copy(&self.root_key_file, &root_key_file).unwrap();
        Some(open(&self.store, &root_key_file, 1_000, self.chosen.clone()).await.keystead)
    }

    /// Stops in order; nothing runs any more.
    pub(crate) async fn stop(&mut self) {
        self.running.shutdown.cancel();
        (&mut self.running.serving).await.unwrap().unwrap();
        Arc::clone(&self.keystead).close().await;
    }

    /// A well-formed key that was never issued.
    pub(crate) fn unknown_key(&self) -> String {
        forge("registry", KeyId::random(&mut ChaCha8Rng::seed_from_u64(99)))
    }

    /// A well-formed key with the id of one that was issued, and another secret.
    pub(crate) fn others_secret(&self, key: &Issued) -> String {
        forge("registry", key.id.parse().unwrap())
    }

    /// The same, as if it guarded Keystead's own API.
    pub(crate) fn forged_management_key(&self, id: &str) -> String {
        forge("keystead", id.parse().unwrap())
    }

    /// Moves the clock.
    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.step(seconds * keystead_domain::time::SECOND);
    }

    /// Sets the clock.
    pub(crate) fn at(&self, instant: &str) {
        self.clock.set(Micros::from(instant.parse::<jiff::Timestamp>().unwrap()));
    }

    /// Every byte of the database's files; nothing on PostgreSQL.
    pub(crate) fn database_bytes(&self) -> Vec<u8> {
        let Database::Sqlite(path) = &self.store.database else { return Vec::new() };
        let mut bytes = Vec::new();
        for suffix in ["", "-wal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            bytes.extend(std::fs::read(name).unwrap_or_default());
        }
        bytes
    }

    /// Does now what the acts before leave to be done, so that it is not done while a test looks at
    /// what is written.
    pub(crate) async fn settle(&self) {
        self.keystead.sequence_audit().await.unwrap();
        self.keystead.sign_audit().await.unwrap();
    }

    /// Whether the database is a file of this house's own.
    pub(crate) fn is_on_sqlite(&self) -> bool {
        matches!(self.store.database, Database::Sqlite(_))
    }
}

/// Letters of one organization in an hour.
pub(crate) const LETTERS_HOUR_MAX: u32 = 12;

async fn any_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn open(store: &TestStore, root_key_file: &Path, seed: u64, chosen: Chosen) -> Opened {
    let usual = lost_passwords::sign_in(root_key_file);
    let settings = Settings {
        store: store.options(),
        root_key: root_key_file.to_owned().into(),
        log: Some(root_key_file.with_file_name("after-backup.log")),
        usage_flush: FOREVER,
        usage_queue_max: 65_536,
        max_staleness: FOREVER,
        temporary: Temporary { minted_max: MINTED_MAX, ..Temporary::default() },
        alone_max: FOREVER,
        waits: keystead_service::Waits { slow_digest: FOREVER, seek: FOREVER },
        node_name: "here".into(),
        node_file: None,
        audit: AuditSettings::default(),
        mail: MailSettings {
            mailer: chosen.smtp.map(|smtp| Mailer::new(smtp).unwrap()),
            every: FOREVER,
            letters_hour_max: LETTERS_HOUR_MAX,
        },
        sign_in: keystead_service::SignInSettings {
            private_providers: chosen.private_providers,
            url: chosen.url.unwrap_or(usual.url),
            ..usual
        },
        new_admin_key: false,
    };
    let clock = Arc::<ManualClock>::clone(&store.clock);
    Keystead::open(settings, clock, Entropy::from_rng(ChaCha8Rng::seed_from_u64(seed))).await.unwrap()
}

/// What a request from an address says of itself.
pub(crate) fn origin(ip: &str) -> Origin {
    Origin {
        ip: Some(ip.parse().unwrap()),
        method: "POST".into(),
        path: "/v1/sessions".into(),
        user_agent: None,
        request_id: RequestId([7; 16]),
        idempotency: None,
    }
}

fn forge(prefix: &str, id: KeyId) -> String {
    PlainKey::mint(prefix, "live", id, &mut ChaCha8Rng::seed_from_u64(98)).expose().to_owned()
}

fn limits() -> Limits {
    let mut limits = configuration::load(&[], []).unwrap().configuration.limits;
    // A test must not fail because the machine is slow.
    (limits.request_seconds_max, limits.header_seconds_max) = (3_600, 300);
    limits
}

fn serve(keystead: &Arc<Keystead>, shared: &Arc<Shared>, seed: u64, listener: TcpListener) -> Running {
    let limits = limits();
    let metrics = Metrics::new();
    let app = App { keystead: Arc::clone(keystead), metrics: Arc::clone(&metrics) };
    let front = Front::new(&limits, metrics, &mut ChaCha8Rng::seed_from_u64(seed));
    let routes = front.before(router(app));
    *shared.address.lock() = Some(listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let serving = tokio::spawn(async move { listen::serve(listener, routes, None, &limits, token).await });
    Running { shutdown, serving }
}

/// What production would log at its most talkative, kept for the tests that search it.
fn listen_to_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter =
            Targets::new().with_default(LevelFilter::WARN).with_target("keystead", LevelFilter::TRACE);
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Log);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(filter).with(lines))
            .unwrap();
    });
}

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
