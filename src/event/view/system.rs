//! Views of the process and its surroundings: signals, hooks, calls of interfaces, child processes.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{count, duration, error, text, whole},
};
use crate::{
    event::{ErrorInfo, Event},
    semconv,
};

fn flavor(event: &Event) -> Option<&str> {
    Some(event.flavor.as_str()).filter(|name| !name.is_empty())
}

views! {
    /// A signal of the operating system.
    SystemSignalView {
        /// Which: `sigterm`, `sigint`, `sighup`.
        name: Option<&'e str> = flavor;
        /// Its number.
        number: Option<i64> = whole("process.signal.number");
        /// Why it came, if somebody said so.
        reason: Option<&'e str> = text("process.signal.reason");
    } content {} {
        /// The process received a signal.
        SystemSignalReceived = "system.signal.received";
    }

    /// User code called at a defined point.
    HookView {
        /// Where it was called.
        interception_point: Option<&'e str> = text("hook.interception_point");
        /// What came of it: `proceeded`, `aborted`.
        outcome: Option<&'e str> = text("hook.outcome");
        /// How many hooks were called.
        hook_count: Option<u64> = count("hook.hook_count");
        /// Which hook stopped it.
        abort_source: Option<&'e str> = text("hook.abort_source");
    } content {
        /// Why a hook stopped it.
        abort_reason: Option<&'e str> = text("hook.abort_reason");
    } {
        /// Hooks were called.
        HookDispatched = "hook.dispatched";
    }

    /// A call of an HTTP interface.
    ApiCallView {
        /// `GET`, `POST`.
        method: Option<&'e str> = text("http.request.method");
        /// The path, with names for its variable parts.
        url_template: Option<&'e str> = text("url.template");
        /// The host.
        address: Option<&'e str> = text(semconv::SERVER_ADDRESS);
        /// The status of the answer.
        status_code: Option<i64> = whole("http.response.status_code");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A call began.
        ApiCallStarted = "api.call.started";
        /// A call was answered.
        ApiCallCompleted = "api.call.completed";
        /// A call failed.
        ApiCallFailed = "api.call.failed";
        /// A call was dropped before its answer.
        ApiCallCanceled = "api.call.canceled";
    }

    /// A child process.
    ProcessExecView {
        /// The program's file name.
        executable_name: Option<&'e str> = text(semconv::PROCESS_EXECUTABLE_NAME);
        /// The program's full path.
        executable_path: Option<&'e str> = text(semconv::PROCESS_EXECUTABLE_PATH);
        /// The child's process id.
        pid: Option<i64> = whole("process.pid");
        /// How it exited.
        exit_code: Option<i64> = whole(semconv::PROCESS_EXIT_CODE);
        /// `none`, `suspicious` or `dangerous`: what a check of the command found.
        alert_level: Option<&'e str> = text("security.alert_level");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A child process began.
        ProcessExecStarted = "process.exec.started";
        /// A child process ended.
        ProcessExecCompleted = "process.exec.completed";
        /// A child process failed.
        ProcessExecFailed = "process.exec.failed";
        /// A child process was abandoned.
        ProcessExecCanceled = "process.exec.canceled";
    }
}
