//! A message: its writer's number, its own, and bytes that follow from the two.

/// The longest one: a ring of 64 KiB carries it.
pub(crate) const LONGEST: usize = 12 << 10;

/// Which message: number `.1` of writer number `.0`.
pub(crate) type Name = (u64, u64);

/// The bytes of a message: of every length, short ones often.
pub(crate) fn bytes((writer, number): Name, into: &mut Vec<u8>) {
    let mut random = fastrand::Rng::with_seed(writer << 40 ^ number);
    let scale = random.u32(0..=LONGEST.ilog2());
    let len = random.usize(0..1 << scale);
    into.clear();
    into.extend_from_slice(&writer.to_le_bytes());
    into.extend_from_slice(&number.to_le_bytes());
    into.resize(16 + len, 0);
    random.fill(&mut into[16..]);
}

/// Which one these bytes say that they are.
pub(crate) fn name(bytes: &[u8]) -> Option<Name> {
    let (writer, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*writer), u64::from_le_bytes(*rest.first_chunk()?)))
}
