//! Numbers that only look random: the same ones for the same seed, on every machine and with every release.

use std::time::Duration;

/// A stream of numbers, made by `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Returns the stream of `seed`.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a stream for one of many things, so that each has its own whatever the others draw.
    pub(crate) fn of_one(seed: u64, number: usize) -> Self {
        let mut apart = Self(seed ^ 0x5ea1_a4e0_5ea1_a4e0);
        let start = apart.next();
        Self(
            start
                .wrapping_add(number as u64)
                .wrapping_mul(0xd134_2543_de82_ef95),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, which is not 0. Its tiny bias matters to nobody here.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Returns a number from `least` to `most`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Returns a number of milliseconds from `least` to `most`.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(least, most))
    }

    /// Returns one of `all`, which are not none.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())]
    }

    /// Returns an index into something of this length, which is not 0.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a length")
    }

    /// Puts `all` into another order.
    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut chance = Chance::of(1);
        // Those of the reference implementation, <https://prng.di.unimi.it/splitmix64.c>.
        assert_eq!(
            [chance.next(), chance.next()],
            [0x910a_2dec_8902_5cc1, 0xbeeb_8da1_658e_ec67]
        );
    }

    #[test]
    fn things_draw_apart_from_each_other() {
        let draws: std::collections::BTreeSet<_> = (0..1000)
            .map(|number| Chance::of_one(7, number).next())
            .collect();
        assert_eq!(draws.len(), 1000);
    }
}
