//! The DevTools protocol over a pair of pipes: JSON messages, each ended by a NUL.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

use crate::RenderError;

/// Longest wait for a browser to start.
const START: Duration = Duration::from_secs(30);
/// Events of one page that wait to be looked at.
const EVENTS_MAX: usize = 1_024;
/// Room for what stands around a document in a message.
const ENVELOPE: usize = 1 << 20;

type Answering = oneshot::Sender<Result<Value, RenderError>>;

#[derive(Debug, Default)]
struct Waiting {
    /// Commands without an answer, by number.
    commands: HashMap<u64, Answering>,
    /// Where a page's events go, by session.
    sessions: HashMap<String, mpsc::Sender<Value>>,
    /// Why the browser is gone.
    ended: Option<String>,
}

/// Both directions; cheap to share.
#[derive(Debug)]
pub(crate) struct Connection {
    to: tokio::sync::Mutex<ChildStdin>,
    waiting: Arc<Mutex<Waiting>>,
    next: AtomicU64,
    /// Longest wait for the answer to a command.
    patience: Duration,
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    pub(crate) fn new(
        to: ChildStdin,
        from: ChildStdout,
        message_bytes_max: usize,
        patience: Duration,
    ) -> Self {
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        tokio::spawn(listen(from, Arc::clone(&waiting), message_bytes_max + ENVELOPE));
        Self { to: tokio::sync::Mutex::new(to), waiting, next: AtomicU64::new(1), patience }
    }

    /// Sends a command and waits for its result.
    pub(crate) async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, RenderError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            if let Some(reason) = &waiting.ended {
                return Err(RenderError::Browser(reason.clone()));
            }
            waiting.commands.insert(id, answer);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let sent = async {
            let mut to = self.to.lock().await;
            to.write_all(&bytes).await?;
            to.flush().await
        };
        let patience = if id == 1 { START } else { self.patience };
        let result = tokio::time::timeout(patience, async {
            sent.await.map_err(|error| RenderError::Browser(error.to_string()))?;
            answered.await.unwrap_or_else(|_| Err(RenderError::Browser("it ended".to_owned())))
        });
        let result = result.await;
        lock(&self.waiting).commands.remove(&id);
        result.unwrap_or_else(|_| Err(RenderError::Browser(format!("no answer to {method}"))))
    }

    /// Events of a session from now on.
    pub(crate) fn events(&self, session: &str) -> mpsc::Receiver<Value> {
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        lock(&self.waiting).sessions.insert(session.to_owned(), events);
        receiver
    }

    /// Forgets a session.
    pub(crate) fn forget(&self, session: &str) {
        lock(&self.waiting).sessions.remove(session);
    }
}

/// Hands every message to who waits for it, until the browser ends.
async fn listen(from: ChildStdout, waiting: Arc<Mutex<Waiting>>, message_bytes_max: usize) {
    let mut from = BufReader::new(from);
    let mut message = Vec::new();
    let reason = loop {
        message.clear();
        let read = (&mut from).take(message_bytes_max as u64).read_until(0, &mut message).await;
        match read {
            Err(error) => break error.to_string(),
            Ok(_) if message.pop() == Some(0) => {}
            Ok(0) => break "it ended".to_owned(),
            Ok(_) => break "a message is too long".to_owned(),
        }
        match serde_json::from_slice::<Value>(&message) {
            Ok(message) => hand_over(message, &waiting),
            Err(error) => break error.to_string(),
        }
    };
    let mut waiting = lock(&waiting);
    waiting.ended = Some(reason);
    // Whoever waits is told by the end of the channel.
    waiting.commands.clear();
    waiting.sessions.clear();
}

fn hand_over(mut message: Value, waiting: &Mutex<Waiting>) {
    let mut waiting = lock(waiting);
    if let Some(id) = message["id"].as_u64() {
        let Some(answer) = waiting.commands.remove(&id) else { return };
        let result = match message.get("error") {
            Some(error) => Err(RenderError::Browser(error["message"].as_str().unwrap_or("?").to_owned())),
            None => Ok(message["result"].take()),
        };
        // Nobody may be waiting any more.
        let _ = answer.send(result);
        return;
    }
    let Some(session) = message["sessionId"].as_str().map(str::to_owned) else { return };
    if let Some(events) = waiting.sessions.get(&session)
        && events.try_send(message).is_err()
    {
        // A page that says more than is listened to loses its listener, and so its rendering.
        waiting.sessions.remove(&session);
    }
}
