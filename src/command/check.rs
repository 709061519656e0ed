//! `gymnast check`: what an environment's author did wrong.
