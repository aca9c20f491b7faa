//! Messages that are values of a type.
//!
//! * P1: What is sent as a value arrives as that value, on every layout that can carry its bytes; where the
//!   layout can't, nothing is sent.
//! * P2: Whatever bytes are sent, they are received as a value exactly if they have the length of the type and are a
//!   value of it. Else the error is true, the message stays, and behind it the next one arrives.
//! * P3: So are several values as one message; where one of them is none, no value is handed out.
//! * P4: A value that was peeked at stays until it is released.
//! * P5: A value that is built in place arrives as it was built.

use crate::cases;
use crate::common::{Harness, InProcess, SystemV};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use shm_handoff::error::{Class, Mistyped, Unsendable};
use shm_handoff::zerocopy::{Immutable, IntoBytes, TryFromBytes};
use shm_handoff::{Core, Either, MaybeRing, Reader, RecvError, Ring, SendError, WaitPolicy, Writer};
use std::any::type_name;

#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoBytes, TryFromBytes, Immutable)]
#[zerocopy(crate = "shm_handoff::zerocopy")]
#[repr(u8)]
enum Side {
    Buy = 1,
    Sell = 2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoBytes, TryFromBytes, Immutable)]
#[zerocopy(crate = "shm_handoff::zerocopy")]
#[repr(C)]
struct Order {
    id: u32,
    side: Side,
    urgent: bool,
    lots: u16,
}

const SIZE: usize = size_of::<Order>();

/// The rule of the type once more, byte by byte.
fn order(bytes: &[u8]) -> Option<Order> {
    let bytes: [u8; SIZE] = bytes.try_into().ok()?;
    let side = match bytes[4] {
        1 => Side::Buy,
        2 => Side::Sell,
        _ => return None,
    };
    let urgent = match bytes[5] {
        0 => false,
        1 => true,
        _ => return None,
    };
    let id = u32::from_ne_bytes(bytes[..4].try_into().unwrap());
    Some(Order { id, side, urgent, lots: u16::from_ne_bytes(bytes[6..].try_into().unwrap()) })
}

fn any_order() -> impl Strategy<Value = Order> {
    (any::<u32>(), any::<bool>(), any::<bool>(), any::<u16>()).prop_map(|(id, buys, urgent, lots)| Order {
        id,
        side: if buys { Side::Buy } else { Side::Sell },
        urgent,
        lots,
    })
}

/// Bytes of an order, or nearly so.
fn near_order() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => any_order().prop_map(|order| order.as_bytes().to_vec()),
        4 => (any_order(), 0..SIZE, any::<u8>()).prop_map(|(order, at, byte)| {
            let mut bytes = order.as_bytes().to_vec();
            bytes[at] = byte;
            bytes
        }),
        1 => vec(any::<u8>(), 0..3 * SIZE),
    ]
}

/// Both sides at a place.
fn pair<H: Harness, L: Core>(place: &H) -> (Writer<H::Backend, L>, Reader<H::Backend, L>) {
    let reader = Reader::open(place.address()).unwrap();
    (Writer::open(place.address()).unwrap(), reader)
}

fn round_trip<B: Backend, L: Core>(
    writer: &mut Writer<B, L>,
    reader: &mut Reader<B, L>,
    order: Order,
    carried: bool,
) -> Result<(), TestCaseError> {
    let sent = writer.try_send_value(&order);
    if !carried {
        prop_assert!(matches!(sent, Err(SendError::Unsendable(_))), "{sent:?}");
        prop_assert_eq!(reader.try_recv_value::<Order>(), Err(RecvError::WouldBlock));
        return Ok(());
    }
    prop_assert_eq!(sent, Ok(()));
    let peeked = reader.peek_value_with::<Order>(&mut WaitPolicy::non_blocking()).unwrap().expect("no end");
    prop_assert_eq!(*peeked, order);
    prop_assert_eq!(reader.recv_value_with(&mut WaitPolicy::non_blocking()), Ok(Some(order)));
    writer.send_value_with(&order, &mut WaitPolicy::non_blocking()).unwrap();
    reader.peek_value_with::<Order>(&mut WaitPolicy::non_blocking()).unwrap().expect("no end").release();
    prop_assert_eq!(reader.try_recv_value::<Order>(), Err(RecvError::WouldBlock));
    Ok(())
}

fn in_place<B: Backend, L: MaybeRing>(
    writer: &mut Writer<B, L>,
    reader: &mut Reader<B, L>,
    order: Order,
) -> Result<(), TestCaseError> {
    let mut reserved = writer.reserve_value().unwrap();
    reserved.write(&Order { id: !order.id, ..order }); // it is not committed
    let mut reserved = writer.reserve_value().unwrap();
    reserved.write(&order);
    reserved.commit();
    let mut reserved = writer.reserve_value::<u64>().unwrap();
    // SAFETY: this thread alone is at work here.
    *unsafe { reserved.value() } = u64::from(order.id);
    reserved.commit();
    prop_assert_eq!(reader.try_recv_value(), Ok(Some(order)));
    prop_assert_eq!(reader.try_recv_value(), Ok(Some(u64::from(order.id))));
    Ok(())
}

/// What the reader must make of `bytes`, which are the first message; behind it is an order.
fn judge<B: Backend, L: Core>(
    reader: &mut Reader<B, L>,
    bytes: &[u8],
    behind: Option<Order>,
) -> Result<(), TestCaseError> {
    let (name, given) = (type_name::<Order>(), bytes.len());
    if let Some(expected) = order(bytes) {
        prop_assert_eq!(reader.try_recv_value(), Ok(Some(expected)));
    } else {
        let why = if given == SIZE {
            Mistyped::Invalid { name, at: 0 }
        } else {
            Mistyped::Length { name, given, needs: SIZE }
        };
        // It stays, however often it is asked for.
        for _ in 0..2 {
            prop_assert_eq!(reader.try_recv_value::<Order>(), Err(RecvError::Mistyped(why)));
            let peeked = reader.peek_value_with::<Order>(&mut WaitPolicy::non_blocking());
            prop_assert_eq!(peeked.map(drop), Err(RecvError::Mistyped(why)));
        }
        let message = reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap();
        prop_assert_eq!(message.text(), bytes);
        message.release();
    }
    prop_assert_eq!(reader.try_recv_value(), behind.map(Some).ok_or(RecvError::WouldBlock));
    Ok(())
}

/// As `judge`, of several orders as one message.
fn judge_values<B: Backend, L: Core>(reader: &mut Reader<B, L>, bytes: &[u8]) -> Result<(), TestCaseError> {
    let (name, given) = (type_name::<Order>(), bytes.len());
    let first = order(&[0, 0, 0, 0, 1, 1, 0, 0]).unwrap();
    let mut values = vec![first];
    let received = reader.recv_values_with(&mut values, &mut WaitPolicy::non_blocking());
    let orders: Vec<Option<Order>> = bytes.chunks(SIZE).map(order).collect();
    if !given.is_multiple_of(SIZE) {
        prop_assert_eq!(received, Err(RecvError::Mistyped(Mistyped::Uneven { name, given, needs: SIZE })));
    } else if let Some(at) = orders.iter().position(Option::is_none) {
        prop_assert_eq!(received, Err(RecvError::Mistyped(Mistyped::Invalid { name, at: at * SIZE })));
    } else {
        prop_assert_eq!(received, Ok(Some(orders.len())));
        let expected: Vec<Order> = std::iter::once(first).chain(orders.into_iter().flatten()).collect();
        prop_assert_eq!(values, expected);
        prop_assert_eq!(reader.try_recv_value::<Order>(), Err(RecvError::WouldBlock));
        return Ok(());
    }
    prop_assert_eq!(values, [first]);
    let message = reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap();
    prop_assert_eq!(message.text(), bytes);
    message.release();
    Ok(())
}

/// Whether a slot can carry these bytes as a text.
fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && !bytes.starts_with(b"end")
}

fn at_a_slot<H: Harness>(place: &H, orders: &[Order], bytes: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let (mut writer, mut reader) = pair::<H, Either>(place);
    for order in orders {
        round_trip(&mut writer, &mut reader, *order, is_text(order.as_bytes()))?;
    }
    for bytes in bytes.iter().filter(|bytes| is_text(bytes)) {
        writer.try_send(bytes).unwrap();
        judge(&mut reader, bytes, None)?;
        writer.try_send(bytes).unwrap();
        judge_values(&mut reader, bytes)?;
    }
    Ok(())
}

fn at_a_ring<H: Harness, L: MaybeRing>(place: &H, orders: &[Order], bytes: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let (mut writer, mut reader) = pair::<H, L>(place);
    for order in orders {
        round_trip(&mut writer, &mut reader, *order, true)?;
        in_place(&mut writer, &mut reader, *order)?;
        for bytes in bytes {
            writer.send_all(&[bytes, order.as_bytes()]).unwrap();
            judge(&mut reader, bytes, Some(*order))?;
        }
    }
    for message in [bytes.concat(), orders.as_bytes().to_vec()] {
        writer.send(&message).unwrap();
        judge_values(&mut reader, &message)?;
    }
    writer.send_value(orders).unwrap();
    judge_values(&mut reader, orders.as_bytes())
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn p1_to_p4_at_a_slot(orders in vec(any_order(), 0..4), bytes in vec(near_order(), 0..6)) {
        at_a_slot(&InProcess::fresh(), &orders, &bytes)?;
        at_a_slot(&SystemV::fresh(), &orders, &bytes)?;
        at_a_slot(&SystemV::declared(), &orders, &bytes)?;
    }

    #[test]
    fn p1_to_p5_at_a_ring(orders in vec(any_order(), 0..4), bytes in vec(near_order(), 0..6)) {
        at_a_ring::<_, Ring>(&InProcess::ring(SMALLEST), &orders, &bytes)?;
        at_a_ring::<_, Either>(&InProcess::ring(SMALLEST), &orders, &bytes)?;
        at_a_ring::<_, Either>(&SystemV::ring(SMALLEST), &orders, &bytes)?;
    }

    #[test]
    fn p1_to_p4_at_declared_data(orders in vec(any_order(), 0..4), bytes in vec(near_order(), 0..6)) {
        let place = SystemV::records(SIZE);
        let (mut writer, mut reader) = pair::<_, Either>(&place);
        for order in &orders {
            round_trip(&mut writer, &mut reader, *order, true)?;
        }
        for bytes in &bytes {
            if bytes.len() != SIZE {
                let why = Unsendable::NoRecord { given: bytes.len(), needs: SIZE };
                prop_assert_eq!(writer.send_value(&bytes[..]), Err(SendError::Unsendable(why)));
                continue;
            }
            writer.send(bytes).unwrap();
            judge(&mut reader, bytes, None)?;
            writer.send(bytes).unwrap();
            judge_values(&mut reader, bytes)?;
        }
    }
}

/// An end is no value, also of a type that could have its bytes.
fn ends<B: Backend>(writer: &mut Writer<B>, reader: &mut Reader<B>) {
    writer.end().unwrap();
    assert_eq!(reader.recv_value::<[u8; 4]>(), Ok(None));
    assert_eq!(reader.try_recv_value::<()>(), Ok(None));
    assert_eq!(reader.recv_values::<u8>(&mut Vec::new()), Ok(None));
    assert!(reader.peek_value::<[u8; 4]>().unwrap().is_none());
    assert_eq!(reader.end_session(), Ok(true));
}

#[test]
fn p1_an_end_is_no_value() {
    for place in [InProcess::fresh(), InProcess::ring(SMALLEST)] {
        let (mut writer, mut reader) = pair(&place);
        ends(&mut writer, &mut reader);
    }
    for place in [SystemV::fresh(), SystemV::ring(SMALLEST), SystemV::records(4)] {
        let (mut writer, mut reader) = pair(&place);
        ends(&mut writer, &mut reader);
    }
}

/// A value without bytes is a message without bytes, and no other message.
#[test]
fn p1_values_without_bytes() {
    let (mut writer, mut reader) = pair::<_, Either>(&InProcess::ring(SMALLEST));
    writer.send_value(&()).unwrap();
    writer.send_value::<[u32]>(&[]).unwrap();
    writer.reserve_value::<()>().unwrap().commit();
    writer.send(b"?").unwrap();
    assert_eq!(reader.recv_value(), Ok(Some(())));
    assert_eq!(reader.recv_values::<u32>(&mut Vec::new()), Ok(Some(0)));
    assert_eq!(reader.recv_value(), Ok(Some(())));
    let error = reader.recv_value::<()>().unwrap_err();
    assert_eq!(error, RecvError::Mistyped(Mistyped::Length { name: "()", given: 1, needs: 0 }));
    assert_eq!(error.class(), Class::Corrupt);
    assert_eq!(error.hint().as_deref(), Some("use the same type on both sides; `peek` and `release` skip the message"));
}

/// A value is longer than the layout can carry, or the type has another length than a record.
#[test]
fn p1_values_that_are_too_long() {
    let (mut writer, _reader) = pair::<_, Either>(&InProcess::ring(SMALLEST));
    let long = vec![1_u64; SMALLEST / 8];
    let most = writer.capacity();
    assert_eq!(writer.send_value(&long[..]), Err(SendError::Unsendable(Unsendable::TooLong { most })));
    assert_eq!(
        writer.reserve_value::<[u64; SMALLEST / 8]>().unwrap_err(),
        SendError::Unsendable(Unsendable::TooLong { most })
    );
}

/// Behind messages that were peeked at, a value is the first that was not released, as with `recv`.
#[test]
fn p2_the_first_that_was_not_released() {
    let (mut writer, mut reader) = pair::<_, Ring>(&InProcess::ring(SMALLEST));
    writer.send_value(&1_u32).unwrap();
    writer.send_value(&2_u32).unwrap();
    reader.peek_next(&mut WaitPolicy::forever()).unwrap();
    reader.peek_next(&mut WaitPolicy::forever()).unwrap();
    assert_eq!(reader.recv_value(), Ok(Some(1_u32)));
    assert_eq!(reader.try_peek_next().unwrap().unwrap().value(), Ok(2_u32));
    assert_eq!(
        reader.recv_value::<u64>(),
        Err(RecvError::Mistyped(Mistyped::Length { name: "u64", given: 4, needs: 8 }))
    );
    assert_eq!(reader.recv_value(), Ok(Some(2_u32)));
}
