//! `gymnast plot`: what its pictures say, and what it refuses.

use std::fs;

use crate::sandbox::Sandbox;

/// Runs of two agents in two environments, three seeds each.
fn with_four_runs() -> (Sandbox, Vec<&'static str>) {
    let sandbox = Sandbox::new();
    let runs =
        ["q-learning:FrozenLake-v1", "q-learning:Taxi-v4", "sarsa:FrozenLake-v1", "sarsa:Taxi-v4"];
    for run in runs {
        let (agent, env) = run.split_once(':').unwrap();
        let short = ["--steps=4000", "--eval-every=500", "--seeds=3", "--quiet"];
        sandbox.run(&[&["train", agent, env, "--out", run], &short[..]].concat()).ok();
    }
    (sandbox, runs.into())
}

fn plot(sandbox: &Sandbox, runs: &[&str], options: &[&str]) -> String {
    let out = ["--out", "a.svg", "--force"];
    sandbox.run(&[&["plot"], runs, &out, options].concat()).ok();
    sandbox.read("a.svg")
}

#[test]
fn unlike_environments_have_a_panel_each() {
    let (sandbox, runs) = with_four_runs();
    let svg = plot(&sandbox, &runs, &[]);
    let count = |text: &str| svg.matches(&format!(">{text}<")).count();
    for once in
        ["FrozenLake-v1", "Taxi-v4", "q-learning", "sarsa", "threshold", "evaluation return"]
    {
        assert_eq!(count(once), 1, "{once}: {svg}");
    }
    // Each agent has the colour and the dashes of its own in both panels.
    let lines = |colour: &str, dashes: &str| {
        let line = format!("stroke=\"{colour}\" stroke-width=\"2.2\"{dashes}/>");
        svg.matches(&line).count()
    };
    assert_eq!((lines("#0072B2", ""), lines("#D55E00", " stroke-dasharray=\"8 3\"")), (3, 3));
    assert!(svg.contains("Mean and 95 % bootstrap interval of 3 seeds"), "{svg}");
    // One environment has no panels: its threshold is a number.
    let alone = plot(&sandbox, &["sarsa:Taxi-v4"], &["--title=Mine"]);
    assert!(alone.contains(">threshold 7.5<") && alone.contains(">Mine<"), "{alone}");
    let one_seed = plot(&sandbox, &["sarsa:Taxi-v4/seed-1"], &[]);
    assert!(one_seed.contains(">Line: a single seed<"), "{one_seed}");
    let uneven = plot(&sandbox, &["sarsa:Taxi-v4/seed-1", "q-learning:Taxi-v4"], &[]);
    assert!(uneven.contains("seeds (sarsa 1, q-learning 3)"), "{uneven}");
}

#[test]
fn agents_are_drawn_over_environments() {
    let (sandbox, runs) = with_four_runs();
    for (kind, title) in [
        ("efficiency", "Sample efficiency"),
        ("profile", "Performance profiles"),
        ("intervals", "Optimality gap"),
        ("improvement", "q-learning &gt; sarsa"),
    ] {
        let svg = plot(&sandbox, &runs, &["--kind", kind]);
        assert!(svg.contains(title) && svg.contains("6 runs"), "{kind}: {svg}");
        assert!(svg.contains("95 % bootstrap interval"), "{kind}: {svg}");
        let one = ["plot", runs[1], runs[3], "--kind", kind, "--out", "one.svg", "--force"];
        if kind == "intervals" {
            sandbox.run(&one).ok();
            assert!(
                sandbox.read("one.svg").contains("Mean return and 95 % t interval of 3 seeds each")
            );
        } else {
            sandbox.run(&one).fails(2, &["at least two environments"]);
        }
    }
    let alone = ["plot", runs[0], runs[1], "--kind=improvement", "--out=b.svg"];
    sandbox.run(&alone).fails(2, &["at least two agents"]);
}

#[test]
fn a_picture_fits_the_column_of_a_paper() {
    let sandbox = Sandbox::with_run();
    let svg = plot(&sandbox, &["run"], &["--width=one-column"]);
    assert!(svg.contains("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"312\" "), "{svg}");
    assert_eq!(plot(&sandbox, &["run"], &["--width=3.25in"]), svg);
    sandbox.run(&["plot", "run", "--out=a.pdf", "--width=two-column"]).ok();
    let pdf = fs::read(sandbox.path("a.pdf")).unwrap();
    let has = |part: &[u8]| pdf.windows(part.len()).any(|window| window == part);
    // 6.75 inches of 72 points.
    assert!(pdf.starts_with(b"%PDF") && has(b"/MediaBox [0 0 486 ") && has(b"/FontFile2"));
    let png = |options: &[&str]| {
        let out = ["plot", "run", "--out=a.png", "--force", "--width=one-column"];
        sandbox.run(&[&out[..], options].concat()).ok();
        let bytes = fs::read(sandbox.path("a.png")).unwrap();
        u32::from_be_bytes(bytes[16..20].try_into().unwrap())
    };
    assert_eq!((png(&[]), png(&["--scale=3"])), (312, 936));
    sandbox.run(&["plot", "run", "--out=b.svg", "--scale=2"]).fails(2, &["--scale", ".png"]);
    sandbox.run(&["plot", "run", "--out=b.png", "--scale=0"]).fails(2, &["--scale", "above 0"]);
    sandbox.run(&["plot", "run", "--out=b.png", "--scale=1e3"]).fails(1, &["cannot be drawn"]);
    sandbox.run(&["plot", "run", "--out=b.svg", "--width=wide"]).fails(2, &["one-column"]);
}

#[test]
fn limits_and_logarithms_are_kept_or_refused_with_the_reason() {
    let (sandbox, runs) = with_four_runs();
    let taxi = &runs[3..];
    let svg = plot(&sandbox, taxi, &["--x-limits=1000,3000", "--y-limits=-1000,0"]);
    for tick in [">1000<", ">3000<", ">−1000<", ">0<"] {
        assert!(svg.contains(tick), "{tick}: {svg}");
    }
    let refused = |options: &[&str], code: i32, parts: &[&str]| {
        sandbox.run(&[&["plot"], taxi, &["--out=b.svg"], options].concat()).fails(code, parts);
    };
    refused(&["--log-y"], 1, &["Taxi-v4", "logarithmic axis", "must be positive"]);
    refused(&["--x-limits=3,1"], 2, &["--x-limits", "the lower first"]);
    refused(&["--x-limits=1e7,2e7"], 1, &["within the limits"]);
    let log = plot(&sandbox, taxi, &["--log-x"]);
    assert!(log.contains(">1000<") && !log.contains(">1500<"), "{log}");
}

#[test]
fn smoothing_is_named_and_needs_as_many_evaluations() {
    let sandbox = Sandbox::with_run();
    let svg = plot(&sandbox, &["run"], &["--smooth=3"]);
    assert!(svg.contains("each point: trailing mean of 3 evaluations"), "{svg}");
    assert_ne!(plot(&sandbox, &["run"], &[]), svg);
    let five = ["plot", "run", "--out=b.svg", "--smooth=5"];
    sandbox.run(&five).fails(2, &["run, seed 0", "there are 4", "--smooth 4 or less"]);
    let episodes = plot(&sandbox, &["run"], &["--smooth=10", "--episodes"]);
    assert!(episodes.contains("trailing mean of 10 episodes"), "{episodes}");
}

#[test]
fn options_of_another_kind_of_picture_are_refused() {
    let sandbox = Sandbox::with_run();
    for (kind, option) in [
        ("profile", "--smooth=2"),
        ("efficiency", "--center=iqm"),
        ("intervals", "--log-x"),
        ("improvement", "--y-limits=0,1"),
        ("profile", "--episodes"),
    ] {
        let name = option.split('=').next().unwrap();
        let call = ["plot", "run", "--out=b.svg", "--kind", kind, option];
        sandbox.run(&call).fails(2, &[name, "is for --kind curves"]);
    }
}
