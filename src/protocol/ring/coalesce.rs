//! Coalescing: a reader that is at the writer's heels holds back a little.
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
const AFTER_FEWEST: u32 = 8;
const AFTER_MOST: u32 = 4096;
/// Pauses before the next look.
const SHORTEST: u32 = 16;
const LONGEST: u32 = 256;
/// Messages that have to have come meanwhile.
const WORTH_IT: u32 = 4;

/// How a reader coalesces.
#[derive(Debug, Clone)]
pub(super) struct Coalescing {
    on: bool,
    moments: u32,
    after: u32,
    pauses: u32,
    /// Messages since it paused last; `None`: it has not.
    came: Option<u32>,
}

impl Coalescing {
    pub(super) fn new(on: bool) -> Self {
        Self { on: on && !cfg!(model), moments: 0, after: AFTER_FEWEST, pauses: SHORTEST, came: None }
    }

    /// It is of interest whether messages come.
    #[inline(always)]
    pub(super) fn counts(&self) -> bool {
        self.came.is_some_and(|came| came < WORTH_IT)
    }

    /// A message was taken.
    #[inline(always)]
    pub(super) fn took(&mut self) {
        if let Some(came) = &mut self.came {
            *came = came.saturating_add(1);
        }
    }

    /// There was no message at the first look.
    #[inline]
    pub(super) fn dry(&mut self) {
        match self.came.take() {
            Some(WORTH_IT..) => {
                self.pauses = (self.pauses * 2).min(LONGEST);
                self.after = (self.after / 2).max(AFTER_FEWEST);
            }
            Some(_) => {
                self.pauses = SHORTEST;
                self.after = (self.after * 2).min(AFTER_MOST);
                self.moments = 0;
            }
            None => {}
        }
        if self.on && self.moments >= self.after {
            for _ in 0..self.pauses {
                sync::spin_loop();
            }
            self.came = Some(0);
        }
    }

    /// There was one at last, after so many looks in vain.
    #[inline]
    pub(super) fn ended(&mut self, looks: u32) {
        self.moments = if looks <= MOMENT { self.moments.saturating_add(1) } else { 0 };
    }
}
