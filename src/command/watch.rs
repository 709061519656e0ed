//! `gymnast watch`: an episode in the terminal.
