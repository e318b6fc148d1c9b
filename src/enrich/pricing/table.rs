//! The price table: the `genai-prices` list, overrides on top, replaceable while in use.
//!
//! Owns: [`PriceTable`] and the swap from one edition of the prices to the next.
//! Promises: a call is priced by one edition from beginning to end; a table that cannot be read never replaces one
//! that could; the bundled table costs nothing until the first price is asked for.
//! Never: downloads anything. Blocks only in the functions that say so.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use genai_prices::Calculator;

use super::memo::{self, Key, Memo, Resolved};
use super::overrides::{Override, Overrides};
use super::probe::{self, Terms};
use super::{
    Cost, CostModel, CostOutcome, CostSource, PriceError, PricedCall, UnknownCost, lookup, rates,
};

/// The largest price file that is read. The published table is 0.8 MB; at half of this a table that grows as it did
/// in 2026 fits for years, and a file that is something else altogether is not read into memory.
const MAX_FILE: u64 = 64 << 20;

/// Prices of models: the public `genai-prices` table with overrides of your own on top.
///
/// A clone is the same table: what one handle loads, all use. Precedence: exact override, longest prefix, regular
/// expression, table. Prices from the table are estimates; they know tiers by context length, dates, times of
/// day, service tiers and batch, but not which cache writes are kept for an hour (all count as short-lived).
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tracing_genai::enrich::{CostModel, PriceTable, PricedCall};
/// use tracing_genai::event::Usage;
///
/// let prices = PriceTable::bundled();
/// let time = UNIX_EPOCH + Duration::from_secs(1_780_000_000);
/// let call = PricedCall::new("gpt-4o-mini", Usage::new().input(180).cache_read(40).output(32), time).provider("openai");
/// assert_eq!(prices.price(&call).cost().map(|cost| cost.total.to_string()).as_deref(), Some("$0.0000432"));
/// ```
#[derive(Clone)]
pub struct PriceTable(Arc<ArcSwap<Edition>>);

/// The prices in use at one moment, and what has been found out about them.
struct Edition {
    source: Arc<Source>,
    overrides: Arc<Overrides>,
    memo: Mutex<Memo>,
}

enum Source {
    Bundled(OnceLock<Option<(&'static Calculator, Arc<str>)>>),
    Loaded(Calculator, Arc<str>),
}

impl PriceTable {
    /// The table that came with this build. It is decoded when the first price is asked for (some 20 to 30 ms, on the
    /// thread that asks) or by [`PriceTable::warm`].
    #[must_use]
    pub fn bundled() -> Self {
        Self::of(Source::Bundled(OnceLock::new()))
    }

    /// A table from the bytes of a `genai-prices` v2 list.
    ///
    /// # Errors
    /// [`PriceError::Table`] says what is wrong with the list.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self, PriceError> {
        decode(bytes.as_ref(), "price table").map(Self::of)
    }

    /// A table from a file with a `genai-prices` v2 list. Blocks on the file.
    ///
    /// # Errors
    /// [`PriceError::Read`], [`PriceError::TooLarge`] (64 MiB) or [`PriceError::Table`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PriceError> {
        decode_file(path.as_ref()).map(Self::of)
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Edition {
            source: Arc::new(source),
            overrides: Arc::default(),
            memo: Mutex::default(),
        })))
    }

    /// Replaces the list, for this handle and its clones, and keeps the overrides. Calls being priced at this moment
    /// finish with the list they began with.
    ///
    /// # Errors
    /// As [`PriceTable::from_bytes`]; the list in use then stays in use.
    pub fn load_bytes(&self, bytes: impl AsRef<[u8]>) -> Result<(), PriceError> {
        decode(bytes.as_ref(), "price table").map(|source| self.replace_source(source))
    }

    /// Replaces the list by that of a file; see [`PriceTable::load_bytes`]. Blocks on the file.
    ///
    /// # Errors
    /// As [`PriceTable::from_file`]; the list in use then stays in use.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<(), PriceError> {
        decode_file(path.as_ref()).map(|source| self.replace_source(source))
    }

    /// Adds an override; see [`Override`] for which one applies.
    ///
    /// # Errors
    /// [`PriceError::Rate`] or [`PriceError::Pattern`] if the override says nothing or something impossible.
    pub fn with_override(self, added: Override) -> Result<Self, PriceError> {
        self.with_overrides([added])
    }

    /// Adds overrides, for instance those of [`Override::from_file`].
    ///
    /// # Errors
    /// As [`PriceTable::with_override`]; none is added then.
    pub fn with_overrides(
        self,
        added: impl IntoIterator<Item = Override>,
    ) -> Result<Self, PriceError> {
        let added: Vec<Override> = added.into_iter().collect();
        let checked = Overrides::default().and(&added)?;
        self.0
            .rcu(|edition| edition.with_overrides(edition.overrides.joined(&checked)));
        Ok(self)
    }

    /// Replaces all overrides, for this handle and its clones.
    ///
    /// # Errors
    /// As [`PriceTable::with_override`]; the overrides in use then stay in use.
    pub fn set_overrides(
        &self,
        overrides: impl IntoIterator<Item = Override>,
    ) -> Result<(), PriceError> {
        let overrides: Vec<Override> = overrides.into_iter().collect();
        let checked = Overrides::default().and(&overrides)?;
        self.0
            .rcu(|edition| edition.with_overrides(checked.clone()));
        Ok(())
    }

    /// Decodes the bundled table now, on this thread, so that the first price does not have to.
    pub fn warm(&self) {
        let _ = self.0.load().source.prices();
    }

    /// Which edition of the list is in use, as [`Cost::table`] names it: where it is from, how many models it has and
    /// a fingerprint. Decodes the bundled table if nothing has yet.
    #[must_use]
    pub fn version(&self) -> Arc<str> {
        self.0.load().source.prices().map_or_else(
            || Arc::from("unavailable"),
            |(_, version)| Arc::clone(version),
        )
    }

    fn replace_source(&self, source: Source) {
        let source = Arc::new(source);
        self.0.rcu(|edition| Edition {
            source: Arc::clone(&source),
            overrides: Arc::clone(&edition.overrides),
            memo: Mutex::default(),
        });
    }
}

impl CostModel for PriceTable {
    fn price(&self, call: &PricedCall<'_>) -> CostOutcome {
        match self.0.load().price(call) {
            Ok(cost) => CostOutcome::Priced(cost),
            Err(reason) => CostOutcome::Unknown(reason),
        }
    }
}

impl fmt::Debug for PriceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edition = self.0.load();
        let version: Option<Arc<str>> = match &*edition.source {
            Source::Bundled(decoded) => decoded
                .get()
                .and_then(|decoded| decoded.as_ref().map(|(_, name)| name.clone())),
            Source::Loaded(_, name) => Some(name.clone()),
        };
        f.debug_struct("PriceTable")
            .field(
                "version",
                &version.as_deref().unwrap_or("bundled, not decoded yet"),
            )
            .field("overrides", &edition.overrides.len())
            .finish()
    }
}

// === impl Edition ===

impl Edition {
    fn with_overrides(&self, overrides: Overrides) -> Self {
        Self {
            source: Arc::clone(&self.source),
            overrides: Arc::new(overrides),
            memo: Mutex::default(),
        }
    }

    fn price(&self, call: &PricedCall<'_>) -> Result<Cost, UnknownCost> {
        rates::check(&call.usage)?;
        let key = Key::of(call);
        let (minute, size) = (
            memo::minute(call.time),
            call.usage.input_tokens.unwrap_or(0),
        );
        // The lock is not held while anything is found out: decoding the bundled table takes milliseconds. Two
        // threads may then find out the same, which is harmless.
        let recalled = self.memo().recall(&key, minute, size);
        let (resolved, known) = match recalled {
            Some(recalled) => recalled,
            None => {
                let resolved = self.resolve(&key);
                self.memo().keep(&key, resolved.clone());
                (resolved, None)
            }
        };
        let found = match resolved {
            Resolved::Unknown(reason) => return Err(reason),
            Resolved::Override(one) => {
                let charge = one.rates.charge(&call.usage)?;
                return Ok(cost(charge, CostSource::Override, &one.edition, &one.text));
            }
            Resolved::Table(found) => found,
        };
        let (prices, version) = self.source.prices().ok_or(UnknownCost::TableUnavailable)?;
        let rates = match known {
            Some(rates) => rates,
            None => {
                let terms = Terms {
                    time: call.time,
                    input_tokens: size,
                    tier: key.tier,
                    batch: key.batch,
                };
                let rates = probe::rates(prices, &found, &terms)?;
                self.memo().keep_rates(&key, minute, size, rates);
                rates
            }
        };
        Ok(cost(
            rates.charge(&call.usage)?,
            CostSource::Table,
            version,
            &found.entry,
        ))
    }

    fn resolve(&self, key: &Key<'_>) -> Resolved {
        if let Some(one) = self
            .overrides
            .find(key.provider, [Some(key.model), key.request_model])
        {
            return Resolved::Override(Arc::clone(one));
        }
        let Some((prices, _)) = self.source.prices() else {
            return Resolved::Unknown(UnknownCost::TableUnavailable);
        };
        let asked = || {
            key.request_model
                .and_then(|model| lookup::find(prices, key.provider, model).ok())
        };
        match lookup::find(prices, key.provider, key.model) {
            Ok(found) => Resolved::Table(Arc::new(found)),
            Err(reason) => asked().map_or(Resolved::Unknown(reason), |found| {
                Resolved::Table(Arc::new(found))
            }),
        }
    }

    fn memo(&self) -> std::sync::MutexGuard<'_, Memo> {
        self.memo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(charge: rates::Charge, source: CostSource, table: &Arc<str>, matched: &Arc<str>) -> Cost {
    let rates::Charge {
        input,
        output,
        total,
    } = charge;
    Cost {
        total,
        input,
        output,
        source,
        table: Arc::clone(table),
        matched: Arc::clone(matched),
    }
}

// === impl Source ===

impl Source {
    /// The list and its name, decoding the bundled one if need be.
    fn prices(&self) -> Option<(&Calculator, &Arc<str>)> {
        match self {
            Self::Loaded(prices, version) => Some((prices, version)),
            Self::Bundled(decoded) => decoded
                .get_or_init(|| {
                    // The crate panics if its own data is broken; that must not end the telemetry thread.
                    let prices = std::panic::catch_unwind(Calculator::bundled).ok()?;
                    let ids = prices.providers().flat_map(|provider| {
                        std::iter::once(provider.id())
                            .chain(provider.models().map(|model| model.id()))
                    });
                    let print = fingerprint(ids.flat_map(|id| id.bytes().chain([0])));
                    Some((prices, version("genai-prices 0.2 bundled", prices, print)))
                })
                .as_ref()
                .map(|(prices, version)| (*prices, version)),
        }
    }
}

fn version(origin: &str, prices: &Calculator, print: u64) -> Arc<str> {
    let models: usize = prices
        .providers()
        .map(|provider| provider.models().count())
        .sum();
    Arc::from(format!("{origin}, {models} models, {print:016x}"))
}

/// FNV-1a: tells editions apart, protects nothing.
fn fingerprint(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn decode(bytes: &[u8], origin: &str) -> Result<Source, PriceError> {
    let broken = |problem: String| PriceError::Table {
        origin: origin.to_owned(),
        problem,
    };
    let prices = Calculator::from_json(bytes).map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        broken(format!("{error}{cause}"))
    })?;
    if prices
        .providers()
        .all(|provider| provider.models().next().is_none())
    {
        return Err(broken("it holds no models".to_owned()));
    }
    // The version leaves the process on spans: a file gives its name to it, not its place.
    let name = Path::new(origin)
        .file_name()
        .map_or_else(|| origin.into(), |name| name.to_string_lossy());
    let version = version(&name, &prices, fingerprint(bytes.iter().copied()));
    Ok(Source::Loaded(prices, version))
}

fn decode_file(path: &Path) -> Result<Source, PriceError> {
    decode(&read_file(path)?, &path.display().to_string())
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, PriceError> {
    let failed = |source| PriceError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    // One byte past the limit tells a file that is too large from one that just fits, whatever its size claims to be.
    File::open(path)
        .map_err(failed)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(PriceError::TooLarge {
            path: path.to_owned(),
            limit: MAX_FILE,
        });
    }
    Ok(bytes)
}
