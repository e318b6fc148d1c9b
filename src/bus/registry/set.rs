//! Handlers that belong together, with their dependencies resolved.
//!
//! Promise: immutable; a change is a new set, checked before anybody sees it.

use std::sync::Arc;

use super::{
    After, DependencyError, Depends,
    plan::{self, Plan},
};
use crate::{
    bus::{
        filter::Conditions,
        handler::{Callee, Handler, HandlerId},
    },
    event::EventType,
};

#[derive(Default)]
pub(in crate::bus) struct HandlerSet(Vec<Member>);

#[derive(Clone)]
pub(in crate::bus) struct Member {
    pub(in crate::bus) callee: Arc<Callee>,
    /// As declared. Kept when what it names goes, for when that comes back.
    after: Arc<[After]>,
    /// As resolved in this set.
    pub(in crate::bus) edges: Vec<Edge>,
}

/// A member that another one comes after, by its place in the set.
#[derive(Clone, Copy)]
pub(in crate::bus) struct Edge {
    pub(in crate::bus) other: usize,
    pub(in crate::bus) only_if_ok: bool,
}

impl HandlerSet {
    fn new(mut members: Vec<Member>) -> Self {
        let ids: Vec<_> = members
            .iter()
            .map(|member| Arc::clone(&member.callee))
            .collect();
        for member in &mut members {
            let meant = |after: &After| {
                let (other, only_if_ok) = (after.other.clone(), after.only_if_ok);
                let places = ids.iter().enumerate();
                places
                    .filter(move |(_, callee)| other.means(&callee.id))
                    .map(move |(other, _)| Edge { other, only_if_ok })
            };
            member.edges = member.after.iter().flat_map(meant).collect();
        }
        Self(members)
    }

    // === changes ===

    pub(super) fn with(&self, handlers: Vec<Handler>) -> Self {
        let added = handlers.into_iter().map(|handler| Member {
            callee: Arc::new(handler.callee),
            after: handler.after.into(),
            edges: Vec::new(),
        });
        Self::new(self.0.iter().cloned().chain(added).collect())
    }

    /// Without what `id` refers to, which is retired; `None` if that is nothing.
    pub(super) fn without(&self, id: &HandlerId) -> Option<Self> {
        let (removed, kept): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .cloned()
            .partition(|member| id.means(&member.callee.id));
        removed.iter().for_each(|member| member.callee.retire());
        (!removed.is_empty()).then(|| Self::new(kept))
    }

    pub(super) fn depending(&self, depends: &Depends) -> Result<Self, DependencyError> {
        let Depends {
            handler,
            depends_on,
        } = depends;
        if let Some(missing) = depends_on.iter().find(|other| !self.has(other)) {
            return Err(DependencyError::Unresolved {
                handler: handler.name().to_owned(),
                missing: missing.name().to_owned(),
            });
        }
        if !self.has(handler) {
            return Err(DependencyError::Unknown(handler.name().to_owned()));
        }
        let mut members = self.0.clone();
        for member in &mut members {
            if handler.means(&member.callee.id) {
                let more = depends_on.iter().map(|other| After {
                    other: other.clone(),
                    only_if_ok: false,
                });
                member.after = member.after.iter().cloned().chain(more).collect();
            }
        }
        let set = Self::new(members);
        set.check_circles().map(|()| set)
    }

    pub(super) fn retire(&self) {
        self.0.iter().for_each(|member| member.callee.retire());
    }

    // === checks ===

    /// Whether what the members from this place on come after is there, and nothing comes after itself.
    pub(super) fn check(&self, from: usize) -> Result<(), DependencyError> {
        for member in &self.0[from..] {
            for After { other, .. } in member.after.iter() {
                if !self.has(other) {
                    return Err(DependencyError::Unresolved {
                        handler: member.callee.id.name().to_owned(),
                        missing: other.name().to_owned(),
                    });
                }
            }
        }
        self.check_circles()
    }

    fn check_circles(&self) -> Result<(), DependencyError> {
        let name = |place: usize| self.0[place].callee.id.name().to_owned();
        plan::levels(0..self.0.len(), |place| self.before(place))
            .map(drop)
            .map_err(|circle| DependencyError::Circular(circle.into_iter().map(name).collect()))
    }

    fn has(&self, id: &HandlerId) -> bool {
        self.0.iter().any(|member| id.means(&member.callee.id))
    }

    fn before(&self, place: usize) -> impl Iterator<Item = usize> {
        self.0[place].edges.iter().map(|edge| edge.other)
    }

    // === use ===

    pub(in crate::bus) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::bus) fn member(&self, place: usize) -> &Member {
        &self.0[place]
    }

    /// What publishers compare with. Holds nothing of the application's.
    pub(in crate::bus) fn conditions(&self) -> Vec<Conditions> {
        let conditions = |member: &Member| member.callee.filter.conditions.clone();
        self.0.iter().map(conditions).collect()
    }

    pub(super) fn plan(&self, ty: &EventType) -> Plan {
        let concerned =
            (0..self.0.len()).filter(|place| self.0[*place].callee.filter.conditions.may_match(ty));
        // Part of a set without circles has none.
        plan::levels(concerned, |place| self.before(place)).unwrap_or_default()
    }
}
