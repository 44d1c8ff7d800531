//! Compiles the C++ library. Without a C++ compiler the program is built all the same, and says so.

fn main() {
    println!("cargo:rerun-if-changed=rates.cpp");
    println!("cargo:rustc-check-cfg=cfg(no_cpp)");
    let mut rates = cc::Build::new();
    if let Err(why) =
        rates.cpp(true).std("c++11").file("rates.cpp").try_compile("rates")
    {
        println!("cargo:rustc-cfg=no_cpp");
        println!("cargo:warning=heartbeat-cpp needs a C++ compiler: {why}");
    }
}
