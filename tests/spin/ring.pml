/* Publishing and parking on the ring, for SPIN: see docs/verification.md, claims F. `ci/spin.sh` runs it.
 *
 * It is a transcription of the Rust source, step by step. A comment that begins with `=` names the line that the step
 * behind it stands for: file, function, and the line's text. `ci/spin.sh --map` holds these against the source, and looks
 * whether an atomic operation of the three files is named by none of them.
 *
 * The idea is that of the SPIN models of liburcu (Mathieu Desnoyers: the futex wake-up, and memory barriers that are sent
 * as signals or IPIs to running threads), with one variable for what a side has stored and one for what others see of it,
 * and bugs to switch on. No line of them is here.
 *
 * SPIN itself is sequentially consistent, so the memory is modelled: what a side stores lies in its buffer first, and
 * gets from there to the memory at any time, in any order but that of one cell and that of a Release store. A fence
 * drains the side's own buffer, an IPI that of the other side.
 *
 * What a run sets:
 *   UNITS    of the ring; a record takes one, and the flag behind the last record is kept free
 *   DEPTH    of a store buffer
 *   HEAVY    0: the kernel refuses heavy fences; 1: it makes them; 2: it does either, anew each time
 *   REACH    1: both sides are registered for heavy fences; 2: each process is, or is not
 *   BOUNDED  1: a sleep ends by itself
 *   SWITCHES 1: the scheduler takes the processor from a side at any time, and gives it back
 *   KILLS    so many times a side is killed, at any moment, also both; ANY: no limit. HEIRS 1: another one takes its seat
 *   FENCELESS 1: no fence does anything
 *   BUG_...  one thing is left out, or done wrong
 */

#ifndef UNITS
#define UNITS 3
#endif
#ifndef DEPTH
#define DEPTH 3
#endif
#ifndef HEAVY
#define HEAVY 1
#endif
#ifndef REACH
#define REACH 1
#endif
#ifndef BOUNDED
#define BOUNDED 0
#endif
#ifndef SWITCHES
#define SWITCHES 0
#endif
#ifndef KILLS
#define KILLS 0
#endif
#define ANY 9
#ifndef HEIRS
#define HEIRS 1
#endif
#ifndef FENCELESS
#define FENCELESS 0
#endif

/* What can be left out or done wrong. The fences first, by their names in `src/orders.rs`. */
#define NOTHING 0
/* The bug of a step that has none. */
#define NEVER 255
#define FENCE_PUBLISHED 1
#define FENCE_GIVEN_BACK 2
#define FENCE_WRITER_SLEEPS 3
#define FENCE_READER_SLEEPS 4
#define FENCE_WRITER_COMES 5
#define FENCE_READER_COMES 6
#define RING_PUBLISH 7
#define LIGHT_PUBLISHED 8
#define LIGHT_GIVEN_BACK 9
#define NO_IPI_BY_WRITER 10
#define NO_IPI_BY_READER 11
#define SWITCH_WITHOUT_FENCE 12
#define BELIEVED_THOUGH_NOT_REACHED 13
#define WRITER_KEEPS_ITS_WORD 14
#define READER_KEEPS_ITS_WORD 15
#define NO_BOUND_FOR_THE_NEXT 16
#define WRITER_COMES_SILENTLY 17
#define READER_COMES_SILENTLY 18
#define WORD_OF_THE_DEAD 19
#define NOT_CLEARED_BEHIND 20
#define NOT_GIVEN_BACK_WHEN_DRY 21
#define NOT_NOTED 22
#define NO_LAST_LOOK 23
#define NO_STATUS 24
#define NO_WAKE_BY_WRITER 25
#define NO_WAKE_BY_READER 26
#ifndef BUG
#define BUG NOTHING
#endif

#define W 0
#define R 1

/* Two laps of positions: what is left of another lap differs from what belongs there. */
#define POSITIONS (2 * UNITS)
#define NEXT(p) (((p) + 1) % POSITIONS)
#define DISTANCE(from, to) (((to) + POSITIONS - (from)) % POSITIONS)

/* The cells of the memory. */
#define FLAG(p) ((p) % UNITS)
#define BYTES(p) (UNITS + (p) % UNITS)
#define HEAD (2 * UNITS)
#define RELEASED (HEAD + 1)
#define PARKED(side) (HEAD + 2 + side)
#define FENCES(side) (HEAD + 4 + side)
#define CELLS (HEAD + 6)

#define RELAXED 0
#define RELEASE 1

typedef Buffer {
    byte n;
    byte cell[DEPTH];
    byte value[DEPTH];
    bit order[DEPTH]
}

byte memory[CELLS];
Buffer buffer[2];

/* Of the kernel. */
bit asleep[2];
bit running[2] = 1;
bit reached[2] = 1;
bit dead[2];
bit retired = (KILLS == 0);
#if KILLS > 0 && KILLS < ANY
byte deaths;
#endif

/* What has happened, for the checks: which side has ended its work; how many messages were published and received; whether
 * the writer waits for room; whether a word was taken back, and its side has not slept since. */
bit done[2];
byte sent;
byte got;
bit wants_room;
bit late[2];

hidden byte k;

/* One store of a side's buffer gets to the memory. Within a step, as the next two. */
inline commit(side, which) {
    memory[buffer[side].cell[which]] = buffer[side].value[which];
    k = which;
    do
    :: k + 1 < buffer[side].n ->
        buffer[side].cell[k] = buffer[side].cell[k + 1];
        buffer[side].value[k] = buffer[side].value[k + 1];
        buffer[side].order[k] = buffer[side].order[k + 1];
        k++
    :: else -> break
    od;
    buffer[side].cell[k] = 0;
    buffer[side].value[k] = 0;
    buffer[side].order[k] = 0;
    buffer[side].n--
}

/* All of them do. */
inline drain(side) {
    do
    :: buffer[side].n > 0 -> commit(side, 0)
    :: else -> break
    od
}

inline drain_unless(side, bug) {
    if
    :: BUG == bug
    :: else -> drain(side)
    fi
}

/* A side sees its own last store, also before others do. */
inline load(side, at, into) {
    d_step {
        into = memory[at];
        k = 0;
        do
        :: k < buffer[side].n ->
            if
            :: buffer[side].cell[k] == at -> into = buffer[side].value[k]
            :: else
            fi;
            k++
        :: else -> break
        od
    }
}

/* A buffer that is full has to give something up first. */
inline append(side, at, what, ordered) {
    buffer[side].n < DEPTH ->
    buffer[side].cell[buffer[side].n] = at;
    buffer[side].value[buffer[side].n] = what;
    buffer[side].order[buffer[side].n] = ordered;
    buffer[side].n++
}

inline store(side, at, what) {
    d_step { append(side, at, what, RELAXED) }
}

/* The older stores to the same cell come first, and all older ones before a Release store. */
#define FREE(side, i, others) (buffer[side].n > i && !buffer[side].order[i] others)
#define APART(side, i, j) && buffer[side].cell[i] != buffer[side].cell[j]

proctype stores(bit side) {
    do
    :: d_step { buffer[side].n > 0 -> commit(side, 0) }
#if DEPTH > 1
    :: d_step { FREE(side, 1, APART(side, 1, 0)) -> commit(side, 1) }
#endif
#if DEPTH > 2
    :: d_step { FREE(side, 2, APART(side, 2, 0) APART(side, 2, 1)) -> commit(side, 2) }
#endif
#if DEPTH > 3
    :: d_step { FREE(side, 3, APART(side, 3, 0) APART(side, 3, 1) APART(side, 3, 2)) -> commit(side, 3) }
#endif
    od
}

/* What a thread has stored is there before it is taken from its processor. One that sleeps, or has ended, does not run. */
inline take_off(side) {
    d_step { running[side] && !asleep[side] && !done[side] -> drain_unless(side, SWITCH_WITHOUT_FENCE); running[side] = 0 }
}

proctype scheduler() {
    do
    :: take_off(W)
    :: take_off(R)
    :: !running[W] -> running[W] = 1
    :: !running[R] -> running[R] = 1
    od
}

/* A SIGKILL. What was stored is there before the kernel gives the seat back. */
inline kill(side) {
#if KILLS < ANY
    d_step { !dead[side] && deaths < KILLS -> drain(side); dead[side] = 1; asleep[side] = 0; done[side] = 0; deaths++ }
#else
    d_step { !dead[side] -> drain(side); dead[side] = 1; asleep[side] = 0; done[side] = 0 }
#endif
}

#if KILLS
proctype killer() {
    do
    :: kill(W)
    :: kill(R)
    :: retired = 1 -> break
    od
}
#endif

/* A fence of the table. */
inline barrier(side, name) {
#if !FENCELESS
    d_step { drain_unless(side, name) }
#else
    skip
#endif
}

/* membarrier: a full fence of the caller, then one of the other side if it runs and is registered; or nothing at all. */
/* = src/backend/sysv/kernel/linux.rs heavy_fence: "membarrier(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED)" */
inline heavy_fence(side, peer, no_ipi) {
    if
#if HEAVY != 1
    :: could = 0
#endif
#if HEAVY != 0
    :: d_step { drain(side); could = 1 };
       d_step {
        if
        :: running[peer] && reached[peer] -> drain_unless(peer, no_ipi)
        :: else
        fi
       }
#endif
    fi
}

/* FUTEX_WAIT: the look at the word and falling asleep are one step for FUTEX_WAKE. A sleep whose side has taken its word
 * back just now may end by its bound in any run: then what the other side had stored before is there. */
/* = src/backend/sysv/kernel/linux.rs futex_wait: "unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const limit) };" */
inline futex_wait(side, peer) {
    d_step { drain(side); asleep[side] = (memory[PARKED(side)] == 1); slept = asleep[side] };
    if
    :: !slept
    :: d_step { slept && !asleep[side] -> slept = 0; late[side] = 0 }
#if BOUNDED
    :: d_step { asleep[side] -> asleep[side] = 0; slept = 0; late[side] = 0 }
#elif BUG != NO_BOUND_FOR_THE_NEXT
    :: d_step { asleep[side] && late[side] -> drain(peer); asleep[side] = 0; slept = 0; late[side] = 0 }
#endif
    fi
}

/* FUTEX_WAKE has a full fence before it looks for sleepers. */
/* = src/backend/sysv/kernel/linux.rs futex_wake: "unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) > 0 }" */
inline futex_wake(side, peer, not) {
    d_step {
        drain(side);
        if
        :: BUG == not
        :: else -> asleep[peer] = 0
        fi
    }
}

/* Of the side that has stored what the other may wait for: whether that one is to be woken. */
inline is_awaited(side, peer, without) {
    /* = src/protocol/ring/event.rs is_awaited: "(Some(order), Some(seen)) if seen.load(RELAXED) == 1 => compiler_fence(order)," */
    /* = src/backend/memory/ring.rs reader_fences: "Some(PeerFences { word: word!(self, READER_PEER_FENCES_AT, AtomicU32), seen: Some(self.reader_fences) })" */
    /* = src/backend/memory/ring.rs writer_fences: "Some(PeerFences { word, seen: Some(if self.reached == 1 { word } else { &NOT_REACHED }) })" */
    load(side, FENCES(peer), word);
    if
    :: word && (reached[side] || BUG == BELIEVED_THOUGH_NOT_REACHED)
    /* = src/protocol/ring/event.rs full_fence: "barrier(fence);" */
    /* = src/protocol/ring/event.rs is_awaited: "(fence, _) => full_fence(fence)," */
    :: else -> barrier(side, without)
    fi;
    /* = src/protocol/ring/event.rs is_awaited: "self.parked.load(RELAXED) != 0" */
    load(side, PARKED(peer), word)
}

inline wake(side, peer, not) {
    /* = src/protocol/ring/event.rs wake: "self.parked.store(0, RELAXED);" */
    store(side, PARKED(peer), 0);
    /* = src/protocol/ring/event.rs wake: "memory.unpark(self.parked)" */
    futex_wake(side, peer, not)
}

/* Of a side that is about to sleep. */
inline prepare(side, peer, no_ipi, keeps, without) {
    /* = src/protocol/ring/event.rs prepare: "self.parked.store(1, RELAXED);" */
    store(side, PARKED(side), 1);
    /* = src/protocol/ring/event.rs prepare: "&& !memory.heavy_fence()" */
    heavy_fence(side, peer, no_ipi);
    if
    :: could -> could = 0
    :: else ->
        d_step { late[side] = late[side] || promised; promised = 0 };
        if
        /* = src/protocol/ring/event.rs prepare: "fences.word.store(0, RELAXED);" */
        :: BUG != keeps -> store(side, FENCES(side), 0)
        :: else
        fi
    fi;
    /* = src/protocol/ring/event.rs prepare: "barrier(fence);" */
    barrier(side, without)
}

inline park(side, peer, idle) {
    if
    /* = src/protocol/ring/event.rs park: "memory.park(self.parked, longest);" */
    /* = src/backend/sysv/mod.rs park: "None => kernel::futex_wait(parked, 1, longest)," */
    :: idle -> futex_wait(side, peer)
    :: else
    fi;
    /* = src/protocol/ring/event.rs park: "self.parked.store(0, RELAXED);" */
    store(side, PARKED(side), 0)
}

/* Of a side that comes. What the last holder of its seat had promised may be seen for a while. */
inline announce(side, peer, no_ipi) {
    heavy_fence(side, peer, no_ipi);
    /* = src/protocol/ring/event.rs announce: "fences.word.store(memory.heavy_fence().into(), RELAXED);" */
    d_step {
        append(side, FENCES(side), (could || (BUG == WORD_OF_THE_DEAD && memory[FENCES(side)])), RELAXED);
        late[side] = late[side] || (memory[FENCES(side)] && !could);
        promised = could;
        could = 0
    }
}

/* A process of its own for each holder of the seat: it is registered for heavy fences, or not. */
/* = src/backend/sysv/segment.rs attach_with: "let (reachable, attached_by) = (kernel::be_fenced(), Home::here());" */
/* = src/backend/memory/ring.rs from_raw: "reached: reached.into()," */
/* = src/backend/memory/ring.rs from_raw: "if reached {" */
inline come(side) {
    if
    :: reached[side] = 1
#if REACH != 1
    :: reached[side] = 0
#endif
    fi
}

inline forget() {
    word = 0; early = 0; flag = 0; could = 0; promised = 0; slept = 0
}

#if SWITCHES
#define ON_A_PROCESSOR(side) provided (running[side])
#else
#define ON_A_PROCESSOR(side)
#endif

proctype writer() ON_A_PROCESSOR(W) {
    byte head, tail;
    bit word, early, flag, could, promised, slept;
comes:
    {
        come(W);
        /* = src/protocol/ring/consumer.rs standing: "let head = ring.head().load(RELAXED);" */
        load(W, HEAD, head);
        tail = head;
        do
        :: 
            /* = src/protocol/ring/producer.rs attach: "while let Some(record) = peek(ring, tail)? {" */
            /* = src/protocol/ring/consumer.rs look: "ring.flag(position).load(orders().ring_peek)" */
            load(W, FLAG(tail), flag);
            if
            :: flag -> tail = NEXT(tail); assert(DISTANCE(head, tail) < UNITS)
            :: else -> break
            fi
        od;
        assert(tail == sent);
        /* = src/protocol/ring/producer.rs attach: "barrier(orders().fence_writer_comes);" */
        barrier(W, FENCE_WRITER_COMES);
        /* = src/protocol/ring/producer.rs attach: "Event::of_writer(ring).announce(memory);" */
        announce(W, R, NO_IPI_BY_WRITER);
        /* = src/protocol/ring/producer.rs attach: "Event::of_reader(ring).wake(memory);" */
#if BUG != WRITER_COMES_SILENTLY
        wake(W, R, NEVER);
#endif
        do
        :: done[W] = 1; false
        :: skip;
            /* = src/protocol/ring/producer.rs fits: "distance(self.head, self.tail) + wide(skipped + size + 8) <= wide(ring.capacity())" */
            do
            :: DISTANCE(head, tail) + 2 <= UNITS -> break
            :: else ->
                wants_room = 1;
                /* = src/protocol/endpoint/writer/room.rs wait_for_room: "if is_met && self.core.has_room(&self.memory, len)? && self.steps_back(len)? {" */
                /* = src/protocol/ring/producer.rs has_room: "let head = ring.head().load(orders().take_space);" */
                load(W, HEAD, head);
                if
                :: DISTANCE(head, tail) + 2 <= UNITS
                :: else ->
#if KILLS && !HEIRS && BUG != NO_STATUS
                    if
                    :: dead[R] ->
                        /* = src/protocol/endpoint/writer/room.rs wait_for_room: "if (is_met || self.has_met) && !self.core.has_room(&self.memory, len)? {" */
                        load(W, HEAD, head);
                        if
                        :: DISTANCE(head, tail) + 2 <= UNITS
                        /* = src/protocol/endpoint/writer/room.rs wait_for_room: "return Err(SendError::ReaderGone);" */
                        :: else -> d_step { done[W] = 1; wants_room = 0 }; false
                        fi
                    :: else
                    fi;
#endif
                    /* = src/protocol/endpoint/writer/room.rs wait_for_room: "self.core.park(&self.memory, len, longest.min(left))?;" */
                    /* = src/protocol/ring/producer.rs park: "event.prepare(memory, orders().fence_writer_sleeps);" */
                    prepare(W, R, NO_IPI_BY_WRITER, WRITER_KEEPS_ITS_WORD, FENCE_WRITER_SLEEPS);
                    /* = src/protocol/ring/producer.rs park: "let room = self.has_room(memory, len);" */
                    load(W, HEAD, head);
                    /* = src/protocol/ring/producer.rs park: "event.park(memory, room == Ok(false), longest);" */
                    park(W, R, DISTANCE(head, tail) + 2 > UNITS)
                fi
            od;
            wants_room = 0;
            /* = src/protocol/ring/producer.rs clear_behind: "ring.flag(at.wrapping_add(wide(size))).store(0, RELAXED);" */
#if BUG != NOT_CLEARED_BEHIND
            store(W, FLAG(NEXT(tail)), 0);
#endif
            /* = src/protocol/ring/producer.rs append_straight: "unsafe { ring.write_within(at, bytes) };" */
            store(W, BYTES(tail), tail);
#if BUG == LIGHT_PUBLISHED
            load(W, FENCES(R), word);
            load(W, PARKED(R), early);
            early = early || !word;
#endif
            /* = src/protocol/ring/producer.rs publish: "ring.flag(sealed.at).store(sealed.flag, orders().ring_publish);" */
            d_step { append(W, FLAG(tail), 1, (BUG != RING_PUBLISH)); tail = NEXT(tail); sent = NEXT(sent) };
            /* = src/protocol/ring/producer.rs publish: "if Event::of_reader(ring).is_awaited(orders().fence_published) {" */
            is_awaited(W, R, FENCE_PUBLISHED);
#if BUG == LIGHT_PUBLISHED
            d_step { word = word && early; early = 0 };
#endif
            if
            /* = src/protocol/ring/producer.rs wake: "self.in_doubt = !Event::of_reader(memory.ring()).wake(memory);" */
            :: word -> word = 0; wake(W, R, NO_WAKE_BY_WRITER)
            :: else
            fi
        od
    } unless { dead[W] };
    /* Another one takes the seat. */
#if HEIRS
    d_step { dead[W] = 0; forget(); head = 0; tail = 0; wants_room = 0 };
    goto comes
#endif
}

/* Gives back what was released. */
inline free() {
    if
    :: head == cursor
    :: else ->
        head = cursor;
#if BUG == LIGHT_GIVEN_BACK
        load(R, FENCES(W), word);
        load(R, PARKED(W), early);
        early = early || !word;
#endif
        /* = src/protocol/ring/consumer.rs free: "ring.head().store(self.released, orders().give_back);" */
        d_step { append(R, HEAD, head, RELEASE) };
        /* = src/protocol/ring/consumer.rs free: "if event.is_awaited(orders().fence_given_back) {" */
        is_awaited(R, W, FENCE_GIVEN_BACK);
#if BUG == LIGHT_GIVEN_BACK
        d_step { word = word && early; early = 0 };
#endif
        if
        /* = src/protocol/ring/consumer.rs free: "event.wake(memory);" */
        :: word -> word = 0; wake(R, W, NO_WAKE_BY_READER)
        :: else
        fi
    fi
}

proctype reader() ON_A_PROCESSOR(R) {
    byte head, cursor, bytes;
    bit word, early, flag, could, promised, slept, fresh;
comes:
    {
        come(R);
        load(R, HEAD, head);
        /* = src/protocol/ring/consumer.rs standing: "let released = ring.released().load(RELAXED);" */
        load(R, RELEASED, cursor);
        /* = src/protocol/ring/consumer.rs standing: "let released = if ahead <= wide(ring.capacity()) && released.is_multiple_of(8) { released } else { head };" */
        d_step {
            if
            :: DISTANCE(head, cursor) <= UNITS
            :: else -> cursor = head
            fi;
            fresh = 1
        };
        /* = src/protocol/ring/consumer.rs attach: "(self.head, self.released, self.cursor) = (head, released, released);" */
        /* = src/protocol/ring/consumer.rs attach: "barrier(orders().fence_reader_comes);" */
        barrier(R, FENCE_READER_COMES);
        /* = src/protocol/ring/consumer.rs attach: "Event::of_reader(ring).announce(memory);" */
        announce(R, W, NO_IPI_BY_READER);
        /* = src/protocol/ring/consumer.rs attach: "Event::of_writer(ring).wake(memory);" */
#if BUG != READER_COMES_SILENTLY
        wake(R, W, NEVER);
#endif
        do
        ::
            load(R, FLAG(cursor), flag);
            if
            :: flag
            :: else ->
                /* = src/protocol/ring/consumer.rs run_dry: "self.free(memory);" */
#if BUG != NOT_GIVEN_BACK_WHEN_DRY
                free();
#endif
                /* = src/protocol/ring/consumer.rs run_dry: "let found = self.poll(memory)?;" */
                load(R, FLAG(cursor), flag);
                do
                :: flag -> break
                :: else ->
#if KILLS && !HEIRS && BUG != NO_STATUS
                    if
                    :: dead[W] ->
                        /* = src/protocol/endpoint/reader/around.rs look_around: "let found = self.core.poll_last(&self.memory)?;" */
                        /* = src/protocol/ring/consumer.rs poll_last: "Event::of_reader(memory.ring()).prepare(memory, orders().fence_reader_sleeps);" */
                        prepare(R, W, NO_IPI_BY_READER, READER_KEEPS_ITS_WORD, FENCE_READER_SLEEPS);
#if BUG != NO_LAST_LOOK
                        load(R, FLAG(cursor), flag);
#endif
                        if
                        :: flag -> break
                        /* = src/protocol/endpoint/reader/around.rs look_around: "return Err(RecvError::WriterGone);" */
                        :: else -> done[R] = 1; assert(got == sent); false
                        fi
                    :: else
                    fi;
#endif
                    /* = src/protocol/endpoint/reader.rs await_record_slowly: "self.core.park(&self.memory, longest.min(left))?;" */
                    /* = src/protocol/ring/consumer.rs park: "let found = self.poll_last(memory);" */
                    prepare(R, W, NO_IPI_BY_READER, READER_KEEPS_ITS_WORD, FENCE_READER_SLEEPS);
                    load(R, FLAG(cursor), flag);
                    /* = src/protocol/ring/consumer.rs park: "Event::of_reader(memory.ring()).park(memory, found == Ok(None), longest);" */
                    park(R, W, !flag);
                    /* = src/protocol/endpoint/reader.rs await_record_slowly: "found = self.core.poll(&self.memory)?;" */
                    load(R, FLAG(cursor), flag)
                od
            fi;
            flag = 0;
            /* = src/protocol/ring/consumer.rs copy_straight: "unsafe { ring.read_within(at, bytes) };" */
            load(R, BYTES(cursor), bytes);
received:   d_step {
                /* Whole, and the next one; the first one of a successor can be the last one of its predecessor. */
                assert(bytes == cursor);
                if
                :: cursor == got -> assert(got != sent); got = NEXT(got)
                :: else -> assert(fresh && NEXT(cursor) == got)
                fi;
                bytes = 0;
                fresh = 0;
                cursor = NEXT(cursor)
            };
            /* = src/protocol/ring/consumer.rs note: "ring.released().store(end, RELAXED);" */
#if BUG != NOT_NOTED
            store(R, RELEASED, cursor);
#endif
            if
            /* = src/protocol/ring/consumer.rs release_to: "self.free(memory);" */
            :: free()
            :: skip
            fi
        od
    } unless { dead[R] };
#if HEIRS
    d_step { dead[R] = 0; forget(); head = 0; cursor = 0; bytes = 0; fresh = 0 };
    goto comes
#endif
}

/* What is left out, and where it is checked. */
/* left out = src/protocol/ring/consumer.rs peek_behind_a_jump: "match ring.flag(at).load(RELAXED) {" because all records are of one size: R1 to R3 */
/* left out = src/protocol/ring/producer.rs seal: "ring.flag(at).store(sealed.flag, RELAXED);" because all records are of one size: R1 to R3 */
/* left out = src/protocol/ring/producer.rs hold_back: "Some(_) => ring.flag(sealed.at).store(sealed.flag, RELAXED)," because records are published one by one: R9, R10 */
/* left out = src/protocol/ring/consumer.rs close: "memory.ring().closed().store(1, RELAXED);" because nobody ends the session: R18 to R26 */
/* left out = src/protocol/ring/producer.rs left: "let is_answered = record.kind == Kind::End && at == standing.released && ring.closed().load(RELAXED) == 1;" because nobody ends the session: R18 to R26 */

/* When nothing can happen any more: all that was sent was received, and nobody waits in vain. */
proctype judge() {
    timeout;
    assert(dead[R] || got == sent);
    assert(dead[W] || done[W])
}

init {
    atomic {
        run writer();
        run reader();
        run stores(W);
        run stores(R);
#if SWITCHES
        run scheduler();
#endif
#if KILLS
        run killer();
#endif
#ifndef LIVENESS
        run judge();
#endif
    }
}

#ifdef LIVENESS
ltl nobody_waits_forever {
    <> retired ->
        ([]<> (got == sent || reader@received || dead[R]) &&
         []<> (!wants_room || dead[W]) &&
         []<> (!dead[W] || dead[R] || done[R]))
}
#endif
