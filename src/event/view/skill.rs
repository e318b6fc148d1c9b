//! Views of skills: finding, fetching, loading, using.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{body_text, count, duration, either, error, text, texts, value},
};
use crate::{
    event::{ErrorInfo, Event, Value},
    semconv,
};

views! {
    /// A skill as an object.
    SkillView {
        /// The skill's name.
        name: Option<&'e str> = either("skill.name", semconv::GEN_AI_SKILL_NAME);
        /// Where it lies.
        path: Option<&'e str> = text("skill.path");
        /// How much of it the model sees.
        disclosure_level: Option<&'e Value> = value("skill.disclosure_level");
    } content {
        /// Why it is unavailable, if capturing content is switched on.
        message: Option<&'e str> = body_text;
    } {
        /// A skill was loaded.
        SkillLoaded = "skill.loaded";
        /// A skill was put before the model.
        SkillActivated = "skill.activated";
        /// A skill could not be loaded.
        SkillUnavailable = "skill.unavailable";
        /// A skill was used.
        SkillUsed = "skill.used";
    }

    /// Looking for skills.
    SkillDiscoveryView {
        /// Where.
        search_path: Option<&'e str> = text("skill.search_path");
        /// How many were found.
        skills_found: Option<u64> = count("skill.skills_found");
        /// Which were found.
        skill_names: Vec<&'e str> = texts("skill.skill_names");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// Looking for skills began.
        SkillDiscoveryStarted = "skill.discovery.started";
        /// Looking for skills is done.
        SkillDiscoveryCompleted = "skill.discovery.completed";
        /// Looking for skills failed.
        SkillDiscoveryFailed = "skill.discovery.failed";
        /// Looking for skills was dropped.
        SkillDiscoveryCanceled = "skill.discovery.canceled";
    }

    /// Fetching a skill.
    SkillDownloadView {
        /// The skill's name.
        name: Option<&'e str> = either("skill.name", semconv::GEN_AI_SKILL_NAME);
        /// What it is called where it comes from.
        registry_ref: Option<&'e str> = text("skill.registry_ref");
        /// Its version.
        version: Option<&'e str> = text("skill.version");
        /// Where it is kept from now on.
        cache_path: Option<&'e str> = text("skill.cache_path");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// Fetching began.
        SkillDownloadStarted = "skill.download.started";
        /// A skill was fetched.
        SkillDownloadCompleted = "skill.download.completed";
        /// A skill could not be fetched.
        SkillDownloadFailed = "skill.download.failed";
        /// Fetching was dropped.
        SkillDownloadCanceled = "skill.download.canceled";
    }
}
