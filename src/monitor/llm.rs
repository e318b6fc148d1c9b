//! Calls of a model by code that is not instrumented, with the prompt checked before and the answer after.
//!
//! Promise: a blocked prompt is never sent, and its span ends as blocked; what the closure returns is returned.

use std::fmt;

use serde_json::json;

use super::guard::{self, Guard, Part, Verdict};
use super::response::LlmResponse;
use crate::security::SecurityBlocked;
use crate::semconv;
use crate::span::{Call, Inference, Starter, chat};

/// Why a monitored model call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LlmError<E> {
    /// A guard, or the [policy](crate::TelemetryBuilder::security), blocked the prompt; the model was not called.
    Blocked(SecurityBlocked),
    /// The call failed, with this error.
    Call(E),
}

impl<E> LlmError<E> {
    /// The call's own error; `None` where it was blocked.
    pub fn into_call(self) -> Option<E> {
        match self {
            Self::Blocked(_) => None,
            Self::Call(error) => Some(error),
        }
    }
}

impl<E: fmt::Display> fmt::Display for LlmError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(blocked) => blocked.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for LlmError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Blocked(_) => None,
            // It prints as the error itself, so what lies behind that one comes next.
            Self::Call(error) => error.source(),
        }
    }
}

impl<E> From<SecurityBlocked> for LlmError<E> {
    fn from(blocked: SecurityBlocked) -> Self {
        Self::Blocked(blocked)
    }
}

/// Calls a model by `f` and records it as `chat {model}`: what `f` gets is the prompt, what it returns tells usage, model and
/// finish reason if it is the provider's JSON (or anything else that implements [`LlmResponse`]).
///
/// ```
/// use serde_json::{Value, json};
/// use tracing_genai::monitor_llm;
///
/// struct Client;
///
/// impl Client {
///     fn generate(&self, _prompt: &str) -> Result<Value, std::io::Error> {
///         Ok(json!({ "model": "gpt-4o-2024-08-06", "usage": { "prompt_tokens": 9, "completion_tokens": 3 } }))
///     }
/// }
///
/// let answer = monitor_llm("gpt-4o", "Hello, AI!", |prompt| Client.generate(prompt))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With a provider, parameters, a check of the prompt: `chat("openai", "gpt-4o").temperature(0.2).guard(&check).call(prompt, f)`,
/// see [`Starter::guard`].
///
/// # Errors
/// What `f` returns, as [`LlmError::Call`].
pub fn monitor_llm<'p, T, E>(
    model: &str,
    prompt: &'p str,
    f: impl FnOnce(&'p str) -> Result<T, E>,
) -> Result<T, LlmError<E>>
where
    T: LlmResponse,
    E: fmt::Display,
{
    LlmCall::from(chat("", model)).call(prompt, f)
}

/// The same for a call that awaits. Its span begins when it is first polled.
///
/// # Errors
/// What the future answers, as [`LlmError::Call`].
pub async fn monitor_llm_async<'p, T, E, F>(
    model: &str,
    prompt: &'p str,
    f: impl FnOnce(&'p str) -> F,
) -> Result<T, LlmError<E>>
where
    F: Future<Output = Result<T, E>>,
    T: LlmResponse,
    E: fmt::Display,
{
    LlmCall::from(chat("", model)).call_async(prompt, f).await
}

/// A call of a model about to be made, with a guard or without. Made by [`Starter::guard`], or from a
/// [`Starter`](crate::Starter).
#[derive(Debug)]
#[must_use = "nothing happens until `call` or `call_async`"]
pub struct LlmCall<'g> {
    starter: Starter<Inference>,
    guard: Option<Shield<'g>>,
}

#[derive(Clone, Copy)]
struct Shield<'g>(&'g dyn Guard);

impl fmt::Debug for Shield<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dyn Guard")
    }
}

impl From<Starter<Inference>> for LlmCall<'_> {
    fn from(starter: Starter<Inference>) -> Self {
        Self {
            starter,
            guard: None,
        }
    }
}

impl Starter<Inference> {
    /// Has `guard` judge the prompt before the call, and the answer after it.
    ///
    /// | It says | Prompt | Answer |
    /// | --- | --- | --- |
    /// | `Allow` | is sent | is returned |
    /// | `Alert(reason)` | is sent, `security.alert` | is returned, `security.alert` |
    /// | `Block(reason)` | is not sent, `security.block`, `llm.call.blocked`, an error | is returned, `security.alert` |
    ///
    /// ```
    /// use tracing_genai::chat;
    /// use tracing_genai::monitor::{LlmError, Verdict};
    ///
    /// let no_drop = |text: &str| match text.contains("DROP TABLE") {
    ///     true => Verdict::block("dangerous_command"),
    ///     false => Verdict::Allow,
    /// };
    /// let refused = chat("openai", "gpt-4o").guard(&no_drop).call("DROP TABLE users", |_prompt| {
    ///     Ok::<_, std::io::Error>("never asked".to_owned())
    /// });
    /// assert!(matches!(refused, Err(LlmError::Blocked(why)) if why.reason == "dangerous_command"));
    /// ```
    pub fn guard(self, guard: &dyn Guard) -> LlmCall<'_> {
        LlmCall {
            starter: self,
            guard: Some(Shield(guard)),
        }
    }
}

impl LlmCall<'_> {
    /// Makes the call by `f`, which gets the prompt.
    ///
    /// # Errors
    /// [`LlmError::Blocked`] if the guard blocked the prompt; `f` has not been called then. Else what `f` returns.
    pub fn call<'p, T, E>(
        self,
        prompt: &'p str,
        f: impl FnOnce(&'p str) -> Result<T, E>,
    ) -> Result<T, LlmError<E>>
    where
        T: LlmResponse,
        E: fmt::Display,
    {
        let (call, guard) = self.begin(prompt)?;
        let result = call.poll_in_scope(|| f(prompt));
        if let Err(error) = &result {
            call.fail(error);
        }
        end(&call, guard, result)
    }

    /// The same for a call that awaits. Its span begins when it is first polled; a future dropped before its end is a canceled
    /// call.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async<'p, T, E, F>(
        self,
        prompt: &'p str,
        f: impl FnOnce(&'p str) -> F,
    ) -> Result<T, LlmError<E>>
    where
        F: Future<Output = Result<T, E>>,
        T: LlmResponse,
        E: fmt::Display,
    {
        let (call, guard) = self.begin(prompt)?;
        let future = call.poll_in_scope(|| f(prompt));
        let result = call.run(future).await;
        end(&call, guard, result)
    }
}

impl<'g> LlmCall<'g> {
    /// Judges the prompt, then starts the span: the time a guard takes is not the model's.
    fn begin(self, prompt: &str) -> Result<(Call, Option<Shield<'g>>), SecurityBlocked> {
        let guard = self.guard;
        let verdict = guard::judge(guard.map(|guard| guard.0), Part::Prompt, prompt);
        let call = self.starter.start();
        call.content(
            semconv::GEN_AI_INPUT_MESSAGES,
            || json!([{ "role": "user", "parts": [{ "type": "text", "content": prompt }] }]),
        );
        match verdict {
            Verdict::Allow => match call.stopped() {
                None => Ok((call, guard)),
                Some(blocked) => Err(blocked),
            },
            Verdict::Alert(reason) => {
                tell(&call, "security.alert", "suspicious", "alerted", &reason);
                match call.stopped() {
                    None => Ok((call, guard)),
                    Some(blocked) => Err(blocked),
                }
            }
            Verdict::Block(reason) => {
                tell(&call, "security.block", "dangerous", "blocked", &reason);
                call.block(&reason);
                Err(SecurityBlocked::by_guard(reason))
            }
        }
    }
}

/// Reads the answer, has it judged, and completes the call; one that failed has ended.
fn end<T: LlmResponse, E>(
    call: &Call,
    guard: Option<Shield<'_>>,
    result: Result<T, E>,
) -> Result<T, LlmError<E>> {
    let answer = result.map_err(LlmError::Call)?;
    // What the answer's own code does happens inside the call: a panic there fails it.
    call.poll_in_scope(|| {
        answer.tell(call);
        let text = guard.and_then(|_| answer.text()).unwrap_or_default();
        let level = match guard::judge(guard.map(|guard| guard.0), Part::Response, &text) {
            Verdict::Allow => return,
            Verdict::Alert(reason) => ("suspicious", reason),
            Verdict::Block(reason) => ("dangerous", reason),
        };
        tell(call, "security.alert", level.0, "alerted", &level.1);
    });
    call.complete();
    Ok(answer)
}

/// Tells what a guard found, on the span and as an event in it.
fn tell(call: &Call, event: &'static str, level: &'static str, action: &'static str, rule: &str) {
    call.set(semconv::SECURITY_ALERT_LEVEL, level);
    call.event(event)
        .attr(semconv::SECURITY_ALERT_LEVEL, level)
        .attr(semconv::SECURITY_RULE, rule)
        .attr(semconv::SECURITY_ACTION, action)
        .emit();
}
