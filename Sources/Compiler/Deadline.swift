internal import CSandbox

/// When a compilation has to be over, on the monotonic clock.
///
/// The evaluator is killed then; what it recorded may also have been made to be slow to merge, so
/// the work after it looks at the same clock.
struct Deadline {
    private let end: Int64
    private var ticks = 0

    /// So long from now.
    init(after duration: Duration) {
        let parts = duration.components
        end = danube_now() + parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    /// Nanoseconds that are left; not positive when it has passed.
    var left: Int64 { end - danube_now() }

    /// Whether it has passed, looked up once in a while only. For inner loops.
    mutating func hasPassed() -> Bool {
        ticks &+= 1
        return ticks & 0xFF == 0 && left <= 0
    }
}
