//! What `single_threaded` reaches. Alone in its file, as the setting is the process's.
#![cfg(feature = "torch")]

use std::sync::mpsc::channel;

use gymnast_core::init::{Fans, Init};
use gymnast_core::nn::ParametersBuilder;
use gymnast_core::threads::{single_threaded, single_threaded_at_first_use};

#[test]
fn reaches_this_thread_and_new_ones_but_no_older_one() {
    let ((go, wait), (ready, started)) = (channel(), channel());
    let older = std::thread::spawn(move || {
        let before = tch::get_num_threads();
        ready.send(()).expect("the test waits");
        let () = wait.recv().expect("the test goes on");
        let kept = tch::get_num_threads();
        single_threaded();
        (before, kept, tch::get_num_threads())
    });
    started.recv().expect("the thread starts");
    single_threaded();
    assert_eq!(tch::get_num_threads(), 1);
    assert_eq!(std::thread::spawn(tch::get_num_threads).join().expect("no panic"), 1);
    go.send(()).expect("the thread waits");
    let (before, kept, after) = older.join().expect("no panic");
    assert_eq!((kept, after), (before, 1));

    // In a new thread, at the first use of a parameter as a tensor, and not before.
    single_threaded_at_first_use();
    let new = std::thread::spawn(move || {
        tch::set_num_threads(before + 1);
        let kept = tch::get_num_threads();
        let fans = Fans { fan_in: 1, fan_out: 1 };
        let parameter = ParametersBuilder::new().parameter(&[1], Init::Zeros, fans).expect("one");
        let _ = parameter.tensor();
        (kept, tch::get_num_threads())
    });
    assert_eq!(new.join().expect("no panic"), (before + 1, 1));
}
