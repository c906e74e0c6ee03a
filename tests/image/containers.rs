//! The image itself: built, looked into, played. Only if asked for, and without a trace on the machine.

mod built;
mod contents;
mod gate;
mod instance;
mod layers;
mod local;
mod residue;
mod sandbox;
mod stage;
