use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, mpsc};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanExporter};

use super::*;
use crate::clock::Clock;
use crate::export::span_data::span_data;
use crate::record::Record;
use crate::stats::Loss;

const SOON: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_secs(3600);

fn batch(records: usize, delay: Duration) -> BatchSettings {
    BatchSettings {
        records: Some(records),
        bytes: 1 << 20,
        delay: Some(delay),
    }
}

fn plugged(exporters: Vec<BoxedExporter>) -> Plugged {
    let resource = Resource::builder_empty()
        .with_service_name("plugged")
        .build();
    Plugged::new(exporters, &resource, batch(10, NEVER), 1 << 20)
}

fn span(number: u64) -> SpanData {
    let mut record = Record::default();
    record.id.trace = 1.into();
    record.id.span = number.into();
    span_data(&record, &Clock::system())
}

fn add(plugged: &mut Plugged, spans: u64) {
    (1..=spans).for_each(|number| plugged.add(span(number)));
}

async fn settled(plugged: &mut Plugged) -> bool {
    plugged.settle(Instant::now() + SOON).await
}

fn in_memory() -> (InMemorySpanExporter, BoxedExporter) {
    let exporter = InMemorySpanExporter::default();
    (exporter.clone(), BoxedExporter::new(exporter))
}

/// Answers every export by a closure.
struct Acts<F>(F);

impl<F> fmt::Debug for Acts<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acts")
    }
}

impl<F: Fn(Vec<SpanData>) -> OTelSdkResult + Send + Sync> SpanExporter for Acts<F> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        (self.0)(batch)
    }
}

fn acts(export: impl Fn(Vec<SpanData>) -> OTelSdkResult + Send + Sync + 'static) -> BoxedExporter {
    BoxedExporter::new(Acts(export))
}

#[tokio::test]
async fn every_exporter_gets_every_span_once() {
    let (one, first) = in_memory();
    let (two, second) = in_memory();
    let mut plugged = plugged(vec![first, second]);
    add(&mut plugged, 25);
    assert!(settled(&mut plugged).await);
    for exporter in [one, two] {
        let spans = exporter.get_finished_spans().unwrap();
        let ids: HashSet<_> = spans.iter().map(|s| s.span_context.span_id()).collect();
        assert_eq!((spans.len(), ids.len()), (25, 25));
    }
    let tally = plugged.books().read();
    assert!(tally.accepted == 50 && tally.is_complete(), "{tally}");
}

#[tokio::test]
async fn a_batch_is_closed_by_its_number_of_records_or_its_age() {
    let (sizes, seen) = mpsc::channel();
    let exporter = acts(move |batch| {
        sizes.send(batch.len()).unwrap();
        Ok(())
    });
    let mut plugged = plugged(vec![exporter]);
    add(&mut plugged, 13);
    let now = Instant::now();
    let due = plugged.tick(now).unwrap();
    assert!(due > now);
    assert_eq!(plugged.tick(due), None);
    assert!(settled(&mut plugged).await);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [10, 3]);
}

#[tokio::test]
async fn errors_and_panics_are_contained_counted_and_do_not_end_the_exporter() {
    let calls = Mutex::new(0);
    let exporter = acts(move |_| {
        let call = {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        match call {
            1 => Err(OTelSdkError::InternalFailure("canary".into())),
            2 => panic!("in an exporter"),
            _ => Ok(()),
        }
    });
    let (other, boxed) = in_memory();
    let mut plugged = plugged(vec![exporter, boxed]);
    add(&mut plugged, 25);
    assert!(settled(&mut plugged).await);
    let tally = plugged.books().read();
    assert_eq!(tally.dropped[&Loss::Hook], 20);
    assert_eq!((tally.delivered, tally.pending), (5 + 25, 0));
    assert_eq!(other.get_finished_spans().unwrap().len(), 25);
}

#[tokio::test]
async fn an_exporter_that_blocks_holds_up_nobody_and_what_it_cannot_hold_is_counted() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let blocks = acts(move |_| {
        let _ = held.lock().unwrap().recv();
        Ok(())
    });
    let (other, boxed) = in_memory();
    let resource = Resource::builder_empty().build();
    // Some spans fit, a hundred do not.
    let max_bytes = 20 * size_of::<SpanData>();
    let mut plugged = Plugged::new(vec![blocks, boxed], &resource, batch(1, NEVER), max_bytes);
    for number in 1..=100 {
        plugged.add(span(number));
        // The other one keeps up.
        plugged.lanes[1].flush().await;
    }
    assert_eq!(other.get_finished_spans().unwrap().len(), 100);
    let soon = Instant::now() + Duration::from_millis(20);
    assert!(
        !plugged.settle(soon).await,
        "it is not settled while it blocks"
    );
    let tally = plugged.books().read();
    let lost = tally.dropped[&Loss::QueueBytes];
    assert!((80..100).contains(&lost), "{tally}");
    assert_eq!(tally.pending, 100 - lost);
    drop(release);
    assert!(settled(&mut plugged).await);
    assert_eq!(plugged.books().read().pending, 0);
}

#[tokio::test]
async fn an_exporter_that_hangs_is_left_behind_and_all_it_had_is_counted() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (enters, entered) = mpsc::channel();
    let hangs = acts(move |batch| {
        enters.send(batch.len()).unwrap();
        let _ = held.lock().unwrap().recv();
        Ok(())
    });
    let mut plugged = plugged(vec![hangs]);
    add(&mut plugged, 25);
    assert!(!plugged.settle(Instant::now()).await);
    assert_eq!(
        entered.recv_timeout(SOON),
        Ok(10),
        "it hangs in the first batch"
    );
    plugged.add(span(26));
    plugged.shutdown().await;
    plugged.add(span(27));
    let tally = plugged.books().read();
    assert_eq!(tally.dropped[&Loss::ShutdownTimeout], 26);
    assert_eq!(tally.dropped[&Loss::AfterShutdown], 1);
    assert_eq!((tally.accepted, tally.pending), (27, 0));
    // It comes back too late: nothing is counted twice.
    drop(release);
    plugged.lanes[0].flush().await;
    assert_eq!(plugged.books().read(), tally);
}

#[tokio::test]
async fn an_exporter_is_told_the_resource_and_to_flush_and_to_shut_down() {
    #[derive(Debug)]
    struct Told(mpsc::Sender<String>);
    impl SpanExporter for Told {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.send(format!("export {}", batch.len())).unwrap();
            Ok(())
        }
        fn force_flush(&self) -> OTelSdkResult {
            self.0.send("flush".into()).unwrap();
            Ok(())
        }
        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            self.0.send("shutdown".into()).unwrap();
            Ok(())
        }
        fn set_resource(&mut self, resource: &Resource) {
            let name = resource.get(&"service.name".into()).unwrap();
            self.0.send(name.to_string()).unwrap();
        }
    }
    let (told, heard) = mpsc::channel();
    let mut plugged = plugged(vec![BoxedExporter::new(Told(told))]);
    add(&mut plugged, 1);
    assert!(settled(&mut plugged).await);
    plugged.shutdown().await;
    let heard: Vec<_> = heard.try_iter().collect();
    assert_eq!(heard, ["plugged", "export 1", "flush", "shutdown"]);
}

#[tokio::test]
async fn an_exporter_finds_a_runtime_to_wait_in_may_block_in_it_and_is_not_observed() {
    #[derive(Debug)]
    struct Waits(mpsc::Sender<bool>);
    impl SpanExporter for Waits {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            tokio::time::sleep(Duration::from_millis(1)).await;
            // What a blocking HTTP client does; inside a runtime's own wait it panics.
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            drop(runtime);
            let suppressed = opentelemetry::Context::is_current_telemetry_suppressed();
            self.0.send(suppressed).unwrap();
            Ok(())
        }
    }
    let (told, heard) = mpsc::channel();
    let mut plugged = plugged(vec![BoxedExporter::new(Waits(told))]);
    add(&mut plugged, 1);
    assert!(settled(&mut plugged).await);
    assert_eq!(heard.try_recv(), Ok(true));
    assert!(plugged.books().read().is_complete());
}

#[test]
fn without_a_runtime_around_it_spans_are_exported_at_once() {
    let (exporter, boxed) = in_memory();
    let mut plugged = plugged(vec![boxed]);
    add(&mut plugged, 10);
    assert_eq!(exporter.get_finished_spans().unwrap().len(), 10);
}
