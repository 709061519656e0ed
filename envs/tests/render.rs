//! Every registered environment as a picture and as text, and an episode of each as an animation.

use gymnast_envs::render::{Frame, half_blocks, save_gif};
use gymnast_envs::{EnvOptions, Registry};

/// The pictures of a reset and of up to `steps` random steps.
fn play(id: &str, steps: usize) -> Vec<Frame> {
    let registry = Registry::builtin();
    let mut env = registry.spec(id).unwrap().make(3, &EnvOptions::none()).unwrap();
    env.reset(None).unwrap();
    let mut frames = vec![env.render_rgb().unwrap()];
    for _ in 0..steps {
        let action = env.sample_action();
        let is_final = env.step(&action).unwrap().outcome.is_final();
        frames.push(env.render_rgb().unwrap());
        assert!(env.render_ansi().unwrap().ends_with('\n'), "{id}");
        if is_final {
            break;
        }
    }
    frames
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("gymnast-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn every_environment_gives_an_animation() {
    let folder = folder("render");
    for spec in Registry::builtin().iter() {
        let id = spec.id();
        let frames = play(id, 12);
        assert!(frames.len() > 1, "{id}");
        for frame in &frames {
            assert_eq!(frame.rgb.len(), 3 * frame.width * frame.height, "{id}");
            assert!(frame.rgb.chunks_exact(3).any(|rgb| rgb != &frame.rgb[..3]), "{id} is blank");
        }
        let path = folder.join(format!("{id}.gif"));
        save_gif(&frames, 30.0, &path).unwrap();
        let mut decoder = gif::DecodeOptions::new()
            .read_info(std::io::BufReader::new(std::fs::File::open(&path).unwrap()))
            .unwrap();
        let size = (usize::from(decoder.width()), usize::from(decoder.height()));
        assert_eq!(size, (frames[0].width, frames[0].height), "{id}");
        let mut count = 0;
        while decoder.read_next_frame().unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, frames.len(), "{id}");
        assert_eq!(half_blocks(&frames[0], 40).lines().next().unwrap().matches('▀').count(), 40);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The dynamics take any finite state, so the pictures must too.
#[test]
fn extreme_states_are_drawn_without_a_panic() {
    let states: [(&str, usize); 7] = [
        ("CartPole-v1", 4),
        ("CartPoleContinuous-v1", 4),
        ("Bandit-v0", 10),
        ("MountainCar-v0", 2),
        ("MountainCarContinuous-v0", 2),
        ("Pendulum-v1", 2),
        ("Acrobot-v1", 4),
    ];
    for (id, length) in states {
        for extreme in [0.0, 1e-300, -3.0, 1e6, -1e6, 1e300, f64::MAX] {
            let mut env = Registry::builtin().make(id, 0).unwrap();
            if env.set_state(&vec![extreme; length]).is_ok() {
                assert!(env.render_rgb().is_some() && env.render_ansi().is_some());
            }
        }
    }
}

#[test]
fn a_png_reads_back_pixel_by_pixel() {
    let folder = folder("png");
    let frame = play("Taxi-v4", 0).remove(0);
    let path = folder.join("taxi.png");
    frame.save_png(&path).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!((info.width as usize, info.height as usize), (frame.width, frame.height));
    assert_eq!(rgb, frame.rgb);
    let error = frame.save_png(folder.join("missing/taxi.png")).unwrap_err();
    assert!(error.to_string().contains("does not exist; create it first"), "{error}");
    let torn = Frame { rgb: vec![0; 5], ..frame };
    assert!(torn.to_png().unwrap_err().to_string().ends_with("got 5"));
    std::fs::remove_dir_all(folder).unwrap();
}
