internal import CFiles
internal import CSandbox
internal import Glibc

/// A point of civil time, to a microsecond. It is for people and records; order and durations of
/// what runs are measured with a clock that never jumps.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var microseconds: Int64

    /// A point by its distance from 1970.
    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// The time that the system's clock shows.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// The earlier one is less.
    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    /// How much later this is than another point; never negative.
    package func since(_ earlier: Timestamp) -> Duration {
        let (difference, overflow) = microseconds.subtractingReportingOverflow(earlier.microseconds)
        return .microseconds(overflow ? 0 : max(0, difference))
    }

    /// `2026-11-24T22:08:40.123Z` (RFC 3339), in UTC.
    package var utc: String {
        var seconds = time_t(floor: microseconds, 1_000_000)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "?" }
        return Self.format(parts, "T") + "." + Self.padded(milliseconds, 3) + "Z"
    }

    /// `2026-11-24 22:08:40` in the time zone of the user.
    package var local: String {
        var seconds = time_t(floor: microseconds, 1_000_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "?" }
        return Self.format(parts, " ")
    }

    /// Milliseconds within the second.
    package var milliseconds: Int {
        Int(((microseconds % 1_000_000) + 1_000_000) % 1_000_000 / 1000)
    }

    private static func format(_ parts: tm, _ middle: String) -> String {
        let date =
            [padded(Int(parts.tm_year) + 1900, 4)]
            + [Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { padded($0, 2) }
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
        return date.joined(separator: "-") + middle + clock.joined(separator: ":")
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension time_t {
    fileprivate init(floor number: Int64, _ divisor: Int64) {
        let quotient = number / divisor
        self = time_t(number % divisor < 0 ? quotient - 1 : quotient)
    }
}
