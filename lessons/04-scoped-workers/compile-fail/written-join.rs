use std::{panic, thread};

fn main() {
    let sales = vec![7, 9, 4];
    let worker = thread::spawn(|| add_up(&sales));
    worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
}

fn add_up(sales: &[u32]) {
    println!("my total is {}", sales.iter().sum::<u32>());
}
