// A C++ library of exchange rates, as it may lie below any Rust crate.

#include <map>
#include <vector>

using Rates = std::map<int, std::vector<double>>;

static Rates load() {
    Rates rates;
    for (int year = 1924; year < 2024; ++year)
        rates[year] = std::vector<double>(20000, year / 1000.0);
    return rates;
}

// ANCHOR: rate
extern "C" double rate(int year, int index) {
    // Made by the first call. `exit` destroys it, whoever may be in here then.
    static const Rates rates = load();
    return rates.at(year)[index];
}
// ANCHOR_END: rate
