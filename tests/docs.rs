//! What stands on the pages of `cargo doc`.

use std::{env, fs, path::PathBuf};

use gymnast::Catalog;

/// The page of every agent that has settings of its own, by name.
fn agent_pages() -> Vec<(String, String)> {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let docs = PathBuf::from(target).join("doc");
    let mut pages = Vec::new();
    for part in ["gymnast_deep", "gymnast_tabular"] {
        let folder = docs.join(part);
        let entries = fs::read_dir(&folder).expect("`cargo doc --workspace --no-deps` was run");
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        for name in names {
            let agent = name.strip_prefix("struct.").and_then(|n| n.strip_suffix("Config.html"));
            let Some(agent) = agent else { continue };
            let page = ["struct", "type"].iter().find_map(|kind| {
                fs::read_to_string(folder.join(format!("{kind}.{agent}.html"))).ok()
            });
            pages.extend(page.map(|page| (agent.to_owned(), page)));
        }
    }
    pages
}

#[test]
#[ignore = "reads what `cargo doc --workspace --no-deps` wrote"]
fn an_agents_page_has_its_source_pseudocode_metrics_and_settings() {
    let pages = agent_pages();
    // Rainbow is DQN by another name.
    assert_eq!(pages.len(), Catalog::builtin().iter().count() - 1);
    for (agent, page) in pages {
        let settings = format!("struct.{agent}Config.html");
        for part in ["Source:", "<pre class=\"language-text", "Metrics", "Settings:", &settings] {
            assert!(page.contains(part), "the page of {agent} has no `{part}`");
        }
    }
}

/// `docs/architecture.md` answers "where is …" with a file each.
#[test]
fn the_files_that_the_architecture_names_are_there() {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let mut named = 0;
    for path in page.split('`').filter(|part| part.ends_with(".rs") && part.contains('/')) {
        assert!(fs::exists(path).unwrap(), "docs/architecture.md names {path}, which is not there");
        named += 1;
    }
    assert!(named >= 14, "only {named} files are named");
}
