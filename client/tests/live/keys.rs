//! `sealane keys`, from the question who needs a key to its answer "nobody".

mod audit;
mod decode;
mod reencrypt;
mod reset;
mod scene;
