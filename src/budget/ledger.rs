//! The accounts of an installation, and which of them a call belongs to.
//!
//! Promise: memory is bounded by what the application watches and by what each budget may keep; finding the accounts of a call
//! takes one look for each kind of budget, however many accounts there are.
//! Never: runs foreign code with its lock held.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::TraceId;
use tokio_util::sync::CancellationToken;

use super::account::{Account, Limits, News, Spent};
use super::{Budget, BudgetError};
use crate::enrich::Totals;
use crate::record::{FieldRef, Record, cut};
use crate::semconv;

/// Bytes of an id that tell it from others. Longer ones are cut: a sender of ids cannot fill the memory, nor get around a
/// budget with them.
const KEY_BYTES: usize = 512;

/// Whose spending is limited.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Total,
    Run,
    Attribute(Cow<'static, str>),
}

impl Scope {
    /// What a budget of it is called unless it is given a name.
    pub(super) fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Total => "total".into(),
            Self::Run => "run".into(),
            Self::Attribute(name) if name == semconv::SESSION_ID => "session".into(),
            Self::Attribute(name) if name == semconv::USER_ID => "user".into(),
            Self::Attribute(name) => name.clone(),
        }
    }

    /// What events call it.
    fn told(&self) -> Cow<'static, str> {
        match self {
            Self::Attribute(name) => name.clone(),
            other => other.word(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Attribute(name) if name.trim().is_empty())
    }

    /// Whose call it is; `None` if it does not say.
    fn key(&self, call: &Record) -> Option<Cow<'static, str>> {
        match self {
            Self::Total => Some("".into()),
            Self::Run => {
                let trace = call.id.trace;
                (trace != TraceId::INVALID).then(|| trace.to_string().into())
            }
            Self::Attribute(name) => {
                let text = match call.fields.get(name)? {
                    FieldRef::I64(number) => number.to_string(),
                    other => key(other.as_str()?).to_owned(),
                };
                (!text.is_empty()).then_some(text.into())
            }
        }
    }
}

fn key(text: &str) -> &str {
    cut::floor(text, KEY_BYTES)
}

/// What the budgets of an installation know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BudgetStats {
    /// Runs, sessions and users whose spending is remembered at present.
    pub accounts: usize,
    /// Those that were forgotten to make room; see [`Budget::keep`].
    pub forgotten: u64,
    /// Calls that belonged to no account of a kind of budget that there is: calls without a `user.id` where users have a budget.
    pub unattributed: u64,
}

/// The accounts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    inner: Mutex<Inner>,
    /// Whether there is a budget at all.
    any: AtomicBool,
    pub(super) closed: CancellationToken,
}

#[derive(Debug, Default)]
struct Inner {
    /// Budgets of one.
    single: HashMap<Scope, HashMap<Arc<str>, Vec<Arc<Account>>>>,
    /// Budgets of each.
    each: Vec<Each>,
    forgotten: u64,
    unattributed: u64,
}

/// A budget that each run, session or user has.
#[derive(Debug)]
struct Each {
    scope: Scope,
    name: Cow<'static, str>,
    limits: Limits,
    keep: usize,
    accounts: HashMap<Arc<str>, Kept>,
    /// How many accounts there may be before some are forgotten. More than `keep` only while so many are being watched.
    room: usize,
    clock: u64,
}

#[derive(Debug)]
struct Kept {
    account: Arc<Account>,
    touched: u64,
}

impl Ledger {
    /// With the builder's budgets.
    pub(crate) fn new(budgets: &[Budget]) -> Result<Self, BudgetError> {
        let ledger = Self::default();
        for (at, budget) in budgets.iter().enumerate() {
            let name = budget.name();
            if budgets.iter().take(at).any(|before| before.name() == name) {
                return Err(BudgetError::SameName {
                    budget: name.into_owned(),
                });
            }
            let limits = budget.check()?;
            match &budget.key {
                Some(_) => drop(ledger.open(budget, true)?),
                None => ledger.lock().each.push(Each {
                    scope: budget.scope.clone(),
                    name,
                    limits,
                    keep: budget.keep,
                    accounts: HashMap::new(),
                    room: budget.keep,
                    clock: 0,
                }),
            }
        }
        ledger.any.store(!budgets.is_empty(), Ordering::Release);
        Ok(ledger)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has a budget, so that nothing needs to be counted.
    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// Opens an account of one.
    pub(super) fn open(&self, budget: &Budget, stays: bool) -> Result<Arc<Account>, BudgetError> {
        let limits = budget.check()?;
        let Some(whose) = &budget.key else {
            return Err(BudgetError::Each {
                budget: budget.name().into_owned(),
            });
        };
        let whose: Arc<str> = key(whose).into();
        let (name, scope) = (budget.name(), budget.scope.told());
        let account = Arc::new(Account::new(name, scope, Arc::clone(&whose), limits, stays));
        let mut inner = self.lock();
        let of = inner.single.entry(budget.scope.clone()).or_default();
        of.entry(whose).or_default().push(Arc::clone(&account));
        drop(inner);
        self.any.store(true, Ordering::Release);
        Ok(account)
    }

    /// Closes an account of one that nobody watches any more.
    pub(super) fn close(&self, scope: &Scope, account: &Arc<Account>) {
        let mut inner = self.lock();
        let Some(of) = inner.single.get_mut(scope) else {
            return;
        };
        if let Some(accounts) = of.get_mut(&account.key) {
            accounts.retain(|other| !Arc::ptr_eq(other, account));
            if accounts.is_empty() {
                of.remove(&account.key);
            }
        }
        if of.is_empty() {
            inner.single.remove(scope);
        }
        let empty = inner.single.is_empty() && inner.each.is_empty();
        self.any.store(!empty, Ordering::Release);
    }

    /// The account of `whose` with the builder's budget of this name.
    pub(super) fn find(&self, name: &str, whose: &str) -> Option<Arc<Account>> {
        let whose = key(whose);
        let mut inner = self.lock();
        let Inner {
            single,
            each,
            forgotten,
            ..
        } = &mut *inner;
        if let Some(each) = each.iter_mut().find(|each| each.name == name) {
            return (!whose.is_empty()).then(|| each.account(whose, forgotten));
        }
        let ones = single.values().filter_map(|of| of.get(whose));
        ones.flatten()
            .find(|account| account.stays && account.name == name)
            .cloned()
    }

    /// Starts the builder's budget of this name over, for all; says for how many.
    pub(super) fn reset(&self, name: &str) -> usize {
        let inner = self.lock();
        let each = inner.each.iter().filter(|each| each.name == name);
        let each = each.flat_map(|each| each.accounts.values().map(|kept| &kept.account));
        let single = inner.single.values().flat_map(HashMap::values).flatten();
        let single = single.filter(|account| account.stays && account.name == name);
        each.chain(single).map(|account| account.reset()).count()
    }

    /// Adds what a call cost to every account it belongs to, and says what that led to.
    pub(super) fn spend(&self, call: &Record, more: &Totals) -> Vec<(Arc<Account>, News, Spent)> {
        let mut news = Vec::new();
        let mut add = |account: &Arc<Account>| {
            if let Some((what, spent)) = account.add(more) {
                news.push((Arc::clone(account), what, spent));
            }
        };
        let mut inner = self.lock();
        let Inner {
            single,
            each,
            forgotten,
            unattributed,
        } = &mut *inner;
        for (scope, of) in single.iter() {
            match scope.key(call) {
                Some(key) => of.get(&*key).into_iter().flatten().for_each(&mut add),
                None => *unattributed += 1,
            }
        }
        for each in each {
            match each.scope.key(call) {
                Some(key) => add(&each.account(&key, forgotten)),
                None => *unattributed += 1,
            }
        }
        news
    }

    pub(super) fn stats(&self) -> BudgetStats {
        let inner = self.lock();
        let single = inner.single.values().flat_map(HashMap::values);
        let each = inner.each.iter().map(|each| each.accounts.len());
        BudgetStats {
            accounts: single.map(Vec::len).sum::<usize>() + each.sum::<usize>(),
            forgotten: inner.forgotten,
            unattributed: inner.unattributed,
        }
    }
}

impl Each {
    /// The account of `key`, opened if there is none.
    fn account(&mut self, key: &str, forgotten: &mut u64) -> Arc<Account> {
        self.clock += 1;
        if let Some(kept) = self.accounts.get_mut(key) {
            kept.touched = self.clock;
            return Arc::clone(&kept.account);
        }
        if self.accounts.len() >= self.room {
            *forgotten += self.forget();
        }
        let key: Arc<str> = key.into();
        let account = Arc::new(Account::new(
            self.name.clone(),
            self.scope.told(),
            Arc::clone(&key),
            self.limits,
            true,
        ));
        let kept = Kept {
            account: Arc::clone(&account),
            touched: self.clock,
        };
        self.accounts.insert(key, kept);
        account
    }

    /// Forgets the sixteenth that was without a call for longest, of those nobody watches. One at a time would mean looking for
    /// the oldest among all of them at every new one.
    fn forget(&mut self) -> u64 {
        let idle = |kept: &Kept| Arc::strong_count(&kept.account) == 1;
        let kept = self.accounts.values().filter(|kept| idle(kept));
        let mut ages: Vec<u64> = kept.map(|kept| kept.touched).collect();
        let before = self.accounts.len();
        if !ages.is_empty() {
            let last = (self.keep / 16).min(ages.len() - 1);
            let (_, youngest, _) = ages.select_nth_unstable(last);
            let youngest = *youngest;
            self.accounts
                .retain(|_, kept| !idle(kept) || kept.touched > youngest);
        }
        let after = self.accounts.len();
        // Where most are watched, looking again at once would find nothing new.
        self.room = self.keep.max(after + after / 16 + 1);
        (before - after) as u64
    }
}
