//! Where the story takes place: a Keystead with the demo organization in it, and the registry's real program.

use keystead_domain::time::{Clock, ManualClock};
use keystead_sdk::Client;
use keystead_sdk::api::SignIn;
use keystead_server::configuration;
use keystead_server::front::Front;
use keystead_server::listen;
use keystead_server::metrics::Metrics;
use keystead_server::routes::router;
use keystead_server::state::App;
use keystead_service::{
    AuditSettings, Entropy, Keystead, MailSettings, Opened, Settings, SignInSettings, Temporary, Waits,
};
use keystead_store::testing::{self, TestStore};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use reqwest::Method;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than the test: nothing is done by the clock.
const FOREVER: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Everything that runs.
pub(crate) struct House {
    /// May do everything.
    pub(crate) admin: Client,
    http: reqwest::Client,
    registry: String,
    keystead: Arc<Keystead>,
    shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    _program: Child,
    /// The demo's keys and passwords.
    data: tempfile::TempDir,
    // Goes last: what runs uses it.
    _store: TestStore,
}

/// A request to the registry.
#[derive(Debug)]
pub(crate) struct Call(Method, String, Option<Value>);

/// Its answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    /// The text as JSON, where it is.
    pub(crate) problem: Value,
}

impl House {
    pub(crate) async fn open() -> Self {
        let store = testing::sqlite().await;
        let data = tempfile::tempdir().unwrap();
        // The installation opens the database itself.
        store.store.close().await;
        let opened = installation(&store, &data.path().join("root.key")).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve(Arc::clone(&opened.keystead), listener, shutdown.clone()));
        let admin = Client::new(&url, opened.admin_key.unwrap().expose()).unwrap();
        keystead_demo::fill(&admin, data.path(), store.clock.now().to_timestamp()).await.unwrap();
        let (program, registry) = start_registry(&url, &kept(data.path(), "guard.key")).await;
        Self {
            admin,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            registry,
            keystead: opened.keystead,
            shutdown,
            serving,
            _program: program,
            data,
            _store: store,
        }
    }

    /// Somebody's own key.
    pub(crate) fn key(&self, person: &str) -> String {
        kept(self.data.path(), &format!("{person}.key"))
    }

    /// Asks the registry for something, with somebody's own key.
    pub(crate) async fn call(&self, person: &str, call: &Call) -> Answer {
        self.raw(Some(&self.key(person)), call).await
    }

    /// The same with any key, or none.
    pub(crate) async fn raw(&self, key: Option<&str>, call: &Call) -> Answer {
        let key = key.map(|key| format!("Bearer {key}"));
        self.send(key.map(|key| ("authorization", key)), call).await
    }

    /// The same with the key in another header.
    pub(crate) async fn raw_with(&self, header: &'static str, key: &str, call: &Call) -> Answer {
        self.send(Some((header, key.to_owned())), call).await
    }

    async fn send(&self, header: Option<(&'static str, String)>, call: &Call) -> Answer {
        let Call(method, path, body) = call;
        let mut request = self.http.request(method.clone(), format!("{}/v1/{path}", self.registry));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let problem = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, text, problem }
    }

    /// Somebody signed in to Keystead.
    pub(crate) async fn session(&self, person: &str) -> Client {
        let email = format!("{person}@registry.example");
        let password = kept(self.data.path(), &format!("{person}.password"));
        let stranger = Client::builder().url(self.admin.url()).build().unwrap();
        let proof = SignIn { email, password, token: true, ..SignIn::default() };
        let token = stranger.sign_in(&proof).await.unwrap().token.unwrap();
        Client::new(self.admin.url(), token).unwrap()
    }

    /// Stops Keystead in order.
    pub(crate) async fn stop_keystead(&mut self) {
        self.shutdown.cancel();
        (&mut self.serving).await.unwrap().unwrap();
        Arc::clone(&self.keystead).close().await;
    }
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self(Method::GET, path.to_owned(), None)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self(Method::DELETE, path.to_owned(), None)
    }

    pub(crate) fn put(path: &str, body: Value) -> Self {
        Self(Method::PUT, path.to_owned(), Some(body))
    }

    pub(crate) fn post(path: &str, body: Value) -> Self {
        Self(Method::POST, path.to_owned(), Some(body))
    }

    pub(crate) fn patch(path: &str, body: Value) -> Self {
        Self(Method::PATCH, path.to_owned(), Some(body))
    }
}

impl Answer {
    /// A header; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The program as a user starts it; it ends with the test.
async fn start_registry(keystead: &str, guard: &str) -> (Child, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_registry"))
        .args(["--listen", "127.0.0.1:0"])
        .env_clear()
        .envs([("KEYSTEAD_URL", keystead), ("KEYSTEAD_KEY", guard)])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = said.next_line().await.unwrap().unwrap();
    (program, url)
}

fn kept(data: &Path, file: &str) -> String {
    keystead_demo::memory::recall(data, file).unwrap().unwrap()
}

async fn installation(store: &TestStore, root_key: &Path) -> Opened {
    let settings = Settings {
        store: store.options(),
        root_key: root_key.to_owned().into(),
        log: None,
        usage_flush: FOREVER,
        usage_queue_max: 65_536,
        max_staleness: FOREVER,
        temporary: Temporary::default(),
        alone_max: FOREVER,
        waits: Waits { slow_digest: FOREVER, seek: FOREVER },
        node_name: "here".into(),
        node_file: None,
        audit: AuditSettings::default(),
        mail: MailSettings { mailer: None, every: FOREVER, letters_hour_max: 12 },
        sign_in: SignInSettings::default(),
        new_admin_key: false,
    };
    let clock = Arc::<ManualClock>::clone(&store.clock);
    Keystead::open(settings, clock, Entropy::from_rng(ChaCha8Rng::seed_from_u64(1))).await.unwrap()
}

async fn serve(
    keystead: Arc<Keystead>,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let limits = configuration::load(&[], []).unwrap().configuration.limits;
    let metrics = Metrics::new();
    let front = Front::new(&limits, Arc::clone(&metrics), &mut ChaCha8Rng::seed_from_u64(2));
    let routes = front.before(router(App { keystead, metrics }));
    listen::serve(listener, routes, None, &limits, shutdown).await
}
