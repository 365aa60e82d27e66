//! What a step cost this process, as the system counts it.

use std::time::Instant;

use serde::Serialize;

/// Ticks of proc(5).
const TICKS_A_SECOND: f64 = 100.0;

/// What this process used so far.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    at: Instant,
    ticks: u32,
}

/// What a step cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StepCost {
    /// Seconds on the clock.
    pub seconds: f64,
    /// CPU seconds of all threads; 0 where the system does not tell.
    pub cpu_seconds: f64,
}

impl StepCost {
    /// What steps cost together.
    pub fn sum<'s>(steps: impl Iterator<Item = &'s Self>) -> Self {
        let sum = steps.fold(Self::default(), |sum, step| Self {
            seconds: sum.seconds + step.seconds,
            cpu_seconds: sum.cpu_seconds + step.cpu_seconds,
        });
        // Whole ticks, without what binary fractions leave behind them.
        Self { cpu_seconds: (sum.cpu_seconds * TICKS_A_SECOND).round() / TICKS_A_SECOND, ..sum }
    }
}

impl Cpu {
    /// Reads the counters.
    pub fn now() -> Self {
        Self { at: Instant::now(), ticks: ticks().unwrap_or(0) }
    }

    /// The cost since then.
    pub fn cost(self) -> StepCost {
        let now = Self::now();
        StepCost {
            seconds: now.at.duration_since(self.at).as_secs_f64(),
            cpu_seconds: f64::from(now.ticks.saturating_sub(self.ticks)) / TICKS_A_SECOND,
        }
    }

    /// Most memory this process ever held, in bytes.
    pub fn peak_memory() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib << 10)
    }
}

/// User and system time.
fn ticks() -> Option<u32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |at: usize| fields.get(at)?.parse::<u32>().ok();
    field(11)?.checked_add(field(12)?)
}
