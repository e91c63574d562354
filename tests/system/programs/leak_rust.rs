//! The leaks of leaker.c in Rust, in a module and a generic function of its own: leak_rust ROUNDS.
mod shop {
    /// std::hint::black_box, which Rust has since 1.66 (Debian 12: 1.63): a volatile read is not left out.
    fn kept<T>(value: T) -> T {
        let value = std::mem::ManuallyDrop::new(value);
        unsafe { std::ptr::read_volatile(&*value) }
    }

    pub struct Order {
        pub bytes: Vec<u8>,
    }

    #[inline(never)]
    pub fn leak_order(size: usize) {
        let order = Order { bytes: Vec::with_capacity(size) };
        std::mem::forget(kept(order));
    }

    #[inline(never)]
    pub fn give_back<T: Default + Clone>(count: usize) -> usize {
        kept(vec![T::default(); count]).len()
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
