//! Several inputs worked on at once, whose results are taken in the order of the inputs.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::EngineError;

/// Makes something of each input on up to `at_once` threads, and hands it to `take`, on this one, in the
/// inputs' order. Nobody makes the next before its last was taken, so that no more than `at_once` results
/// wait. The first error ends it.
pub(crate) fn in_order<'i, I: Sync, T: Send>(
    inputs: &'i [I],
    at_once: usize,
    make: impl Fn(&'i I) -> Result<T, EngineError> + Sync,
    mut take: impl FnMut(&'i I, T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let at_once = at_once.clamp(1, inputs.len().max(1));
    let make = &make;
    thread::scope(|scope| {
        let made = |first: usize| -> Receiver<Result<T, EngineError>> {
            let (sender, receiver) = sync_channel(0);
            scope.spawn(move || {
                for input in inputs.iter().skip(first).step_by(at_once) {
                    // Nobody takes any more after an error.
                    if sender.send(make(input)).is_err() {
                        return;
                    }
                }
            });
            receiver
        };
        let made: Vec<_> = (0..at_once).map(made).collect();
        for (input, made) in inputs.iter().zip(made.iter().cycle()) {
            // Without a result its thread has panicked, and so does the scope.
            let Ok(result) = made.recv() else { break };
            take(input, result?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_order_and_few_at_once() {
        let inputs: Vec<u64> = (0..40).collect();
        let (working, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let make = |input: &u64| {
            most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(input * 7 % 5));
            working.fetch_sub(1, Ordering::SeqCst);
            Ok(input * 2)
        };
        for at_once in [0, 1, 3, 100] {
            most.store(0, Ordering::SeqCst);
            let mut taken = Vec::new();
            let take = |input: &u64, result| {
                taken.push((*input, result));
                Ok(())
            };
            in_order(&inputs, at_once, make, take).expect("no error");
            assert_eq!(taken, inputs.iter().map(|input| (*input, input * 2)).collect::<Vec<_>>());
            assert!(most.load(Ordering::SeqCst) <= at_once.max(1));
        }
        in_order(&[], 2, make, |_, _| unreachable!()).expect("nothing to do");
    }

    #[test]
    fn the_first_error_ends_it() {
        let inputs: Vec<u64> = (0..1_000).collect();
        let made = AtomicUsize::new(0);
        let make = |input: &u64| {
            made.fetch_add(1, Ordering::SeqCst);
            if *input == 3 { Err(EngineError::Threads("three".to_owned())) } else { Ok(*input) }
        };
        let mut taken = 0;
        let ended = in_order(&inputs, 2, make, |_, _| {
            taken += 1;
            Ok(())
        });
        assert!(matches!(ended, Err(EngineError::Threads(_))));
        assert_eq!(taken, 3);
        assert!(made.load(Ordering::SeqCst) < 10);
    }
}
