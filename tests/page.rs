//! The page of `gymnast report --out report.html`, opened in a real browser.

use std::{fs, process::Command};

use serde_json::Value;

use crate::sandbox::{Outcome, Sandbox};

/// A page of two agents in two environments.
fn page(sandbox: &Sandbox) -> String {
    let mut runs = Vec::new();
    for agent in ["q-learning", "sarsa"] {
        for env in ["FrozenLake-v1", "Taxi-v4"] {
            let run = format!("{agent}-{env}");
            let short = ["--steps=4000", "--eval-every=1000", "--seeds=3", "--quiet"];
            sandbox.run(&[&["train", agent, env, "--out", &run], &short[..]].concat()).ok();
            runs.push(run);
        }
    }
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    sandbox.run(&[&["report"], &runs[..], &["--out", "report.html"]].concat()).ok();
    sandbox.read("report.html")
}

#[test]
fn a_page_needs_nothing_else_and_replaces_nothing() {
    let sandbox = Sandbox::new();
    let page = page(&sandbox);
    for part in
        ["Across environments", "Probability of improvement", "Settings that differ", "Pairs"]
    {
        assert!(page.contains(part), "no {part}");
    }
    let addresses = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!addresses.contains("http:") && !addresses.contains("https:"), "it names an address");
    assert!(!addresses.contains(" src=") && !addresses.contains("@import"));
    let report = ["report", "sarsa-Taxi-v4", "--out", "report.html"];
    sandbox.run(&report).fails(2, &["report.html already exists", "--force"]);
    sandbox.run(&[&report[..], &["--force"]].concat()).ok();
    sandbox.run(&["report", "sarsa-Taxi-v4", "--out", "a.pdf"]).fails(2, &["ends in .html"]);
    for (name, part) in [("a.md", "| agent |"), ("a.csv", "mean_low"), ("a.tex", "\\toprule")] {
        sandbox.run(&["report", "sarsa-Taxi-v4", "--out", name]).ok();
        assert!(sandbox.read(name).contains(part), "{name}");
    }
}

#[test]
fn names_are_text_in_the_page() {
    let sandbox = Sandbox::with_run();
    let name = "<script>alert(1)<-script>";
    fs::rename(sandbox.path("run"), sandbox.path(name)).unwrap();
    sandbox.run(&["report", name, name, "--out", "report.html"]).ok();
    let page = sandbox.read("report.html");
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[test]
#[ignore = "needs Chromium, which .ci/run installs"]
fn the_page_works_in_a_browser() {
    let sandbox = Sandbox::new();
    let early = "<script>window.problems = []; window.onerror = (m) => { problems.push(String(m)); };\
                 console.error = (...all) => { problems.push(all.join(' ')); };</script></head>";
    let probe = concat!("<script>", include_str!("page/probe.js"), "</script></body>");
    let probed = page(&sandbox).replacen("</head>", early, 1).replacen("</body>", probe, 1);
    fs::write(sandbox.path("probed.html"), probed).unwrap();
    for (scheme, width) in [("1", "1200"), ("0", "400")] {
        let found = open(&sandbox, scheme, width);
        assert_eq!(found["problems"], Value::Array(vec![]), "{found}");
        let numbers = |key: &str| -> Vec<f64> {
            found[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let (up, down) = (numbers("ascending"), numbers("descending"));
        assert!(up.is_sorted() && up.len() == 4 && up[0] < up[3], "{found}");
        assert!(down.is_sorted_by(|a, b| a >= b) && found["sort"] == "descending", "{found}");
        // A click hides a series: its line, its band and its seeds. Another shows it again.
        let hidden = numbers("hidden");
        assert!(hidden[0] > 0.0 && hidden[1] == 0.0 && found["focus"] == true, "{found}");
        assert!(found["contrast"].as_f64().unwrap() >= 4.5, "{found}");
        assert!(found["unnamed"] == 0 && found["wide"] == false, "{found}");
        assert!(
            found["headings"].as_array().unwrap().contains(&"Learning curves".into()),
            "{found}"
        );
    }
}

/// What the probe found, with a light (1) or dark (0) theme in a window of this width.
fn open(sandbox: &Sandbox, scheme: &str, width: &str) -> Value {
    let address = format!("file://{}", sandbox.path("probed.html").display());
    let outcome = Outcome::of(
        Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
            .arg(format!("--window-size={width},900"))
            .arg(format!("--user-data-dir={}", sandbox.path("profile").display()))
            .arg(address),
    );
    let dom = outcome.ok().stdout;
    let title =
        dom.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).unwrap().0;
    serde_json::from_str(&title.replace("&amp;", "&")).unwrap()
}
