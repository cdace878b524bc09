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
        return Self.format(parts, "T", milliseconds)
    }

    /// `2026-11-24 22:08:40` in the time zone of the user.
    package var local: String {
        var seconds = time_t(floor: microseconds, 1_000_000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "?" }
        return Self.format(parts, " ", nil)
    }

    /// Milliseconds within the second.
    package var milliseconds: Int {
        Int(((microseconds % 1_000_000) + 1_000_000) % 1_000_000 / 1000)
    }

    /// Written digit by digit: lists of jobs have thousands of them.
    private static func format(
        _ parts: tm, _ middle: Unicode.Scalar, _ milliseconds: Int?
    ) -> String {
        let year = Int(parts.tm_year) + 1900
        let prefix = year / 10_000 == 0 ? "" : String(year / 10_000)
        return prefix
            + String(unsafeUninitializedCapacity: 24) { buffer in
                var count = 0
                func put(_ number: Int, _ width: Int, _ separator: Unicode.Scalar?) {
                    var rest = abs(number)
                    for place in stride(from: count + width - 1, through: count, by: -1) {
                        buffer[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                        rest /= 10
                    }
                    count += width
                    guard let separator else { return }
                    buffer[count] = UInt8(ascii: separator)
                    count += 1
                }
                put(year % 10_000, 4, "-")
                put(Int(parts.tm_mon) + 1, 2, "-")
                put(Int(parts.tm_mday), 2, middle)
                put(Int(parts.tm_hour), 2, ":")
                put(Int(parts.tm_min), 2, ":")
                put(Int(parts.tm_sec), 2, milliseconds == nil ? nil : ".")
                if let milliseconds { put(milliseconds, 3, "Z") }
                return count
            }
    }
}

extension time_t {
    fileprivate init(floor number: Int64, _ divisor: Int64) {
        let quotient = number / divisor
        self = time_t(number % divisor < 0 ? quotient - 1 : quotient)
    }
}
