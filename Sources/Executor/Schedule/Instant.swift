/// A moment on a monotonic clock, in nanoseconds since the clock's own beginning.
package struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's beginning.
    package var nanoseconds: UInt64
    /// A moment so long after the beginning of the clock.
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The moment so many milliseconds later; the clock's last moment when that is beyond it.
    package func advanced(milliseconds: UInt64) -> Instant {
        let (product, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isTooLate) = nanoseconds.addingReportingOverflow(product)
        return Instant(nanoseconds: isTooLong || isTooLate ? .max : sum)
    }

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
}
