internal import Compiler
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

internal import struct Executor.JobID

/// Sends the traces of jobs that have ended to a collector.
///
/// It hears of a job when its end is committed, and only notes its name: what the collector does
/// delays no job. What it did not send is given up when the master ends.
final class TraceExporter: Service {
    let metrics = TraceMetrics()
    private let database: MasterDatabase
    private let collector: TraceCollector
    private let share: Ratio
    private let logger: Logger
    private let queue: TraceQueue
    private let deadline = Mutex<ContinuousClock.Instant?>(nil)

    /// Jobs that are read at once.
    private static let mostJobs = 64
    /// Spans of one request.
    private static let mostSpans = 512
    /// What one request may take.
    private static let patience = Duration.seconds(5)
    /// What one batch may take with all that is tried again.
    private static let mostTrying = Duration.seconds(300)
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)
    /// What is given to what waits when the master ends.
    private static let flushing = Duration.seconds(5)
    /// How long jobs that end one after the other are collected into a batch.
    private static let gathering = Duration.milliseconds(200)

    /// An exporter of what a queue is told of.
    init(
        _ database: MasterDatabase, _ queue: TraceQueue, _ collector: TraceCollector, share: Ratio,
        logger: Logger
    ) {
        self.database = database
        self.queue = queue
        self.collector = collector
        self.share = share
        self.logger = logger
    }

    /// Sends until the master ends.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.queue.wakes {
                try? await Task.sleep(for: Self.gathering)
                while !Task.isCancelled, await self.sendSome() {}
                if Task.isCancelled { return }
            }
        }
    }

    /// Sends what waits, for a while; what is left then is given up.
    func flush() async {
        let end = ContinuousClock.now + Self.flushing
        deadline.withLock { $0 = end }
        while ContinuousClock.now < end, await sendSome() {}
        let left = queue.takeAll().count + queue.takeLost()
        if left > 0 {
            metrics.drop(left)
            logger.warning("traces of jobs were not sent", metadata: ["jobs": "\(left)"])
        }
        metrics.wait(0)
    }

    /// Writes the figures.
    func write(to text: inout MetricsText) {
        metrics.drop(queue.takeLost())
        metrics.wait(queue.count)
        metrics.write(to: &text)
    }

    /// Sends a batch; `false` when nothing waits.
    private func sendSome() async -> Bool {
        let jobs = queue.take(Self.mostJobs)
        guard !jobs.isEmpty else { return false }
        var spans: [Span] = []
        var count = 0
        for job in jobs {
            do {
                guard let trace = try await database.read({ try JobTrace(of: job, in: $0) }),
                    trace.isKept(share)
                else { continue }
                spans += trace.spans
                count += 1
            } catch {
                metrics.drop(1)
                logger.warning(
                    "its trace cannot be made: \(error)", metadata: ["job": "\(job.text)"])
            }
            // A large job is not held in memory together with others.
            if spans.count >= Self.mostSpans {
                guard await send(spans, of: count, jobs) else { return true }
                (spans, count) = ([], 0)
            }
        }
        if count > 0 { _ = await send(spans, of: count, jobs) }
        return true
    }

    /// Sends the spans of some jobs in requests of a bounded size. `false` when the master ends
    /// first: then all jobs of the batch wait again, since the same spans may come twice.
    private func send(_ spans: [Span], of count: Int, _ jobs: [JobID]) async -> Bool {
        let limit = ContinuousClock.now + Self.mostTrying
        for start in stride(from: 0, to: spans.count, by: Self.mostSpans) {
            let part = spans[start..<min(spans.count, start + Self.mostSpans)]
            switch await send(TraceBody.bytes(part), until: limit) {
            case .sent: continue
            case .givenUp:
                metrics.drop(count)
                return true
            case .ended:
                queue.giveBack(jobs)
                return false
            }
        }
        metrics.send(count)
        return true
    }

    private enum Sending {
        case sent, givenUp, ended
    }

    private func send(_ body: [UInt8], until limit: ContinuousClock.Instant) async -> Sending {
        var pause = Self.firstPause
        while true {
            let end = deadline.withLock { $0 }
            let left = end.map { $0 - .now } ?? Self.patience
            guard left > .zero else { return .ended }
            let collector = collector
            let answer = try? await OwnThread.run {
                collector.send(body, within: min(left, Self.patience))
            }
            let (after, why): (Duration?, String)
            switch answer ?? .later(after: nil, why: "there is no thread for it") {
            case .taken(let answer):
                noteRefused(answer)
                return .sent
            case .refused(let reason):
                logger.warning("the collector of traces refuses them: \(reason)")
                return .givenUp
            case .later(let wanted, let reason): (after, why) = (wanted, reason)
            }
            // Half of it by chance, so that several masters do not come back together.
            let wait = max(after ?? .zero, pause * Double.random(in: 0.5...1))
            guard ContinuousClock.now + wait < end ?? limit else {
                if end != nil { return .ended }
                logger.warning("the collector of traces takes none: \(why)")
                return .givenUp
            }
            metrics.retry()
            logger.debug("the collector of traces takes none now: \(why)")
            guard (try? await Task.sleep(for: wait)) != nil else { return .ended }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Says what a collector took only a part of (`ExportTracePartialSuccess`).
    private func noteRefused(_ answer: [UInt8]) {
        guard let part = (try? JSONValue.parse(answer))?["partialSuccess"] else { return }
        let count = part["rejectedSpans"]?.text ?? "0"
        guard count != "0" else { return }
        logger.warning(
            "the collector of traces left spans out: \(part["errorMessage"]?.text ?? "")",
            metadata: ["spans": "\(count)"])
    }
}
