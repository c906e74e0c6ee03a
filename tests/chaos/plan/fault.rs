//! The kinds of faults, and how bad each may be.

use std::{fmt, time::Duration};

use super::WORKERS;
use crate::chance::Chance;

/// Something that goes wrong, whole: who, how much, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// SIGKILL, and a new worker after a while.
    KillWorker { worker: usize, back_after: Duration },
    /// SIGTERM, and a new worker at once.
    StopWorker { worker: usize },
    /// SIGKILL of the Temporal server, and a new one on the same database and port.
    KillServer { back_after: Duration },
    /// A worker's connections are reset, and new ones too, for a while.
    CutLine { worker: usize, lasting: Duration },
    /// Nothing passes on a worker's connections, which stand.
    HoldLine { worker: usize, lasting: Duration },
    /// Everything takes its time, in both directions.
    SlowLine {
        worker: usize,
        delay: Duration,
        lasting: Duration,
    },
    /// A new key, by `sealane keys rotate` or by somebody else.
    RotateKey { by_command: bool },
    /// The vault is gone.
    LoseVault { outage: Outage, lasting: Duration },
    /// The vault answers every request with this status.
    RefuseByVault { status: u16, lasting: Duration },
    /// The gateway does not do what the next requests ask.
    RefuseRequests { trouble: Trouble, requests: u32 },
    /// The gateway does what the next requests ask, and nobody hears of it.
    LoseAnswers { trouble: Trouble, requests: u32 },
    /// Nobody listens at the gateway's address.
    CloseGateway { lasting: Duration },
    /// A worker's clock is off by so many seconds, then right again.
    SetClock {
        worker: usize,
        seconds: i64,
        lasting: Duration,
    },
    /// What is written to the key file stops in the middle, as on a full disk.
    FillDisk {
        kept_percent: u64,
        lasting: Duration,
    },
    /// A worker gets no more memory than it has.
    LimitMemory { worker: usize },
}

/// How the vault is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outage {
    /// Connections are refused.
    Refused,
    /// Connections are reset.
    Reset,
    /// Connections are never answered.
    Silent,
}

/// How a request to the gateway goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// 500 before anything was done.
    Fails,
    /// Done, then 500.
    IsLost,
    /// Done, then an answer that is none.
    IsGarbled,
    /// 429, later.
    IsThrottled,
    /// 503, later.
    IsShed,
}

/// What a fault happens to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Target {
    /// The process of a worker.
    Worker(usize),
    /// The line between a worker and the server.
    Line(usize),
    /// The clock of a worker.
    Clock(usize),
    /// The Temporal server.
    Server,
    /// The secret with the keys.
    Keys,
    /// The way to the vault.
    Vault,
    /// The gateway.
    Gateway,
    /// The file of the worker that has one.
    KeyFile,
}

impl Fault {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 15;

    /// Returns a fault of each kind.
    pub(super) fn one_of_each(chance: &mut Chance) -> Vec<Self> {
        (0..Self::KINDS)
            .map(|kind| Self::of(kind, chance))
            .collect()
    }

    /// Returns a fault of any kind.
    pub(super) fn any(chance: &mut Chance) -> Self {
        let kind = chance.index(Self::KINDS);
        Self::of(kind, chance)
    }

    fn of(kind: usize, chance: &mut Chance) -> Self {
        let worker = chance.index(WORKERS);
        match kind {
            0 => Self::KillWorker {
                worker,
                back_after: chance.millis(0, 3000),
            },
            1 => Self::StopWorker { worker },
            2 => Self::KillServer {
                back_after: chance.millis(0, 2500),
            },
            3 => Self::CutLine {
                worker,
                lasting: chance.millis(0, 4000),
            },
            // Up to more than the heartbeat timeout of shipping, so that one parcel is packed by two workers.
            4 => Self::HoldLine {
                worker,
                lasting: chance.millis(1000, 8000),
            },
            5 => Self::SlowLine {
                worker,
                delay: chance.millis(20, 250),
                lasting: chance.millis(2000, 6000),
            },
            6 => Self::RotateKey {
                by_command: chance.below(2) == 0,
            },
            kind => Self::of_the_rest(kind, worker, chance),
        }
    }

    fn of_the_rest(kind: usize, worker: usize, chance: &mut Chance) -> Self {
        match kind {
            // Up to more than the activation delay, so that a new key encrypts before everybody has it.
            7 => Self::LoseVault {
                outage: chance.pick(&[Outage::Refused, Outage::Reset, Outage::Silent]),
                lasting: chance.millis(1000, 8000),
            },
            8 => Self::RefuseByVault {
                status: chance.pick(&[429, 500, 503]),
                lasting: chance.millis(1000, 8000),
            },
            9 => Self::RefuseRequests {
                trouble: chance.pick(&[Trouble::Fails, Trouble::IsThrottled, Trouble::IsShed]),
                requests: requests(chance),
            },
            10 => Self::LoseAnswers {
                trouble: chance.pick(&[Trouble::IsLost, Trouble::IsGarbled]),
                requests: requests(chance),
            },
            11 => Self::CloseGateway {
                lasting: chance.millis(500, 3000),
            },
            12 => Self::SetClock {
                worker,
                seconds: chance.pick(&[-1, 1])
                    * i64::try_from(chance.between(120, 3600)).expect("an hour"),
                lasting: chance.millis(3000, 8000),
            },
            13 => Self::FillDisk {
                kept_percent: chance.between(0, 99),
                lasting: chance.millis(2000, 8000),
            },
            _ => Self::LimitMemory { worker },
        }
    }

    /// Returns what it happens to.
    pub(crate) fn target(&self) -> Target {
        match *self {
            Self::KillWorker { worker, .. }
            | Self::StopWorker { worker }
            | Self::LimitMemory { worker } => Target::Worker(worker),
            Self::CutLine { worker, .. }
            | Self::HoldLine { worker, .. }
            | Self::SlowLine { worker, .. } => Target::Line(worker),
            Self::SetClock { worker, .. } => Target::Clock(worker),
            Self::KillServer { .. } => Target::Server,
            Self::RotateKey { .. } => Target::Keys,
            Self::LoseVault { .. } | Self::RefuseByVault { .. } => Target::Vault,
            Self::RefuseRequests { .. } | Self::LoseAnswers { .. } | Self::CloseGateway { .. } => {
                Target::Gateway
            }
            Self::FillDisk { .. } => Target::KeyFile,
        }
    }

    /// Returns which worker it ends, if it ends one.
    pub(super) fn ends_worker(&mut self) -> Option<&mut usize> {
        match self {
            Self::KillWorker { worker, .. }
            | Self::StopWorker { worker }
            | Self::LimitMemory { worker } => Some(worker),
            _ => None,
        }
    }

    /// Returns what kind it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::KillWorker { .. } => "worker killed",
            Self::StopWorker { .. } => "worker stopped",
            Self::KillServer { .. } => "server killed",
            Self::CutLine { .. } => "connection cut",
            Self::HoldLine { .. } => "connection held",
            Self::SlowLine { .. } => "connection slow",
            Self::RotateKey { .. } => "key rotated",
            Self::LoseVault { .. } => "vault gone",
            Self::RefuseByVault { .. } => "vault refuses",
            Self::RefuseRequests { .. } => "requests refused",
            Self::LoseAnswers { .. } => "answers lost",
            Self::CloseGateway { .. } => "gateway gone",
            Self::SetClock { .. } => "clock off",
            Self::FillDisk { .. } => "key file cut short",
            Self::LimitMemory { .. } => "memory limited",
        }
    }
}

/// How many requests a gateway gets wrong.
fn requests(chance: &mut Chance) -> u32 {
    u32::try_from(chance.between(5, 40)).expect("at most 40")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::KillWorker { worker, back_after } => {
                write!(f, ": {worker}, the next one after {back_after:?}")
            }
            Self::StopWorker { worker } | Self::LimitMemory { worker } => write!(f, ": {worker}"),
            Self::KillServer { back_after } => write!(f, ", the next one after {back_after:?}"),
            Self::CutLine { worker, lasting } | Self::HoldLine { worker, lasting } => {
                write!(f, ": {worker}, for {lasting:?}")
            }
            Self::SlowLine {
                worker,
                delay,
                lasting,
            } => write!(f, ": {worker}, by {delay:?}, for {lasting:?}"),
            Self::RotateKey { by_command: true } => f.write_str(" by `sealane keys rotate`"),
            Self::RotateKey { by_command: false } => f.write_str(" by somebody else"),
            Self::LoseVault { outage, lasting } => write!(f, " ({outage:?}), for {lasting:?}"),
            Self::RefuseByVault { status, lasting } => {
                write!(f, " with {status}, for {lasting:?}")
            }
            Self::RefuseRequests { trouble, requests }
            | Self::LoseAnswers { trouble, requests } => {
                write!(f, ": each of {requests} requests {trouble:?}")
            }
            Self::CloseGateway { lasting } => write!(f, ", for {lasting:?}"),
            Self::SetClock {
                worker,
                seconds,
                lasting,
            } => write!(f, ": {worker}, by {seconds:+} s, for {lasting:?}"),
            Self::FillDisk {
                kept_percent,
                lasting,
            } => write!(f, " after {kept_percent} % of it, for {lasting:?}"),
        }
    }
}
