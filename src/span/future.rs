//! A future that runs inside an open span and tells the span how it ended.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::active::ActiveSpan;

pin_project_lite::pin_project! {
    /// Made by [`Starter::run`](super::Starter::run) and [`ActiveSpan::run`]. Enters the span for each poll, never between
    /// two.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Run<F, K, A = ActiveSpan<K>>
    where
        A: Borrow<ActiveSpan<K>>,
    {
        #[pin]
        inner: Option<F>,
        active: A,
        completes: bool,
        kind: PhantomData<fn() -> K>,
    }

    impl<F, K, A> PinnedDrop for Run<F, K, A>
    where
        A: Borrow<ActiveSpan<K>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                // Dropped before its end. What it holds is dropped inside the span, then the span is given up.
                let active: &ActiveSpan<K> = (*this.active).borrow();
                active.in_scope(|| this.inner.set(None));
                active.abandon();
            }
        }
    }
}

impl<F, K> Run<F, K> {
    /// Ends the span in any case.
    pub(crate) fn whole(active: ActiveSpan<K>, future: F) -> Self {
        Self {
            inner: Some(future),
            active,
            completes: true,
            kind: PhantomData,
        }
    }
}

impl<'a, F, K> Run<F, K, &'a ActiveSpan<K>> {
    /// Ends the span unless the future's answer is `Ok`.
    pub(crate) fn part(active: &'a ActiveSpan<K>, future: F) -> Self {
        Self {
            inner: Some(future),
            active,
            completes: false,
            kind: PhantomData,
        }
    }
}

impl<F, K, A: Borrow<ActiveSpan<K>>> fmt::Debug for Run<F, K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("active", self.active.borrow())
            .finish_non_exhaustive()
    }
}

impl<F, T, E, K, A> Future for Run<F, K, A>
where
    F: Future<Output = Result<T, E>>,
    E: fmt::Display,
    A: Borrow<ActiveSpan<K>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let active: &ActiveSpan<K> = (*this.active).borrow();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            // Polled again after its end, which the contract of `Future` leaves open; pending harms nobody.
            return Poll::Pending;
        };
        let result = ready!(active.poll_in_scope(|| inner.poll(cx)));
        active.in_scope(|| this.inner.set(None));
        match &result {
            Ok(_) if !*this.completes => {}
            result => active.settle(result),
        }
        Poll::Ready(result)
    }
}
