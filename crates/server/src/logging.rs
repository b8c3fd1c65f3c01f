//! Log lines on standard error: Keystead's own at the configured level, libraries' from `warn` up.

use crate::configuration::{Log, LogFormat, LogLevel};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::TryInitError;

/// Starts logging for the process, and replaces the panic hook: a panic's message may hold values, so only
/// its place is logged (and the message where it is a constant of the source).
///
/// # Errors
/// When logging has been started before.
pub fn start(log: &Log) -> Result<(), TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;
    subscriber(log, std::io::stderr().is_terminal(), std::io::stderr).try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("");
    tracing::error!(place, message, "panic");
}

fn subscriber<W>(log: &Log, terminal: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(filter(log.level));
    let text = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    if text {
        Box::new(registry.with(text_layer(terminal, writer)))
    } else {
        Box::new(
            registry.with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer)),
        )
    }
}

fn text_layer<S, W>(colours: bool, writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(writer)
}

/// h2 logs header values and sqlx parameters below `warn`: no level that can be configured lets them through.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(LevelFilter::WARN.min(level)).with_target("keystead", level)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::io;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Sink {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().clone()).unwrap()
        }
    }

    /// What production writes, into memory instead of standard error.
    pub(crate) fn capture(level: LogLevel, format: LogFormat) -> (Box<dyn Subscriber + Send + Sync>, Sink) {
        // While there is but one subscriber, a thread without it that comes to a line first switches that
        // line off for all threads. A second one, for the whole process, prevents that.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let sink = Sink::default();
        let writer = sink.clone();
        let log = Log { level, format };
        (subscriber(&log, false, move || writer.clone()), sink)
    }

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LogLevel, format: LogFormat, act: impl FnOnce()) -> String {
        let (subscriber, sink) = capture(level, format);
        tracing::subscriber::with_default(subscriber, act);
        sink.text()
    }

    /// LESSONS 32: other sinks leaked what the audit did not (CVE-2024-0831).
    #[test]
    fn libraries_stay_silent_about_details_even_at_trace() {
        let lines = logged(LogLevel::Trace, LogFormat::Text, || {
            tracing::trace!(target: "h2::codec", authorization = "canary");
            tracing::debug!(target: "sqlx::query", statement = "canary");
            tracing::warn!(target: "hyper", "kept");
            tracing::trace!(target: "keystead_service::keyring", "kept too");
        });
        assert!(!lines.contains("canary") && lines.lines().count() == 2, "{lines}");
    }

    #[test]
    fn the_level_holds_for_our_own_lines() {
        let act = || {
            tracing::info!(target: "keystead_server::front", "heard");
            tracing::debug!(target: "keystead_server::front", "not heard");
            tracing::warn!(target: "hyper", "heard at warn");
        };
        assert_eq!(logged(LogLevel::Info, LogFormat::Text, act).lines().count(), 2);
        assert_eq!(logged(LogLevel::Error, LogFormat::Text, act), "");
    }

    #[test]
    fn json_lines_are_json() {
        let lines = logged(LogLevel::Info, LogFormat::Json, || tracing::info!(answer = 42, "a \"line\""));
        let line: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
        assert_eq!((line["answer"].as_i64(), line["message"].as_str()), (Some(42), Some("a \"line\"")));
    }
}
