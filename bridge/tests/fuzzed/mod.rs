//! What the fuzz target `frames` does (`fuzz/`, which needs nightly), and `tests/frames.rs` with the inputs that are kept: whatever the bytes
//! are, a frame is decoded or refused, without a panic and without more memory than the bytes take. What is understood has one encoding only.

use super::Frame;

pub(crate) fn frame(input: &[u8]) {
    let Ok(frame) = Frame::decode(input.to_vec()) else { return };
    if let Frame::Batch(batch) = &frame {
        let ends: Vec<u64> = batch.messages(0).map(|(position, _)| position).collect();
        for (count, end) in (1..).zip(ends) {
            assert_eq!(batch.up_to(end), Some(count));
        }
    }
    assert_eq!(frame.encode(), input);
}
