internal import Synchronization

internal import struct Executor.Timestamp

/// Counts the jobs that ended since the master began, in the names of Prometheus.
final class JobMetrics: Sendable {
    private struct Key: Hashable {
        var pipeline: String
        var state: JobState
    }

    private struct State {
        var ended: [Key: Int] = [:]
        var pipelines: Set<String> = []
        /// How many were no longer than the bound of the same place; the last has none.
        var buckets = [Int](repeating: 0, count: JobMetrics.bounds.count + 1)
        var milliseconds: Int64 = 0
    }

    private let state = Mutex(State())

    /// More pipelines are counted as one: each has a line for every state.
    static let mostPipelines = 500
    static let otherPipelines = "(other)"
    private static let bounds: [Int64] = [
        100, 500, 1000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
        3_600_000, 7_200_000,
    ]

    /// Counts a job that has ended.
    func count(_ job: Job) {
        let milliseconds = job.ended.map { end in
            max(0, (end.microseconds - (job.started ?? end).microseconds) / 1000)
        }
        count(job.request.pipeline, job.state, milliseconds: milliseconds ?? 0)
    }

    /// Counts a job of a pipeline that ended in a state after running for so long.
    func count(_ pipeline: String, _ end: JobState, milliseconds: Int64) {
        state.withLock { state in
            var pipeline = pipeline
            if !state.pipelines.contains(pipeline) {
                if state.pipelines.count < Self.mostPipelines {
                    state.pipelines.insert(pipeline)
                } else {
                    pipeline = Self.otherPipelines
                }
            }
            state.ended[Key(pipeline: pipeline, state: end), default: 0] += 1
            let bucket = Self.bounds.firstIndex { milliseconds <= $0 } ?? Self.bounds.count
            state.buckets[bucket] += 1
            state.milliseconds =
                state.milliseconds.addingReportingOverflow(milliseconds)
                .partialValue
        }
    }

    /// Writes the figures.
    func write(to text: inout MetricsText) {
        let state = state.withLock { $0 }
        text.begin("danube_jobs_total", .counter, "Jobs that ended since the master began.")
        let sorted = state.ended.sorted {
            ($0.key.pipeline, $0.key.state.rawValue) < ($1.key.pipeline, $1.key.state.rawValue)
        }
        for (key, count) in sorted {
            text.add(
                [("status", key.state.rawValue), ("pipeline", key.pipeline)], Double(count))
        }
        text.begin(
            "danube_job_duration_seconds", .histogram, "How long jobs ran that have ended.")
        var sum = 0
        for (index, count) in state.buckets.enumerated() {
            sum += count
            let bound = index < Self.bounds.count ? "\(Double(Self.bounds[index]) / 1000)" : "+Inf"
            text.add([("le", bound)], Double(sum), suffix: "_bucket")
        }
        text.add([], Double(state.milliseconds) / 1000, suffix: "_sum")
        text.add([], Double(sum), suffix: "_count")
    }
}
