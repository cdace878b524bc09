internal import CFiles
internal import CSandbox
internal import Glibc

/// Nanoseconds of the monotonic clock, which no change of the date moves.
enum MonotonicClock {
    /// Nanoseconds since an arbitrary moment before the program began.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Nanoseconds since 1970, for people and for file times only.
    static func date() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
