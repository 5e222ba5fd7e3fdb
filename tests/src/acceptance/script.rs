//! What a case tells the plugin to do: the test's half of the conversation with `scripted`.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use forebay_fixture_scripted::script::socket;
use serde_json::{Value, json};

/// How long a case waits for what has to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

type Answer = Box<dyn FnOnce(&Value) -> Value + Send>;
type Standing = Arc<dyn Fn(&Value) -> Value + Send + Sync>;

/// The calls that a case has announced, and those that have come.
#[derive(Debug)]
pub struct Script {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    came: Condvar,
}

#[derive(Default)]
struct Plan {
    /// By the name of the call, in the order in which they have to come.
    announced: HashMap<String, VecDeque<Answer>>,
    /// For calls that may come any number of times, behind those.
    standing: HashMap<String, Standing>,
    came: Vec<(String, Value)>,
    unannounced: Vec<String>,
    over: bool,
}

/// A call that blocks until it is let go.
#[derive(Debug)]
pub struct Held {
    entered: std::sync::mpsc::Receiver<()>,
    reply: std::sync::mpsc::Sender<Value>,
}

impl Script {
    /// Listens for the plugin's calls.
    pub(super) fn new() -> Self {
        let path = socket();
        fs::remove_file(&path).ok();
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Arc::new(Shared::default());
        let answering = Arc::clone(&shared);
        thread::spawn(move || {
            for call in listener.incoming() {
                if answering.plan().over {
                    return;
                }
                let shared = Arc::clone(&answering);
                thread::spawn(move || shared.answer(call.unwrap()));
            }
        });
        Self { shared }
    }

    /// Announces a call that succeeds.
    pub fn expect(&self, call: &str) {
        self.expect_and(call, json!({}));
    }

    /// Announces a call and what the plugin does.
    pub fn expect_and(&self, call: &str, reply: Value) {
        self.announce(call, Box::new(move |_| reply));
    }

    /// Announces a call that blocks, whatever its context says.
    #[must_use]
    pub fn hold(&self, call: &str) -> Held {
        let (enter, entered) = std::sync::mpsc::channel();
        let (reply, replied) = std::sync::mpsc::channel();
        self.announce(
            call,
            Box::new(move |_| {
                enter.send(()).ok();
                replied.recv().unwrap_or_else(|_| json!({}))
            }),
        );
        Held { entered, reply }
    }

    /// Allows a call any number of times.
    pub fn allow(&self, call: &str, answer: impl Fn(&Value) -> Value + Send + Sync + 'static) {
        let mut plan = self.shared.plan();
        plan.standing.insert(call.to_owned(), Arc::new(answer));
    }

    fn announce(&self, call: &str, answer: Answer) {
        let mut plan = self.shared.plan();
        let announced = plan.announced.entry(call.to_owned()).or_default();
        announced.push_back(answer);
    }

    /// Waits until a call has come so many times.
    pub fn wait_for(&self, call: &str, times: usize) {
        let count = |plan: &mut Plan| {
            let came = plan.came.iter().filter(|(name, _)| name == call);
            came.count() < times
        };
        let plan = self.shared.plan();
        let (plan, waited) = self
            .shared
            .came
            .wait_timeout_while(plan, PATIENCE, |plan| count(plan))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(
            !waited.timed_out(),
            "`{call}` came too seldom: {:?}",
            plan.came
        );
    }

    /// What the calls of a name were given, in their order.
    #[must_use]
    pub fn given(&self, call: &str) -> Vec<Value> {
        let plan = self.shared.plan();
        let calls = plan.came.iter().filter(|(name, _)| name == call);
        calls.map(|(_, given)| given.clone()).collect()
    }

    /// The names of the calls, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        let plan = self.shared.plan();
        plan.came.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Fails if a call came that was not announced, or one that was did not.
    pub(super) fn finish(&self) {
        let plan = self.shared.plan();
        assert_eq!(plan.unannounced, Vec::<String>::new(), "not announced");
        let mut left = plan.announced.iter();
        let left = left.find(|(_, announced)| !announced.is_empty());
        let left = left.map(|(call, announced)| (call, announced.len()));
        assert_eq!(left, None, "announced, but not made: {:?}", plan.came);
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.shared.plan().over = true;
        // So that the listener looks.
        UnixStream::connect(socket()).ok();
        fs::remove_file(socket()).ok();
    }
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, mut stream: UnixStream) {
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        let message: Value = serde_json::from_str(&line).unwrap();
        let call = message["call"].as_str().unwrap().to_owned();
        let given = message["given"].clone();
        let answer = self.take(&call, &given);
        let mut reply = answer(&given).to_string();
        reply.push('\n');
        // Fails when the plugin is gone.
        stream.write_all(reply.as_bytes()).ok();
    }

    /// What answers a call. It may block, so it does so without the plan.
    fn take(&self, call: &str, given: &Value) -> Answer {
        let mut plan = self.plan();
        plan.came.push((call.to_owned(), given.clone()));
        self.came.notify_all();
        if let Some(answer) = plan.announced.get_mut(call).and_then(VecDeque::pop_front) {
            return answer;
        }
        if let Some(standing) = plan.standing.get(call) {
            let standing = Arc::clone(standing);
            return Box::new(move |given| standing(given));
        }
        plan.unannounced.push(format!("{call} {given}"));
        Box::new(|_| json!({"error": "this call was not announced"}))
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plan = self.plan();
        f.debug_struct("Shared")
            .field("came", &plan.came)
            .field("unannounced", &plan.unannounced)
            .finish_non_exhaustive()
    }
}

impl Held {
    /// Waits until the plugin is in the call.
    pub fn wait(&self) {
        self.entered.recv_timeout(PATIENCE).unwrap();
    }

    /// Lets the call go on.
    pub fn release(self, reply: Value) {
        self.reply.send(reply).ok();
    }
}
