//! Views of saved state: saving, branching off, restoring, pruning.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{count, duration, either, error, text},
};
use crate::event::{ErrorInfo, Event};

views! {
    /// Saving, branching off or restoring state.
    CheckpointView {
        /// The checkpoint's id.
        id: Option<&'e str> = text("checkpoint.id");
        /// Where it is kept.
        location: Option<&'e str> = text("checkpoint.location");
        /// Who keeps it: `json`, `sqlite`.
        provider: Option<&'e str> = text("checkpoint.provider");
        /// What made it happen.
        trigger: Option<&'e str> = text("checkpoint.trigger");
        /// The branch it is on.
        branch: Option<&'e str> = text("checkpoint.branch");
        /// The branch it was forked from.
        parent_branch: Option<&'e str> = text("checkpoint.parent_branch");
        /// The checkpoint before it.
        parent_id: Option<&'e str> = either("checkpoint.parent_id", "checkpoint.parent_checkpoint_id");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// Saving began.
        CheckpointSaveStarted = "checkpoint.save.started";
        /// State is saved.
        CheckpointSaveCompleted = "checkpoint.save.completed";
        /// State could not be saved.
        CheckpointSaveFailed = "checkpoint.save.failed";
        /// Saving was dropped.
        CheckpointSaveCanceled = "checkpoint.save.canceled";
        /// Branching off began.
        CheckpointForkStarted = "checkpoint.fork.started";
        /// There is a new branch.
        CheckpointForkCompleted = "checkpoint.fork.completed";
        /// There is no new branch.
        CheckpointForkFailed = "checkpoint.fork.failed";
        /// Branching off was dropped.
        CheckpointForkCanceled = "checkpoint.fork.canceled";
        /// Restoring began.
        CheckpointRestoreStarted = "checkpoint.restore.started";
        /// State is restored.
        CheckpointRestoreCompleted = "checkpoint.restore.completed";
        /// State could not be restored.
        CheckpointRestoreFailed = "checkpoint.restore.failed";
        /// Restoring was dropped.
        CheckpointRestoreCanceled = "checkpoint.restore.canceled";
    }

    /// Old checkpoints removed.
    CheckpointPrunedView {
        /// How many were removed.
        removed_count: Option<u64> = count("checkpoint.removed_count");
        /// How many may stay.
        max_checkpoints: Option<u64> = count("checkpoint.max_checkpoints");
    } content {} {
        /// Old checkpoints were removed.
        CheckpointPruned = "checkpoint.pruned";
    }
}
