//! What the two benches share: the workload, the competitors, a counting allocator and the measuring loop.

pub mod allocations;
pub mod competitors;
#[path = "../../support/measure.rs"]
pub mod measure;
#[path = "../../support/workload.rs"]
pub mod workload;
