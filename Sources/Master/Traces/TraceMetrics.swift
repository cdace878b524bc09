internal import Synchronization

/// Counts traces, in the names of Prometheus.
final class TraceMetrics: Sendable {
    private struct Counts {
        var sent = 0
        var dropped = 0
        var retries = 0
        var waiting = 0
    }

    private let counts = Mutex(Counts())

    /// Counts traces that a collector has.
    func send(_ count: Int) { counts.withLock { $0.sent += count } }

    /// Counts traces that no collector will have.
    func drop(_ count: Int) { counts.withLock { $0.dropped += count } }

    /// Counts a request that is made again.
    func retry() { counts.withLock { $0.retries += 1 } }

    /// Says how many wait to be sent.
    func wait(_ count: Int) { counts.withLock { $0.waiting = count } }

    /// Writes the figures.
    func write(to text: inout MetricsText) {
        let counts = counts.withLock { $0 }
        text.begin("danube_traces_sent_total", .counter, "Traces of jobs that were sent.")
        text.add([], Double(counts.sent))
        text.begin("danube_traces_dropped_total", .counter, "Traces of jobs that were given up.")
        text.add([], Double(counts.dropped))
        text.begin(
            "danube_traces_retries_total", .counter, "Requests for traces that were made again.")
        text.add([], Double(counts.retries))
        text.gauge(
            "danube_traces_queue_size", "Jobs whose traces wait to be sent.", Int64(counts.waiting))
    }
}
