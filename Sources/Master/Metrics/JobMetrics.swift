internal import Synchronization

internal import struct Executor.Timestamp

/// Counts the jobs that ended, under this master and those before it, in the names of Prometheus.
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

        mutating func add(_ count: JobCount) {
            let isNamed = pipelines.contains(count.pipeline)
            let pipeline = isNamed ? count.pipeline : JobMetrics.otherPipelines
            ended[Key(pipeline: pipeline, state: count.state), default: 0] += count.jobs
            // A row of a damaged file may say anything.
            buckets[min(max(0, count.bucket), buckets.count - 1)] += count.jobs
            milliseconds = milliseconds.addingReportingOverflow(count.milliseconds).partialValue
        }
    }

    private let state = Mutex(State())

    /// More pipelines are counted as one: each has a line for every state.
    static let mostPipelines = 500
    static let otherPipelines = "(other)"
    /// Milliseconds: the greatest of each class of durations but the last, which has no end.
    static let bounds: [Int64] = [
        100, 500, 1000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
        3_600_000, 7_200_000,
    ]

    /// The class of a duration.
    static func bucket(_ milliseconds: Int64) -> Int {
        bounds.firstIndex { milliseconds <= $0 } ?? bounds.count
    }

    /// How long a job ran that has ended.
    static func milliseconds(_ job: Job) -> Int64 {
        guard let end = job.ended else { return 0 }
        return max(0, end.sinceEpoch - (job.started ?? end).sinceEpoch)
    }

    /// Begins with jobs that ended before this master began: a counter goes on where it was.
    func begin(with counts: [JobCount]) {
        // Pipelines of most jobs first: they are counted by name.
        var jobs: [String: Int] = [:]
        for count in counts { jobs[count.pipeline, default: 0] += count.jobs }
        let order = jobs.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        state.withLock { state in
            state.pipelines = Set(order.prefix(Self.mostPipelines))
            for count in counts { state.add(count) }
        }
    }

    /// Counts a job that has ended.
    func count(_ job: Job) {
        count(job.request.pipeline, job.state, milliseconds: Self.milliseconds(job))
    }

    /// Counts a job of a pipeline that ended in a state after running for so long.
    func count(_ pipeline: String, _ end: JobState, milliseconds: Int64) {
        state.withLock { state in
            if state.pipelines.count < Self.mostPipelines { state.pipelines.insert(pipeline) }
            state.add(
                JobCount(
                    pipeline: pipeline, state: end, bucket: Self.bucket(milliseconds), jobs: 1,
                    milliseconds: milliseconds))
        }
    }

    /// Writes the figures.
    func write(to text: inout MetricsText) {
        let state = state.withLock { $0 }
        text.begin("danube_jobs_total", .counter, "Jobs that ended.")
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
