//! The events of an agent inside its process: `cargo run --example events`
//!
//! An agent handles an order. Handlers that depend on each other react to its events, one is an event type of this program,
//! a run is streamed as frames, what another system logged is taken in, and the history answers questions at the end.
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tracing_genai::bus::{Handler, Listener};
use tracing_genai::console::escape;
use tracing_genai::event::{Dialect, LlmCallCompleted, Usage};
use tracing_genai::frame::{Frame, FrameItem, stream};
use tracing_genai::history::By;
use tracing_genai::{Telemetry, agent, chat, emit, event_types, route, tool};
use tracing_subscriber::prelude::*;

event_types! {
    /// An order was paid.
    pub struct OrderPaid: "order.paid" in ORDERS {
        /// Its number.
        pub number: u64,
        /// US dollars.
        pub amount: f64,
    }
}

async fn handle_order(number: u64) -> Result<&'static str, std::io::Error> {
    let call = chat("openai", "gpt-4o-mini").start();
    call.chunk("refund").chunk(" or not?");
    call.usage(Usage::new().input(140).output(32))
        .finish_reason("stop")
        .complete();
    route("billing").reason("intent=payment").emit();
    let pay = tool("charge_card").start();
    pay.progress("card is charged", 1, 2);
    pay.complete();
    emit(OrderPaid {
        number,
        amount: 49.5,
    });
    Ok("paid")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Telemetry::builder("orders").chunk_text(true).build()?;
    tracing_subscriber::registry()
        .with(telemetry.layer())
        .init();
    let bus = telemetry.bus();

    // Handlers: the report comes after the sum it reports.
    let tokens = Arc::new(AtomicU64::new(0));
    let (sum, told) = (Arc::clone(&tokens), tokens);
    bus.add_all([
        Handler::named("report")
            .on::<OrderPaid>(move |order| {
                let tokens = told.load(Ordering::Relaxed);
                println!(
                    "handler   order {} paid, {} USD, {tokens} tokens so far",
                    order.number, order.amount
                );
            })
            .after("sum"),
        Handler::named("sum").on::<LlmCallCompleted>(move |call| {
            sum.fetch_add(call.usage.total().unwrap_or(0), Ordering::Relaxed);
        }),
    ])?;
    bus.register(
        Listener::new("decisions", |event| {
            println!(
                "listener  {} {}",
                event.ty,
                event
                    .attr("routing.selected")
                    .map_or(String::new(), |to| escape(&to.to_string()).into_owned())
            );
        })
        .to(["conversation_route_selected", "routing.selected"]),
    )?;

    // One run, as it happens.
    let mut run = stream(bus, agent("clerk").root(), handle_order(7));
    while let Some(item) = run.next().await {
        if let FrameItem::Frame(Frame {
            seq,
            channel,
            ty,
            content,
            ..
        }) = item
        {
            println!(
                "frame     {seq:>2} {channel:<9} {ty} {}",
                escape(content.as_deref().unwrap_or_default())
            );
        }
    }
    println!("result    {}", run.result()??);

    // What a crewAI program logged becomes a span and events like any other.
    for document in [
        json!({ "type": "crew_kickoff_started", "timestamp": "2026-01-31T12:00:00Z", "crew_name": "returns" }),
        json!({ "type": "crew_kickoff_completed", "timestamp": "2026-01-31T12:00:09Z", "crew_name": "returns", "total_tokens": 912 }),
    ] {
        telemetry.import(Dialect::CrewAi, &document)?;
    }

    let report = telemetry.flush_async(Duration::from_secs(5)).await;
    let history = telemetry.history();
    println!(
        "history   {} events, {} of the clerk",
        history.count()?,
        history.agent("clerk").count()?
    );
    for (channel, count) in history.distribution(By::Channel)? {
        println!("          {count:>3} on {channel}");
    }
    let crew = history.event_type("crew_kickoff_completed")?.fetch()?;
    println!(
        "          the crew took {:?}",
        crew[0].duration.unwrap_or_default()
    );
    println!("delivery  {report}");
    Ok(())
}
