//! The image and what is around it: the Dockerfile, what may enter a build, the workflows of GitHub; and, if asked for, the image itself,
//! built, looked into and played.
//!
//! What needs containers runs only with `SEALANE_IMAGE_TESTS` (docs/image.md), because it builds in release mode.

mod containers;
mod context;
mod dockerfile;
mod linters;
mod recipe;
mod repository;
mod rights;
mod workflow;
mod workflows;
