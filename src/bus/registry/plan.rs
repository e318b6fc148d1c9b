//! In which order handlers are called: levels, each of those that come after nothing but earlier ones.
//!
//! Promise: every handler is in one level; or else the circle is named that it is in or comes after.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::HandlerSet;
use crate::event::EventType;

/// Plans kept at most. An application has a few dozen types; one that makes up types without end starts over here.
const PLANS: usize = 512;

/// The handlers for one type of event, by level: places in the set the plan was made for.
pub(in crate::bus) type Plan = Vec<Vec<usize>>;

/// The plans of one set, made when a type is first seen. Whoever changes the set clears them.
#[derive(Default)]
pub(in crate::bus) struct Plans {
    known: HashMap<EventType, Arc<Plan>>,
    /// The one asked for last, because chunks come in runs.
    last: Option<(EventType, Arc<Plan>)>,
}

impl Plans {
    pub(in crate::bus) fn of(&mut self, set: &HandlerSet, ty: &EventType) -> Arc<Plan> {
        if let Some((_, plan)) = self.last.as_ref().filter(|(last, _)| last == ty) {
            return Arc::clone(plan);
        }
        let known = self.known.get(ty).cloned();
        let plan = known.unwrap_or_else(|| {
            if self.known.len() >= PLANS {
                self.clear();
            }
            let plan = Arc::new(set.plan(ty));
            self.known.insert(ty.clone(), Arc::clone(&plan));
            plan
        });
        self.last = Some((ty.clone(), Arc::clone(&plan)));
        plan
    }

    pub(in crate::bus) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The levels of `nodes`, or a circle in them; `after` gives those a node comes after, of which only those in `nodes` count.
pub(super) fn levels<I: Iterator<Item = usize>>(
    nodes: impl IntoIterator<Item = usize>,
    after: impl Fn(usize) -> I,
) -> Result<Plan, Vec<usize>> {
    let mut left: Vec<usize> = nodes.into_iter().collect();
    let mut levels = Plan::new();
    while !left.is_empty() {
        let waiting: HashSet<usize> = left.iter().copied().collect();
        let is_waited_for = |node: &usize| waiting.contains(node);
        let (blocked, ready): (Vec<_>, Vec<_>) = left
            .iter()
            .partition(|node| after(**node).any(|other| is_waited_for(&other)));
        if ready.is_empty() {
            let next = |node: usize| after(node).find(is_waited_for);
            return Err(circle(left[0], next));
        }
        levels.push(ready);
        left = blocked;
    }
    Ok(levels)
}

/// The circle that following `next` from `start` ends in.
fn circle(start: usize, next: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    let mut path = vec![start];
    while let Some(node) = path.last().and_then(|last| next(*last)) {
        if let Some(at) = path.iter().position(|known| *known == node) {
            return path.split_off(at);
        }
        path.push(node);
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which nodes each node comes after; some graphs have circles, those with `forward` have none.
    fn graph(forward: bool) -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1_usize..12).prop_flat_map(move |nodes| {
            prop::collection::vec(prop::collection::vec(0..nodes, 0..4), nodes).prop_map(
                move |mut graph| {
                    if forward {
                        for (node, after) in graph.iter_mut().enumerate() {
                            after.retain(|other| *other < node);
                        }
                    }
                    graph
                },
            )
        })
    }

    fn of(graph: &[Vec<usize>]) -> Result<Plan, Vec<usize>> {
        levels(0..graph.len(), |node| graph[node].iter().copied())
    }

    proptest! {
        #[test]
        fn every_dependency_comes_before_its_dependents_and_nobody_waits_longer_than_for_them(
            graph in graph(true)
        ) {
            let plan = of(&graph).expect("there is no circle");
            let mut level = vec![None; graph.len()];
            for (number, nodes) in plan.iter().enumerate() {
                for node in nodes {
                    prop_assert_eq!(level[*node].replace(number), None, "a node is in one level");
                }
            }
            for (node, after) in graph.iter().enumerate() {
                let earliest = after.iter().map(|other| level[*other].unwrap() + 1).max();
                prop_assert_eq!(level[node], Some(earliest.unwrap_or(0)));
            }
        }

        #[test]
        fn a_graph_has_levels_or_a_circle_that_is_one(graph in graph(false)) {
            match of(&graph) {
                Ok(plan) => prop_assert_eq!(plan.concat().len(), graph.len()),
                Err(circle) => {
                    for (at, node) in circle.iter().enumerate() {
                        let next = circle[(at + 1) % circle.len()];
                        prop_assert!(graph[*node].contains(&next), "{circle:?} in {graph:?}");
                    }
                    let distinct: HashSet<_> = circle.iter().collect();
                    prop_assert_eq!(distinct.len(), circle.len());
                }
            }
        }
    }

    #[test]
    fn nodes_that_are_left_out_order_nothing() {
        let graph = [vec![], vec![0], vec![1]];
        let plan = levels([0, 2], |node| graph[node].iter().copied());
        assert_eq!(plan, Ok(vec![vec![0, 2]]));
    }
}
