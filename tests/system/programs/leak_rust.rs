//! The leaks of leaker.c in Rust, in a module and a generic function of its own: leak_rust ROUNDS.
mod shop {
    pub struct Order {
        pub bytes: Vec<u8>,
    }

    #[inline(never)]
    pub fn leak_order(size: usize) {
        let order = Order { bytes: Vec::with_capacity(size) };
        std::mem::forget(std::hint::black_box(order));
    }

    #[inline(never)]
    pub fn give_back<T: Default + Clone>(count: usize) -> usize {
        std::hint::black_box(vec![T::default(); count]).len()
    }
}

fn main() {
    let rounds: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1);
    let mut given = 0;
    for _ in 0..rounds {
        shop::leak_order(3000);
        for _ in 0..4 {
            given += shop::give_back::<u64>(250);
        }
    }
    println!("leak_order {} {}\ngive_back {} 0", rounds * 3000, rounds * 3000, given * 8);
}
