/// Pseudo-random numbers that a seed gives again (SplitMix64, Steele, Lea, Flood 2014).
struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 to `limit` - 1; 0 when there is none.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? Int(next() % UInt64(limit)) : 0 }

    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
}
