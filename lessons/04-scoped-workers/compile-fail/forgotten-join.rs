use std::thread;

fn main() {
    let sales = vec![7, 9, 4];
    thread::spawn(|| add_up(&sales));
}

fn add_up(sales: &[u32]) {
    println!("my total is {}", sales.iter().sum::<u32>());
}
