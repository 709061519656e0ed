//! `gymnast watch`: an episode in the terminal, or as an animated GIF.

mod screen;

use std::{io::Write, path::PathBuf, process::ExitCode};

use gymnast_envs::{AutoresetMode, EnvSpec, Outcome, Seed, Space, VectorEnv, each_kind, with_kind};

use super::{
    CommandError, Names, StopOnInterrupt,
    numbers::whole,
    play::{self, Choose},
    run_dir,
};
use screen::{Picture, Screen};

/// Watch episodes of a trained agent or of random actions in the terminal
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    gymnast watch runs/q-learning-FrozenLake-v1\n  \
    gymnast watch CartPole-v1                              random actions\n  \
    gymnast watch runs/q-learning-Taxi-v4 --gif taxi.gif")]
pub(crate) struct Watch {
    /// A run's directory, the directory of one seed, or an environment
    what: PathBuf,
    /// Write an animated GIF to this file instead
    #[arg(long, value_name = "FILE")]
    gif: Option<PathBuf>,
    /// The seed of the episodes
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>(0..=u64::MAX), allow_negative_numbers = true)]
    seed: u64,
    /// The number of episodes
    #[arg(long, default_value_t = 1, value_parser = whole::<u32>(1..=10_000), allow_negative_numbers = true)]
    episodes: u32,
    /// Frames per second [default: 30 for pictures, 4 for text]
    #[arg(long, value_parser = whole::<u32>(1..=1000), allow_negative_numbers = true)]
    fps: Option<u32>,
    /// The maximum number of steps of an episode; 0 shows only its start
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = whole::<u64>(0..=u64::MAX), allow_negative_numbers = true)]
    max_steps: u64,
    /// Set an option of the environment; not for runs (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Overwrite an existing GIF
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(
    args: &Watch,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let is_gif = |path: &PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gif"));
    if let Some(path) = args.gif.as_ref().filter(|path| !is_gif(path)) {
        return Err(CommandError::usage(format!(
            "--gif {}: expected a file name that ends in .gif",
            path.display()
        )));
    }
    if let Some(path) = &args.gif {
        super::check_free(path, args.force)?;
    }
    let env = run_dir::run_or_env(&args.what, names)?;
    let mut screen = Screen::new(args.gif.as_deref(), args.fps, out);
    let interrupt = StopOnInterrupt::install();
    match env {
        None => watch_run(args, names, &mut screen)?,
        Some(spec) => watch_random(args, spec, &mut screen)?,
    }
    // An interrupt is the normal end of watching live; a GIF is complete or not written.
    if args.gif.is_some() && interrupt.requested() {
        return Ok(super::interrupted("no GIF was written"));
    }
    screen.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the greedy policy of the first seed selected.
fn watch_run(args: &Watch, names: &Names, screen: &mut Screen<'_>) -> Result<(), CommandError> {
    let (run, dir) = play::open(&args.what, &args.set, names)?;
    let title = format!("{} · {} · seed {}", run.agent.name, run.env.title(), dir.seed);
    let seed = Seed::new(args.seed);
    with_kind!(&run.task, (_, task) => {
        let agent = run_dir::load_agent(&run, task, &dir)?.agent;
        let envs = (task.eval_envs())(1, seed.child("watch", 0))?;
        show(args, &title, envs, play::greedy(&*agent, seed), screen)
    })
}

fn watch_random(args: &Watch, spec: &EnvSpec, screen: &mut Screen<'_>) -> Result<(), CommandError> {
    let (seed, options) = (Seed::new(args.seed), run_dir::options(spec.id(), &args.set)?);
    let title = format!("{} · random actions", spec.id());
    each_kind!(kind => if let Some(envs) = spec.vector(kind, 1, seed.child("watch", 0), &options) {
        let envs = envs?;
        let choose = play::random(seed, &*envs);
        return show(args, &title, envs, choose, screen);
    });
    Err(CommandError::failed(format!("{} supports no agent", spec.id())))
}

/// Plays the episodes in the first environment.
fn show<O: Space, A: Space>(
    args: &Watch,
    title: &str,
    mut envs: Box<dyn VectorEnv<O, A>>,
    mut choose: Choose<'_, O, A>,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    let interrupt = StopOnInterrupt::install();
    // So that the last state of an episode is shown before the next begins.
    envs.set_autoreset(AutoresetMode::Disabled);
    for episode in 1..=args.episodes {
        envs.reset()?;
        let (mut total, mut outcome) = (0.0, Outcome::Continues);
        for step in 0..=args.max_steps {
            let status = format!("{title} · episode {episode} · step {step} · return {total:.2}");
            let end = match outcome {
                Outcome::Continues if step == args.max_steps => " · stopped at --max-steps",
                Outcome::Continues => "",
                Outcome::Terminated => " · terminated",
                Outcome::Truncated => " · truncated",
            };
            let picture = Picture { text: &|| envs.render_ansi(0), frame: &|| envs.render_rgb(0) };
            screen.show(&format!("{status}{end}"), &picture)?;
            if !end.is_empty() || interrupt.requested() {
                break;
            }
            let action = choose(&envs.observations()[0])?;
            let experience = envs.step(&[action])?;
            total += experience.rewards[0];
            outcome = experience.outcomes[0];
        }
        if interrupt.requested() {
            break;
        }
    }
    Ok(())
}
