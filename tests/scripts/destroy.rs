//! `infra/scripts/destroy`: how it goes, when it refuses, and what it says when programs fail.

mod broken;
mod estate;
mod order;
mod refusals;
