internal import Synchronization

/// Counts how long the dispatcher takes to decide what runs next: from when a job came, ended or
/// was let go, until all that may run then has been begun.
final class DecisionMetrics: Sendable {
    private struct State {
        /// How many took no longer than the bound of the same place; the last has none.
        var buckets = [Int](repeating: 0, count: DecisionMetrics.bounds.count + 1)
        var sum = Duration.zero
    }

    private let state = Mutex(State())

    /// Microseconds: the greatest of each class but the last.
    static let bounds: [Int64] = [
        50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000,
    ]

    /// Counts a decision that began at a point and is made now.
    func count(since begun: ContinuousClock.Instant) {
        let taken = ContinuousClock.now - begun
        let index = Self.bounds.firstIndex { taken <= .microseconds($0) } ?? Self.bounds.count
        state.withLock { state in
            state.buckets[index] += 1
            state.sum += taken
        }
    }

    /// Writes the histogram.
    func write(to text: inout MetricsText) {
        let state = state.withLock { $0 }
        text.begin(
            "danube_scheduler_decision_seconds", .histogram,
            "How long it took to decide what runs next.")
        var sum = 0
        for (index, count) in state.buckets.enumerated() {
            sum += count
            let bound =
                index < Self.bounds.count ? "\(Double(Self.bounds[index]) / 1_000_000)" : "+Inf"
            text.add([("le", bound)], Double(sum), suffix: "_bucket")
        }
        text.add([], state.sum / .seconds(1), suffix: "_sum")
        text.add([], Double(sum), suffix: "_count")
    }
}
