internal import Logging
internal import Synchronization

internal import struct Executor.Timestamp

/// Counts what the reaper did, in the names of Prometheus.
final class ReaperMetrics: Sendable {
    private struct State {
        var runs = 0
        var failures = 0
        var last: Timestamp?
        var removed: [ReapItem.Kind: ReapCount] = [:]
        /// Since the last run began.
        var now: [ReapItem.Kind: ReapCount] = [:]
    }

    private let state = Mutex(State())

    /// Counts what was removed.
    func count(_ kind: ReapItem.Kind, items: Int, bytes: Int64) {
        state.withLock { state in
            state.removed[kind, default: ReapCount()].add(items: items, bytes: bytes)
            state.now[kind, default: ReapCount()].add(items: items, bytes: bytes)
        }
    }

    /// A run has ended that began then.
    func ran(at time: Timestamp) {
        state.withLock { state in
            state.runs += 1
            state.last = time
        }
    }

    /// A run before this master began then.
    func remember(_ time: Timestamp) { state.withLock { $0.last = $0.last ?? time } }

    /// Something could not be removed.
    func failed() { state.withLock { $0.failures += 1 } }

    /// What was removed since this was asked last, for the log.
    var lastRun: Logger.Metadata {
        let removed = state.withLock { state in
            defer { state.now = [:] }
            return state.now
        }
        var metadata: Logger.Metadata = [:]
        for (kind, count) in removed where count.items > 0 {
            metadata[kind.rawValue] = "\(count.items)"
        }
        metadata["bytes"] = "\(removed.values.reduce(0) { $0 + $1.bytes })"
        return metadata
    }

    /// Writes the figures.
    func write(to text: inout MetricsText) {
        let state = state.withLock { $0 }
        text.begin("danube_reaper_runs_total", .counter, "Times that old things were removed.")
        text.add([], Double(state.runs))
        text.begin(
            "danube_reaper_failures_total", .counter, "Times that something could not be removed.")
        text.add([], Double(state.failures))
        text.begin(
            "danube_reaper_last_run_timestamp_seconds", .gauge,
            "When old things were removed last; 0 for never.")
        text.add([], Double(state.last?.sinceEpoch ?? 0) / 1000)
        text.begin("danube_reaper_removed_total", .counter, "Things that were removed.")
        for kind in ReapItem.Kind.allCases {
            text.add([("kind", kind.rawValue)], Double(state.removed[kind]?.items ?? 0))
        }
        text.begin(
            "danube_reaper_removed_bytes_total", .counter, "Bytes of what was removed.")
        for kind in ReapItem.Kind.allCases {
            text.add([("kind", kind.rawValue)], Double(state.removed[kind]?.bytes ?? 0))
        }
    }
}
