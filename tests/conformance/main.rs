//! One suite for every backend and both layouts: the numbered contract B1 to B11
//! of the traits, and the protocol on top of it. Each case is a test of its own
//! for each backend, and where it holds for both layouts, for each of them; a new
//! backend joins by a `Harness` and one line at the end.
#![cfg(not(model))]

mod both;
mod classic;
#[path = "../common/mod.rs"]
mod common;
mod contract;
mod fleeting;
#[path = "../fuzzed/mod.rs"]
mod fuzzed;
mod ring;
mod scripted;
mod session;

use common::{Harness, InProcess, SystemV, soon};
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use shm_handoff::backend::memory::slot::{AnySlot, Flag};
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::inside::slot::flag::EMPTY;
use shm_handoff::sync::Ordering;
use std::time::Instant;

fn guest<H: Harness>(place: &H) -> H::Backend {
    H::Backend::open(place.address(), Role::Guest).unwrap()
}

/// Puts a number where everybody sees it; relaxed, so that it orders nothing.
fn put<B: Backend>(backend: &B, number: u32) {
    match backend.layout() {
        Layout::Slot => backend.slot().flag.store(number, Ordering::Relaxed),
        Layout::Declared => backend.declared().flag().store(number, Ordering::Relaxed),
        Layout::Ring { .. } => backend.ring().released().store(number.into(), Ordering::Relaxed),
    }
}

/// What was put there last; 0 in new memory.
fn got<B: Backend>(backend: &B) -> u32 {
    match backend.layout() {
        Layout::Slot => backend.slot().flag.load(Ordering::Relaxed),
        Layout::Declared => backend.declared().flag().load(Ordering::Relaxed),
        Layout::Ring { .. } => backend.ring().released().load(Ordering::Relaxed).try_into().unwrap(),
    }
}

/// Whether a message lies where the first one goes, not released.
fn holds_first_message<B: Backend>(backend: &B) -> bool {
    match backend.layout() {
        Layout::Slot => backend.slot().flag.load(Ordering::Acquire) != EMPTY,
        Layout::Declared => {
            let slot = backend.declared();
            slot.flag().load(Ordering::Acquire) != slot.empty()
        }
        Layout::Ring { .. } => {
            let ring = backend.ring();
            ring.flag(0).load(Ordering::Acquire) != 0 && ring.released().load(Ordering::Relaxed) == 0
        }
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let limit = soon();
    while !done() {
        assert!(Instant::now() < limit, "never came to: {what}");
        std::thread::yield_now();
    }
}

/// Each case as a test, in a fresh place.
macro_rules! conforms {
    ($place:expr; $($module:ident: $($case:ident)*;)*) => {
        $($(
            #[test]
            fn $case() {
                crate::$module::$case(&$place);
            }
        )*)*
    };
}

/// What holds for both layouts, and what holds for one.
macro_rules! suite {
    ($place:expr; $($module:ident: $($case:ident)*;)*) => {
        conforms! { $place;
            contract:
                b3_one_handle_a_seat
                b3_a_seat_after_detaching
                b4_what_a_leaver_wrote_is_seen
                b5_a_dropped_writer_failed
                b5_a_newcomer_does_not_inherit_a_failure
                b6_the_status_tells_the_truth
                b7_sleep_is_bounded
                b8_removed_memory_stays_usable;
            both:
                messages_in_order
                texts_of_every_short_length
                a_small_buffer_releases_nothing
                a_peek_releases_nothing
                end_session_removes_and_does_not_release
                trying_does_not_wait
                a_deadline_ends_either_wait
                the_hook_interrupts_either_wait
                a_reader_that_left_is_noticed
                a_dropped_writers_message_comes_first
                leaving_in_order_ends_nothing
                a_successor_comes_behind
                a_reader_drains_removed_memory
                a_stranded_message_is_sent_again_once
                close_sends_a_stranded_message_again
                recover_moves_to_new_memory
                an_end_on_removed_memory_was_received
                a_kept_end_leaves_the_memory_to_the_next_session
                what_is_sent_plainly_arrives
                flushed_and_closed;
            session:
                received_up_to_the_end
                lent_up_to_the_end
                no_end_is_ended_before_it_comes
                peeked_one_behind_the_other
                a_look_for_the_end_changes_nothing
                what_was_peeked_at_is_waited_for_once
                a_writer_goes_on_with_the_next_reader;
            $($module: $($case)*;)*
        }
    };
}

macro_rules! classic {
    ($($backend:ident: $harness:ty;)*) => {
        $(mod $backend { suite! { <$harness as crate::Harness>::fresh();
            contract:
                b1_one_memory_for_all_handles
                b2_flag_and_text_apart_and_untouched;
            classic:
                empty_and_longest_text
                what_cannot_be_carried_changes_nothing
                any_flag_but_zero_is_a_message
                received_into_the_callers_own
                no_first_publish_without_a_reader
                a_guest_is_waited_for_and_then_served
                a_foreign_writer_that_left_is_noticed
                a_message_found_proves_no_peer
                flush_can_be_cut_short_and_tried_again
                what_the_hook_said_holds_on_new_memory
                what_is_removed_twice_keeps_its_order
                a_foreign_peer_is_forgotten_on_new_memory
                a_slot_is_no_ring;
        }})*
    };
}

macro_rules! ring {
    ($($backend:ident: $harness:ty;)*) => {
        $(mod $backend { suite! { <$harness as crate::Harness>::ring(crate::SMALLEST);
            contract:
                b9_one_ring_for_all_handles
                b9_words_apart_and_untouched
                b10_park_returns_unless_the_word_is_set
                b10_unpark_wakes_who_is_parked
                b10_unpark_says_whether_anybody_slept
                b10_no_wake_is_lost;
            ring:
                a_ring_is_no_slot
                a_message_waits_for_its_reader
                the_longest_is_a_quarter
                a_batch_is_one_publish
                a_reservation_is_patched_byte_by_byte
                a_record_that_can_not_be_is_taken_by_nobody
                a_batch_that_gets_stuck_says_how_far_it_came
                a_successor_begins_with_what_was_not_released
                nothing_comes_behind_an_end
                an_end_is_peeked_at_and_not_received
                messages_up_to_the_end
                a_sleeping_reader_is_woken
                a_sleeping_writer_is_woken
                what_is_removed_twice_keeps_its_order
                coalescing_changes_no_message
                a_reader_that_leaves_gives_back
                a_record_may_end_at_the_wrap
                who_has_nothing_to_take_along_makes_no_memory
                a_parked_word_without_a_sleeper_tells_of_a_removal
                released_up_to_a_cursor
                a_cursor_of_removed_memory_releases_nothing
                a_cursor_from_before_a_new_start_releases_nothing
                who_closes_in_the_middle_has_met_no_end
                an_end_that_nobody_met_comes_again
                an_end_that_was_released_is_in_nobodys_way;
        }})*
    };
}

classic! {
    inproc: crate::InProcess;
    sysv: crate::SystemV;
}

ring! {
    inproc_ring: crate::InProcess;
    sysv_ring: crate::SystemV;
}

/// The same slot in another struct.
mod sysv_declared {
    suite! { crate::SystemV::declared(); }
}

mod sysv_alone {
    conforms! { <crate::SystemV as crate::Harness>::fresh();
        classic: text_without_a_nul_is_all_of_it;
    }
}

/// Rings that are smaller than processes can have.
mod small_rings {
    macro_rules! small {
        ($($name:ident: $capacity:literal;)*) => {
            $(mod $name { conforms! { crate::InProcess(shm_handoff::backend::inproc::Channel::ring($capacity));
                ring: hardly_a_look_before_each_sleep;
            }})*
        };
    }
    small! {
        of_1_kib: 1024;
        of_2_kib: 2048;
        of_4_kib: 4096;
    }
}
