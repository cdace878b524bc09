/// Lengths of time as a person reads them.
enum Elapsed {
    /// How long something took: `3ms`, `430ms`, `12.3s`, `1m04s`, `1h02m`.
    static func text(_ nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds == 0 { return nanoseconds == 0 ? "0ms" : "<1ms" }
        return milliseconds < 1000 ? "\(milliseconds)ms" : running(nanoseconds)
    }

    /// How long something has been going on: tenths of seconds, then seconds.
    static func running(_ nanoseconds: UInt64) -> String {
        let tenths = nanoseconds / 100_000_000
        if tenths < 600 { return "\(tenths / 10).\(tenths % 10)s" }
        return whole(nanoseconds)
    }

    /// About how long something will take.
    static func estimate(_ nanoseconds: UInt64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        // Nobody believes the last digit.
        if seconds >= 60 { return whole((seconds + 2) / 5 * 5 * 1_000_000_000) }
        if seconds >= 10 { return "\(seconds)s" }
        return nanoseconds < 950_000_000 ? "<1s" : "\((nanoseconds + 500_000_000) / 1_000_000_000)s"
    }

    private static func whole(_ nanoseconds: UInt64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m\(twoDigits(seconds % 60))s" }
        return "\(seconds / 3600)h\(twoDigits(seconds / 60 % 60))m"
    }

    private static func twoDigits(_ number: UInt64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
