//! What arrives when the collector or the process fails: ours beside tracing-opentelemetry with the SDK's batch processor and
//! `opentelemetry-otlp` over HTTP/protobuf, each with its defaults.
//!
//! Every run is a process of its own that makes spans and then shuts down in order, unless the fault is that it does not. The
//! collector is in the process that watches: it decodes what it gets and counts span ids. The table that is printed is Markdown.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin faults               # some fifteen minutes
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin faults -- --quick    # faults of three seconds
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin faults -- --only burst
//! ```
//!
//! Exit status 1 where ours lost what it promises not to lose.

mod made;
mod receiver;

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use made::Setup;
use receiver::{Mode, Receiver};

/// What goes wrong, and what the application does meanwhile.
struct Fault {
    name: &'static str,
    /// What the collector does while the fault lasts.
    mode: Mode,
    lasts: Duration,
    /// How long the application goes on after that.
    after: Duration,
    /// Spans a second; zero is all of `burst` at once.
    rate: u64,
    burst: u64,
    /// Bytes of an attribute beside the usual ones.
    content: usize,
    /// Killed at the end of the fault, and started again.
    killed: bool,
    /// Whether ours promises to lose nothing, without a spool and with one.
    whole: [bool; 2],
}

const CALM: Fault = Fault {
    name: "",
    mode: Mode::Takes,
    lasts: Duration::ZERO,
    after: Duration::from_secs(2),
    rate: 100,
    burst: 0,
    content: 0,
    killed: false,
    whole: [true, true],
};

fn faults(quick: bool) -> Vec<Fault> {
    let seconds = |n| Duration::from_secs(if quick { 3.min(n) } else { n });
    vec![
        Fault {
            name: "collector refuses connections for {s} at 100 spans/s",
            mode: Mode::Closed,
            lasts: seconds(30),
            ..CALM
        },
        Fault {
            name: "HTTP 503 for {s} at 100 spans/s",
            mode: Mode::Unavailable,
            lasts: seconds(20),
            ..CALM
        },
        Fault {
            name: "collector hangs for {s} at 100 spans/s, then drops its connections",
            mode: Mode::Hangs,
            lasts: seconds(20),
            ..CALM
        },
        Fault {
            name: "burst of 20,000 spans",
            rate: 0,
            burst: 20_000,
            after: Duration::ZERO,
            ..CALM
        },
        Fault {
            name: "burst of 200,000 spans",
            rate: 0,
            burst: 200_000,
            after: Duration::ZERO,
            whole: [false, false],
            ..CALM
        },
        Fault {
            name: "kill -9 after {s} at 100 spans/s, then a restart",
            lasts: Duration::from_secs(3),
            killed: true,
            whole: [false, false],
            ..CALM
        },
        Fault {
            name: "no fault: 5,000 spans/s with 1 KiB of attributes for {s}",
            lasts: seconds(60),
            after: Duration::ZERO,
            rate: 5_000,
            content: 1_024,
            ..CALM
        },
        Fault {
            name: "collector refuses connections for {s} at 5,000 spans/s",
            mode: Mode::Closed,
            lasts: seconds(60),
            rate: 5_000,
            whole: [false, true],
            ..CALM
        },
    ]
}

impl Fault {
    fn name(&self) -> String {
        let lasts = format!("{} s", self.lasts.as_secs());
        self.name.replace("{s}", &lasts)
    }
}

/// What became of one run.
struct Outcome {
    made: u64,
    arrived: usize,
    duplicates: usize,
    said: String,
    peak: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("child") {
        return made::child(&arguments[1..]);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments
        .iter()
        .position(|argument| argument == "--only")
        .and_then(|at| arguments.get(at + 1));
    println!(
        "| fault | setup | spans made | arrived | lost | duplicates | peak RSS (before) | what `shutdown()` said |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |");
    let mut broken = false;
    for fault in faults(quick) {
        if only.is_some_and(|only| !fault.name().contains(only.as_str())) {
            continue;
        }
        for setup in Setup::ALL {
            let outcome = run(&fault, *setup);
            let lost = outcome.made.saturating_sub(outcome.arrived as u64);
            println!(
                "| {} | {} | {} | {} | {lost} | {} | {} | {} |",
                fault.name(),
                setup.name(),
                outcome.made,
                outcome.arrived,
                outcome.duplicates,
                outcome.peak,
                outcome.said,
            );
            let promised = match setup {
                Setup::Ours => fault.whole[0],
                Setup::OursWithSpool => fault.whole[1],
                Setup::Theirs => false,
            };
            if promised && lost > 0 {
                eprintln!("{}: {lost} lost, where none may be", fault.name());
                broken = true;
            }
        }
    }
    if broken {
        std::process::exit(1);
    }
}

/// A free port; nobody listens on it until somebody does.
fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a port")
}

fn start(
    setup: Setup,
    address: SocketAddr,
    directory: &Path,
    fault: &Fault,
    time: Duration,
) -> Child {
    Command::new(std::env::current_exe().expect("a path"))
        .arg("child")
        .arg(setup.name())
        .arg(format!("http://{address}"))
        .arg(directory)
        .arg(fault.rate.to_string())
        .arg(fault.burst.to_string())
        .arg(fault.content.to_string())
        .arg(time.as_millis().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// What a child tells, line by line: the last of each kind counts.
#[derive(Default)]
struct Told {
    made: u64,
    said: String,
    peak: String,
}

fn listen(child: &mut Child) -> std::thread::JoinHandle<Told> {
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    std::thread::spawn(move || {
        let mut told = Told::default();
        for line in out.lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("made", n)) => told.made = n.parse().unwrap_or(told.made),
                Some(("said", text)) => told.said = text.replace('|', "/"),
                Some(("peak", text)) => told.peak = text.to_owned(),
                _ => {}
            }
        }
        told
    })
}

fn run(fault: &Fault, setup: Setup) -> Outcome {
    let directory = std::env::temp_dir().join(format!(
        "faults-{}-{}",
        std::process::id(),
        setup.name().len()
    ));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory");
    let address = free_address();
    let mut receiver = match fault.mode {
        Mode::Closed => None,
        mode => Some(Receiver::start(address, mode)),
    };
    let mut child = start(setup, address, &directory, fault, fault.lasts + fault.after);
    let begun = Instant::now();
    let listening = listen(&mut child);
    std::thread::sleep(fault.lasts.saturating_sub(begun.elapsed()));
    let mut told = if fault.killed {
        child.kill().expect("a signal");
        child.wait().expect("an end");
        let told = listening.join().expect("an ear");
        // As long as an application that starts again runs at least.
        let none = Fault { rate: 0, ..CALM };
        let mut again = start(setup, address, &directory, &none, fault.after);
        let second = listen(&mut again).join().expect("an ear");
        again.wait().expect("an end");
        Told {
            said: format!("killed; then: {}", second.said),
            peak: second.peak,
            ..told
        }
    } else {
        match &receiver {
            Some(receiver) => receiver.heal(),
            None => receiver = Some(Receiver::start(address, Mode::Takes)),
        }
        let told = listening.join().expect("an ear");
        child.wait().expect("an end");
        told
    };
    // What is on its way when the process has ended.
    std::thread::sleep(Duration::from_millis(300));
    let receiver = receiver.expect("it is there by now");
    let (arrived, total) = receiver.counts();
    let _ = std::fs::remove_dir_all(&directory);
    told.said.truncate(240);
    Outcome {
        made: told.made,
        arrived,
        duplicates: total - arrived,
        said: told.said,
        peak: told.peak,
    }
}
