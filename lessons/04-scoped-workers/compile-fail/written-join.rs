use std::{panic, thread};

fn main() {
    let sales = vec![7, 9, 4];
    let worker = thread::spawn(|| add_up(&sales));
    match worker.join() {
        Ok(()) => {}
        Err(payload) => panic::resume_unwind(payload),
    }
}

fn add_up(sales: &[u32]) {
    println!("my total is {}", sales.iter().sum::<u32>());
}
