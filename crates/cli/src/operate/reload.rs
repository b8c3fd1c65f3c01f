//! What SIGHUP does: the configuration is read again, and its guards are put in force.

use crate::exit::Failure;
use crate::operate::guards::Guarding;
use crate::operate::settings::SettingFlags;
use keystead_server::configuration::Loaded;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// What the server was started with.
pub(super) struct Reload {
    hangups: Signal,
    settings: SettingFlags,
    allow_plain_http: bool,
    started: Loaded,
}

impl Reload {
    /// Registered before anything is opened: unheard, the signal would end the process.
    pub(super) fn new(
        settings: SettingFlags,
        allow_plain_http: bool,
        started: Loaded,
    ) -> Result<Self, Failure> {
        let hangups = signal(SignalKind::hangup()).map_err(|error| {
            Failure::local(format!("Signals cannot be received: {error}."), "Check this machine's limits.")
        })?;
        Ok(Self { hangups, settings, allow_plain_http, started })
    }

    /// Changes the guards as often as it is told to, until `stop`, and waits for what is in work then.
    pub(super) async fn follow(mut self, mut guarding: Guarding, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                heard = self.hangups.recv() => match heard {
                    Some(()) => self.reload(&mut guarding).await,
                    None => break,
                },
                Some(_) = guarding.serving.join_next() => {}
            }
        }
        while guarding.serving.join_next().await.is_some() {}
    }

    async fn reload(&self, guarding: &mut Guarding) {
        let (settings, allow_plain_http) = (self.settings.clone(), self.allow_plain_http);
        let read = spawn_blocking(move || settings.load(allow_plain_http)).await;
        let Ok(read) = read else { return };
        let changed = match read {
            Ok(loaded) => self.put_in_force(guarding, loaded).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = changed {
            let reason = failure.line();
            tracing::error!(
                reason,
                "the configuration was read again and refused; the guards before stay in force"
            );
        }
    }

    async fn put_in_force(&self, guarding: &mut Guarding, loaded: Loaded) -> Result<(), Failure> {
        let others = loaded.settings_unlike(&self.started);
        let mut guards = loaded.guards;
        // Of the server, which is not reloaded.
        let shutdown = Duration::from_secs(self.started.configuration.limits.shutdown_seconds_max);
        guards.iter_mut().for_each(|guard| guard.proxy.bounds.shutdown = shutdown);
        let changed = guarding.change(guards).await?;
        let (kept, added, removed) = (changed.kept, changed.added, changed.removed);
        if !others.is_empty() {
            let settings = others.join(", ");
            tracing::warn!(
                settings,
                "only guards are read again; these settings hold from the next start on"
            );
        }
        // Last: whoever waits for it has everything that this reload says.
        tracing::info!(kept, added, removed, "the guards that the configuration has now are in force");
        Ok(())
    }
}
