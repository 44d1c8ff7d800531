//! What a picture and a transcript show of a recording.

use super::*;

fn draw(toml: &str) -> String {
    let recording: Recording = toml::from_str(toml).expect("a recording");
    let command = html! { code { "cargo run -p test" } };
    figure(&[Drawn { scenario: "test::case", command, recording: &recording, run: None }])
        .into_string()
}

#[track_caller]
fn has(svg: &str, expected: &str, times: usize) {
    assert_eq!(svg.matches(expected).count(), times, "{expected} in {svg}");
}

#[test]
fn a_thread_that_ends_just_before_the_process_is_not_cut() {
    let svg = draw(
        r#"
        ended = 2.0
        exit = 0
        ended_by = "main"
        stdout = [" 1.990s worker     done"]
        [[thread]]
        name = "main"
        born = 0.0
        [[thread.wait]]
        from = 0.5
        to = 2.0
        joins = "worker"
        [[thread]]
        name = "worker"
        born = 0.0
        returned = 2.0
        "#,
    );
    has(&svg, "class=\"torn\"", 0);
    has(&svg, "class=\"cut\"", 0);
    has(&svg, "class=\"returned\"", 2);
    has(&svg, ">waits for worker<", 1);
    has(&svg, "class=\"join\"", 1);
    has(&svg, "<circle", 1);
    has(&svg, "class=\"end\"", 1);
}

#[test]
fn a_thread_that_panics_does_not_return() {
    let svg = draw(
        r#"
        ended = 2.0
        exit = 0
        ended_by = "main"
        stdout = []
        stderr = ["thread 'worker-1' panicked at src/main.rs:3:5:", "boom"]
        thread = [
            { name = "main", born = 0.0 },
            { name = "worker", born = 0.0, returned = 0.5 },
            { name = "worker-1", born = 0.0, returned = 1.0 },
        ]
        "#,
    );
    has(&svg, ">returns at 0.5 s<", 1);
    has(&svg, ">ends at 1 s, after a panic<", 1);
    has(&svg, "class=\"returned\"", 3);
}

#[test]
fn a_scope_is_a_wait_without_a_name() {
    let svg = draw(
        r#"
        ended = 1.2
        exit = 0
        ended_by = "main"
        stdout = []
        thread = [
            { name = "main", born = 0.0, wait = [{ from = 0.0, to = 1.2 }] },
            { name = "one", born = 0.0, returned = 0.4 },
            { name = "two", born = 0.0, returned = 1.2 },
        ]
        "#,
    );
    has(&svg, ">1.2 s<", 1);
    has(&svg, ">waits<", 1);
    has(&svg, "class=\"join\"", 0);
    // `main` does nothing but wait.
    has(&svg, "class=\"work\"", 2);
}

#[test]
fn a_thread_that_never_logs_has_a_lane_and_its_cut() {
    let svg = draw(
        r#"
        ended = 3.0
        signal = "SIGTERM"
        stdout = [" 0.000s main       start"]
        thread = [{ name = "main", born = 0.0 }, { name = "quiet", born = 0.5 }]
        file = [{ name = "a<b.txt", size = 7, lines = 1, torn = true, last = ["one", "tw"] }]
        "#,
    );
    has(&svg, "<circle", 1);
    // A signal cuts `main` off like any other thread.
    has(&svg, "class=\"torn\"", 2);
    has(&svg, ">cut off at 3 s<", 2);
    has(&svg, "SIGTERM ends the process at 3 s", 3);
    has(&svg, "a&lt;b.txt: 1 line, then a torn one, 7 bytes", 3);
    has(&svg, "quiet starts at 0.5 s, cut off at 3 s", 1);
}

#[test]
fn a_run_that_the_recorder_ended_would_go_on() {
    let svg = draw(
        r#"
        ended = 6.0
        stdout = []
        thread = [
            { name = "main", born = 0.0, wait = [{ from = 3.5, to = 6.0, joins = "beat" }] },
            { name = "beat", born = 0.0 },
        ]
        "#,
    );
    has(&svg, ">waits for beat<", 1);
    has(&svg, "class=\"join\"", 0);
    has(&svg, "class=\"torn\"", 0);
    has(&svg, "class=\"returned\"", 0);
    has(&svg, "class=\"stop\"", 1);
    has(&svg, "class=\"end\"", 0);
    has(&svg, ">still waits at 6 s<", 1);
    has(&svg, ">still runs at 6 s<", 1);
    has(&svg, "cut off", 0);
}

#[test]
fn a_replay_knows_when_each_line_came() {
    let svg = draw(
        r#"
        ended = 2.5
        exit = 0
        stdout = [" 0.000s main       start", "no log", " 2.501s main       done"]
        stderr = ["boom"]
        thread = [{ name = "main", born = 0.0 }]
        "#,
    );
    has(&svg, r#"<figure class="recording" data-span="2.5">"#, 1);
    has(&svg, r#"<pre class="transcript" data-ended="2.5">"#, 1);
    has(&svg, r#"<samp data-at="0"> 0.000s main       start</samp>"#, 1);
    has(&svg, "<samp>no log</samp>", 1);
    // No line comes after the end.
    has(&svg, r#"<samp data-at="2.5"> 2.501s main       done</samp>"#, 1);
    has(&svg, "<samp>boom</samp>", 1);
    has(&svg, r#"<em data-at="2.5">The process ends at 2.5 s, exit code 0.</em>"#, 1);
}

#[test]
fn two_hundred_threads_stay_a_picture() {
    let threads: String = (0..200)
        .map(|number| {
            let born = f64::from(number) / 100.0;
            format!("[[thread]]\nname = \"request-{number}\"\nborn = {born:.2}\n")
        })
        .collect();
    let log: String =
        (0..200).map(|number| format!("\" 1.000s request-{number} begins\",")).collect();
    let svg = draw(&format!("ended = 2.5\nexit = 0\nstdout = [{log}]\n{threads}"));
    has(&svg, "… and 189 more threads …", 1);
    has(&svg, "class=\"name\"", 11);
    has(&svg, "There are 200 threads in all", 1);
    assert!(svg.len() < 30_000, "{} bytes", svg.len());
}

#[test]
fn two_runs_share_one_time_axis() {
    let of = |ended: f64| -> Recording {
        let text = format!(
            "ended = {ended:.1}\nexit = 0\nended_by = \"main\"\nstdout = []\n\
             thread = [{{ name = \"main\", born = 0.0 }}]"
        );
        toml::from_str(&text).expect("a recording")
    };
    let (long, short) = (of(10.0), of(5.0));
    let one = |scenario, recording| Drawn { scenario, command: html! {}, recording, run: None };
    let svg = figure(&[one("a", &long), one("b", &short)]).into_string();
    has(&svg, ">10 s<", 2);
    // The shorter one's bar is half as wide.
    has(&svg, "width=\"97%\"", 1);
    has(&svg, "width=\"48.5%\"", 1);
}

#[test]
fn no_blank_line_ends_the_html_inside_a_page() {
    let svg = draw(
        "ended = 1.0\nexit = 0\nstdout = [\"\", \"a\", \"\"]\n\
         thread = [{ name = \"main\", born = 0.0 }]",
    );
    assert!(svg.lines().all(|line| !line.trim().is_empty()), "{svg}");
}

#[test]
fn a_line_of_which_no_thread_is_known_is_a_dot_on_the_axis() {
    let svg = draw(
        r#"
        ended = 2.0
        exit = 0
        ended_by = "main"
        stdout = [" 1.000s stdout     <b>", " 1.500s main       done"]
        thread = [{ name = "main", born = 0.0 }]
        "#,
    );
    has(&svg, "cy=\"68\" r=\"4\"><title>1.000s stdout     &lt;b&gt;<", 1);
    has(&svg, "<circle", 2);
    has(&svg, ". 1 line is printed. The process ends", 1);
}

#[test]
fn who_tells_how_threads_ended_is_believed_and_has_chosen_them() {
    let threads = "{ name = \"main\", born = 0.0 },".repeat(20);
    let toml = format!("ended = 2.0\nexit = 0\nstdout = []\nthread = [{threads}]");
    let mut recording: Recording = toml::from_str(&toml).expect("a recording");
    let draw = |recording: &Recording| {
        figure(&[Drawn { scenario: "test", command: html! {}, recording, run: None }]).into_string()
    };
    has(&draw(&recording), "more threads …<", 1);
    for thread in &mut recording.thread {
        thread.told = Some("ended by itself".to_owned());
    }
    let svg = draw(&recording);
    has(&svg, "more threads", 0);
    has(&svg, ">ended by itself</tspan>", 20);
    has(&svg, "main: from 0 s on, ended by itself.", 20);
}
