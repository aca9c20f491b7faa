//! Gathering: a reader that is at the writer's heels holds back a little.
//!
//! Where the reader polls the very line that the writer is filling, every
//! message costs both of them the line's way from one core to the other, several
//! times; a little behind, records come by the line. So a reader that keeps
//! meeting an empty flag, and only for moments, pauses before it looks again,
//! longer and longer while that pays, and rarely where it does not.

use crate::sync;

/// Dry spells that end within so many looks are moments. (Three are enough between
/// cores that share a cache; between those that do not, a line takes longer.)
const MOMENT: u32 = 12;
/// So many moments in a row, at first, make a reader pause.
const PATIENT: u32 = 8;
const MOST_PATIENT: u32 = 4096;
/// Pauses before the next look.
const SHORTEST: u32 = 16;
const LONGEST: u32 = 256;
/// Messages that have to have gathered meanwhile.
const WORTH_IT: u32 = 4;

/// How a reader gathers.
#[derive(Debug, Clone)]
pub(super) struct Gather {
    on: bool,
    moments: u32,
    patience: u32,
    pauses: u32,
    /// Messages since it paused last; `None`: it has not.
    gathered: Option<u32>,
}

impl Gather {
    pub(super) fn new(on: bool) -> Self {
        Self { on: on && !cfg!(model), moments: 0, patience: PATIENT, pauses: SHORTEST, gathered: None }
    }

    /// A message was taken.
    #[inline(always)]
    pub(super) fn took(&mut self) {
        if let Some(gathered) = &mut self.gathered {
            *gathered = gathered.saturating_add(1);
        }
    }

    /// There was no message at the first look.
    #[inline]
    pub(super) fn dry(&mut self) {
        match self.gathered.take() {
            Some(WORTH_IT..) => {
                self.pauses = (self.pauses * 2).min(LONGEST);
                self.patience = (self.patience / 2).max(PATIENT);
            }
            Some(_) => {
                self.pauses = SHORTEST;
                self.patience = (self.patience * 2).min(MOST_PATIENT);
                self.moments = 0;
            }
            None => {}
        }
        if self.on && self.moments >= self.patience {
            for _ in 0..self.pauses {
                sync::spin_loop();
            }
            self.gathered = Some(0);
        }
    }

    /// There was one at last, after so many looks in vain.
    #[inline]
    pub(super) fn ended(&mut self, looks: u32) {
        self.moments = if looks <= MOMENT { self.moments.saturating_add(1) } else { 0 };
    }
}
