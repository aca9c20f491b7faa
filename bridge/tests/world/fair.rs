//! What happens when nothing goes wrong any more: everything has to come to its end. What is late then is lost.

use super::play::{Action, Budget, Event, Setup, SourceHost, State};
use super::{Entry, Record, SourceRing};

impl State {
    /// Goes on without further faults until everything is delivered and over. A state of which `known` says so is known to end well.
    ///
    /// # Errors
    /// It does not end, or a claim does not hold on the way.
    pub fn finish(&mut self, setup: &Setup, mut known: impl FnMut(&Self) -> bool) -> Result<(), String> {
        self.late.clear();
        self.budget = Budget { restarts: u32::MAX, ..Budget::default() };
        let rings = self.sources.iter().flat_map(|host| &host.rings);
        let unwritten: usize = self.sources.iter().map(|host| host.unwritten.len()).sum();
        let records = unwritten + rings.map(|ring| ring.records.len()).sum::<usize>();
        let mut timers = 0;
        for _ in 0..200 + 100 * records + 10 * (self.down.len() + self.up.len()) {
            self.check(setup)?;
            if self.is_over() {
                return self.check_delivered();
            }
            if known(self) {
                return Ok(());
            }
            let mut events = Vec::new();
            self.events(&mut events);
            // (The list has all that waits for nothing first.)
            let soon = events.iter().find(|event| !self.takes_time(**event)).copied();
            let event = soon.or_else(|| {
                timers += 1;
                events.get(timers % events.len().max(1)).copied()
            });
            let Some(event) = event else { return Err("nothing can happen any more".into()) };
            self.happens(Action { event, kill: None }, setup);
        }
        Err("it does not end".into())
    }

    fn is_over(&self) -> bool {
        let sources = self.sources.iter().all(SourceHost::is_over);
        let ring = self.sink.rings.last().expect("a ring");
        sources && !self.leaves() && (ring.removed || ring.released == ring.entries.len()) && self.sink.reader_lives
    }

    fn check_delivered(&self) -> Result<(), String> {
        let received: Vec<Entry> =
            self.sink.rings.iter().flat_map(|ring| &ring.entries[..ring.released]).copied().collect();
        let mut ended = 0;
        for (at, host) in self.sources.iter().enumerate() {
            let records = host.rings.iter().flat_map(|ring| &ring.records);
            let has = |record: &Record| match *record {
                Record::Message(wanted) => {
                    received.iter().any(|entry| matches!(entry, Entry::Message { number, .. } if *number == wanted))
                }
                Record::End => received.iter().any(|entry| matches!(entry, Entry::End { .. })),
            };
            let messages = records.filter(|record| matches!(record, Record::Message(_)));
            if !host.left_for_another() {
                ended += 1;
                // Of a machine that was restarted, what the receiver had.
                let had = |ring| self.had.iter().filter(move |had| (had.0, had.1) == (at, ring)).map(|had| had.2).max();
                let due = |(number, ring): (usize, &SourceRing)| {
                    if ring.lost { had(number).unwrap_or(0) } else { ring.records.len() }
                };
                let rings = host.rings.iter().enumerate();
                let mut records = rings.flat_map(|(number, ring)| &ring.records[..due((number, ring))]);
                if let Some(lost) = records.find(|record| !has(record)) {
                    return Err(format!("{lost:?} is lost"));
                }
            } else if let Some(stray) = messages.into_iter().find(|record| has(record)) {
                return Err(format!("{stray:?} of a refused stream was carried"));
            }
        }
        if ended > 0 { Ok(()) } else { Err("every stream was refused".into()) }
    }

    fn takes_time(&self, event: Event) -> bool {
        match event {
            Event::SenderTimer(_) | Event::ReceiverTimer => true,
            // A sender that was refused comes again after a while.
            Event::SenderStarts(host) => self.sources[host].left_for_another(),
            _ => false,
        }
    }
}
