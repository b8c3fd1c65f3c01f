//! The end of a connection whose client may still be sending: what it sends is read and thrown away for a while.
//!
//! Closed with bytes unread, a connection is reset, and a reset takes the answer away from a client that sends its
//! whole request before it reads.

use crate::activity::Activity;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long it waits for the next bytes.
const SILENT_MAX: Duration = Duration::from_secs(5);

/// How long it reads in all.
const LINGER_MAX: Duration = Duration::from_secs(30);

/// How long where the connection was told to close: a stop does not wait for clients that do not.
const CLOSING_MAX: Duration = Duration::from_secs(1);

const READ_BYTES: usize = 16 << 10;

/// A stream whose shutdown waits until the client has sent all, where its last request may not have come whole.
#[derive(Debug)]
pub(super) struct Lingering<I> {
    stream: I,
    activity: Arc<Activity>,
    rest: Option<Rest>,
}

/// The wait for the end of what still comes.
#[derive(Debug)]
struct Rest {
    ends: Instant,
    silent: Pin<Box<Sleep>>,
}

impl<I> Lingering<I> {
    pub(super) fn new(stream: I, activity: Arc<Activity>) -> Self {
        Self { stream, activity, rest: None }
    }
}

impl Rest {
    fn begin() -> Self {
        let now = Instant::now();
        Self { ends: now + LINGER_MAX, silent: Box::pin(sleep_until(now + SILENT_MAX)) }
    }

    /// From now on there is this much time.
    fn hurry(&mut self, time: Duration) {
        let ends = Instant::now() + time;
        if ends < self.ends {
            self.ends = ends;
            self.silent.as_mut().reset(ends);
        }
    }

    /// Reads until there is no more, or no more time. An error ends it, too: there is nobody left to be told.
    fn poll(&mut self, stream: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [MaybeUninit::uninit(); READ_BYTES];
        loop {
            let mut buffer = ReadBuf::uninit(&mut bytes);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let now = Instant::now();
                    // Asked here, too: who sends without a pause never comes to the timer.
                    if now >= self.ends {
                        return Poll::Ready(());
                    }
                    self.silent.as_mut().reset((now + SILENT_MAX).min(self.ends));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.silent.as_mut().poll(context),
            }
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Lingering<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.rest.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.activity.may_be_sending() {
                return Poll::Ready(Ok(()));
            }
            this.activity.linger();
        }
        let rest = this.rest.get_or_insert_with(Rest::begin);
        if this.activity.closes() {
            rest.hurry(CLOSING_MAX);
        }
        rest.poll(&mut this.stream, context).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use http::Request;
    use tokio::io::{AsyncWriteExt, duplex};

    /// How long the shutdown takes, the client having sent a piece each second for `seconds`.
    async fn ends_after(sends: bool, seconds: u64) -> Duration {
        let activity = Arc::new(Activity::default());
        drop(activity.begin(&Request::new(if sends { "abc" } else { "" }.to_owned())));
        let (mut client, stream) = duplex(64);
        let begun = Instant::now();
        let (ended, _client) = tokio::join!(
            async {
                Lingering::new(stream, activity).shutdown().await.unwrap();
                begun.elapsed()
            },
            async {
                for _ in 0..seconds {
                    let _ = client.write_all(&[b'x'; 64]).await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                client
            }
        );
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn who_still_sends_is_read_until_it_is_silent_or_it_takes_too_long() {
        assert_eq!(ends_after(true, 0).await.as_secs(), 5);
        assert_eq!(ends_after(true, 10).await.as_secs(), 14);
        assert_eq!(ends_after(true, 1000).await.as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_without_a_pause_is_not_read_for_ever() {
        /// It always has more, and the clock goes on.
        struct Endless;
        impl AsyncRead for Endless {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                buffer.put_slice(&[b'x'; 100]);
                let mut passes = Box::pin(tokio::time::advance(Duration::from_secs(1)));
                while passes.as_mut().poll(context).is_pending() {}
                Poll::Ready(Ok(()))
            }
        }
        let mut rest = Rest::begin();
        std::future::poll_fn(|context| rest.poll(&mut Endless, context)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_a_moment_for_who_still_sends() {
        let activity = Arc::new(Activity::default());
        let _in_work = activity.begin(&Request::new("abc".to_owned()));
        let (_client, stream) = duplex(64);
        let begun = Instant::now();
        let mut stream = Lingering::new(stream, Arc::clone(&activity));
        let mut closing = Box::pin(stream.shutdown());
        assert!((&mut closing).now_or_never().is_none());
        // Whoever waits for the end is woken by the same word.
        activity.close();
        closing.await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_sent_all_is_not_waited_for() {
        assert_eq!(ends_after(false, 10).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_is_not_waited_for() {
        let activity = Arc::new(Activity::default());
        drop(activity.begin(&Request::new("abc".to_owned())));
        let (client, stream) = duplex(64);
        drop(client);
        let begun = Instant::now();
        Lingering::new(stream, activity).shutdown().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
