//! All trials, in the order in which they are held.

use super::trial::{Lesson, Trial};

mod basics;
mod clients;
mod idle;
mod in_work;
mod keys;
mod killed;
mod limits;
mod outputs;
mod panics;
mod second;
mod synced;
mod torn;

/// The first trial. Without it the others would judge what they do not mean to.
pub const BASICS: &str = "basics";
/// The one that says whether SIGTERM reaches the service.
pub const SIGNAL_PATH: &str = "signal-path";

const GRACEFUL: Lesson =
    Lesson { page: "14-graceful-sigterm", title: "The order that was already accepted" };
const ORCHESTRATORS: Lesson =
    Lesson { page: "14-graceful-sigterm-orchestrators", title: "The pod that was killed anyway" };
const GATEWAY: Lesson =
    Lesson { page: "24-edge-gateway", title: "The gateway that may die at any moment" };
const HANDOFF: Lesson =
    Lesson { page: "12-durable-handoff", title: "The payment that must not be lost" };

/// All of them.
pub const ALL: [Trial; 21] = [
    Trial {
        name: BASICS,
        rule: "An order gets 201 and a number, the same key 200 and the same one, another key a larger one. With \
               takes=300 it takes 0.3 s. GET /orders has each once. The supplier is asked once for each new order; \
               one that says 503, 404 or 204 or takes no connection makes it 502, and the key stays usable. If \
               this fails, the exam stops.",
        lesson: Lesson { page: "25-order-desk-contract", title: "The contract of one page" },
        signals: false,
        waits: false,
        hold: basics::basics,
    },
    Trial {
        name: SIGNAL_PATH,
        rule: "SIGTERM to the process that COMMAND starts reaches the service. If this fails, trials with \
               signals are not tried.",
        lesson: ORCHESTRATORS,
        signals: false,
        waits: false,
        hold: idle::signal_path,
    },
    Trial {
        name: "idle-stop",
        rule: "SIGTERM while idle, with one connection that a client keeps: exit code 0 within 2 s.",
        lesson: GRACEFUL,
        signals: true,
        waits: false,
        hold: idle::idle_stop,
    },
    Trial {
        name: "in-flight",
        rule: "GRACE=8 and SIGTERM 0.3 s into an order of 1 s: the order gets 201, then exit code 0, less than 4 s \
               after SIGTERM.",
        lesson: GRACEFUL,
        signals: true,
        waits: true,
        hold: in_work::in_flight,
    },
    Trial {
        name: "does-not-fit",
        rule: "SIGTERM while two orders of 30 s are in work: when GRACE is over, at most 1 s later, exit code 1, \
               `unfinished: 2` as the last line on stderr, and neither gets 200 or 201.",
        lesson: Lesson { page: "15-join-deadline", title: "The upload that was given a second" },
        signals: true,
        waits: true,
        hold: in_work::does_not_fit,
    },
    Trial {
        name: "refused-while-stopping",
        rule: "From 0.5 s after SIGTERM, while an order is finished, new orders get 503 or no answer, on new and \
               on kept connections; /health is not 200; the order gets 201, and the exit code is 0.",
        lesson: GRACEFUL,
        signals: true,
        waits: true,
        hold: in_work::refused_while_stopping,
    },
    Trial {
        name: "nothing-acknowledged-lost",
        rule: "SIGTERM while 16 customers order, three times: it ends in time, and after a restart each order that \
               was acknowledged is there with its number.",
        lesson: HANDOFF,
        signals: true,
        waits: false,
        hold: killed::nothing_acknowledged_lost,
    },
    Trial {
        name: "killed",
        rule: "SIGKILL while 8 customers order, 50 times, and a restart: orders that got no answer can be posted \
               again, all that was acknowledged is there, and no key or number is there twice. The first of all \
               keys still gets 200.",
        lesson: GATEWAY,
        signals: false,
        waits: false,
        hold: killed::killed,
    },
    Trial {
        name: "synced",
        rule: "What is written to a file in DATA for an order is synced before its 201 is sent, as strace sees it.",
        lesson: Lesson {
            page: "12-durable-handoff-acknowledged",
            title: "What \"acknowledged\" is worth",
        },
        signals: false,
        waits: false,
        hold: synced::synced,
    },
    Trial {
        name: "same-key-at-once",
        rule: "Two connections with the same key, complete at the same moment, 50 times: one gets 201, the other \
               200, with the same number, and it is stored once. Whoever posts a key that is in work gets 200 \
               when it is stored; where the supplier refuses the first of two, the other one does the work.",
        lesson: HANDOFF,
        signals: false,
        waits: false,
        hold: keys::same_key_at_once,
    },
    Trial {
        name: "client-gone",
        rule: "A customer leaves while its order is in work and posts the key again: 200 or 201 within 3 s, and it \
               is stored once. After SIGTERM the exit code is 0.",
        lesson: Lesson { page: "22-async-daemons-cancel", title: "The half that select! dropped" },
        signals: false,
        waits: false,
        hold: keys::client_gone,
    },
    Trial {
        name: "second-signal",
        rule: "GRACE=20 and an order of 30 s in work: a second SIGTERM ends it within 1 s, not with exit code 0.",
        lesson: Lesson {
            page: "14-graceful-sigterm-second-signal",
            title: "The signal that came twice",
        },
        signals: true,
        waits: true,
        hold: second::second_signal,
    },
    Trial {
        name: "process-1",
        rule: "As process 1, as in a container, in-flight and second-signal hold as well.",
        lesson: ORCHESTRATORS,
        signals: true,
        waits: true,
        hold: second::process_1,
    },
    Trial {
        name: "hung-supplier",
        rule: "While the supplier does not answer, an order gets 502 within 6 s. SIGTERM in the middle: at most 1 s \
               after GRACE exit code 1 with `unfinished: 1`, or 502 and exit code 0; neither 200 nor 201.",
        lesson: Lesson {
            page: "15-join-deadline-per-call",
            title: "The limit that began anew with each byte",
        },
        signals: true,
        waits: true,
        hold: in_work::hung_supplier,
    },
    Trial {
        name: "worker-panic",
        rule: "After 64 panics of workers, 16 at a time, 16 orders at once get 201 and /health is 200 within 5 s, and \
               after SIGTERM the exit code is 0; or it has ended within 2 s, not with exit code 0.",
        lesson: Lesson { page: "16-panicking-worker", title: "The worker that died unseen" },
        signals: false,
        waits: false,
        hold: panics::worker_panic,
    },
    Trial {
        name: "slow-client",
        rule: "SIGTERM while a client is connected and silent, another has sent half a head, a third half a body: \
               exit code 0, at most 1 s after GRACE, and no half order is stored.",
        lesson: Lesson {
            page: "14-graceful-sigterm-slow-clients",
            title: "The client that never finishes",
        },
        signals: true,
        waits: false,
        hold: clients::slow_client,
    },
    Trial {
        name: "no-descriptors",
        rule: "For a second it has 8 descriptors left and 32 connections to take: 10 s later at most /health is 200 \
               and orders are taken.",
        lesson: Lesson { page: "13-prompt-stop-accept", title: "The door that nobody opened" },
        signals: false,
        waits: false,
        hold: limits::no_descriptors,
    },
    Trial {
        name: "full-disk",
        rule: "While its files cannot grow, orders get 5xx. 5 s after there is room again at most, orders are taken, \
               and every acknowledged one, before and after, is there, also after SIGKILL and a restart.",
        lesson: Lesson {
            page: "24-edge-gateway-less",
            title: "The gateway that goes on with less",
        },
        signals: false,
        waits: false,
        hold: limits::full_disk,
    },
    Trial {
        name: "closed-stdout",
        rule: "Nobody reads its stdout and stderr any more: 20 orders get 201, and after SIGTERM the exit code is 0; \
               1, as ever, where an order of 30 s was in work.",
        lesson: Lesson {
            page: "07-last-words-dead-pipe",
            title: "The log that nobody reads any more",
        },
        signals: true,
        waits: true,
        hold: outputs::closed_stdout,
    },
    Trial {
        name: "torn-tail",
        rule: "The file to which an order was added is cut within that order, as a crash may leave it: it starts, what \
               was there before is there, and what comes then stays, also after SIGKILL. Not tried where an \
               order does more than add to one file.",
        lesson: GATEWAY,
        signals: false,
        waits: false,
        hold: torn::torn_tail,
    },
    Trial {
        name: "nothing-left",
        rule: "After SIGTERM and the exit, idle or with an order of 30 s in work, there is no process of it, nobody \
               listens, and TMPDIR is empty.",
        lesson: Lesson { page: "23-orphan-process", title: "The sidecar that went on" },
        signals: true,
        waits: false,
        hold: outputs::nothing_left,
    },
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn each_trial_leads_to_a_page_of_the_book() {
        let chapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chapters");
        for Trial { name, lesson: Lesson { page, title }, .. } in &ALL {
            let path = chapters.join(format!("{page}.md"));
            let text = fs::read_to_string(&path).unwrap_or_else(|error| {
                panic!("{name} leads to {}: {error}", path.display());
            });
            assert_eq!(text.lines().next(), Some(&*format!("# {title}")), "{name}");
        }
    }
}
