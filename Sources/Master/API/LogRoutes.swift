internal import Executor
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import PipelineIR
internal import ServiceLifecycle

/// Routes of what jobs print. A reader that stalls holds one part of a log, once as it was read and
/// once as it is sent, and no thread.
struct LogRoutes: Sendable {
    let jobs: JobRoutes
    let data: DataFolder
    let threads: NIOThreadPool

    /// Right after something came, more is looked for soon, and later less often.
    private static let pauses = [10, 20, 40, 80, 100].map { Duration.milliseconds($0) }
    private static let beat = 150
    private static let recordPause = Duration.milliseconds(10)

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.get, "/api/v1/jobs/{id}/logs", .read, .getLogs) { request, context in
            try await text(request, context)
        }
        routes.on(.get, "/api/v1/jobs/{id}/logs/stream", .read, .streamLogs) { request, context in
            try await stream(request, context)
        }
    }

    private func text(_ request: Request, _ context: APIContext) async throws -> Response {
        let job = try await job(context)
        let query = try Query(request, known: ["step", "follow", "timestamps"])
        let step = try await step(query["step"], of: job)
        let isFollowing = try query.flag("follow")
        let showsTimes = try query.flag("timestamps")
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .streamed(to: context) { writer in
                var atStart = true
                do {
                    try await read(job, step: step, from: 0, follows: isFollowing) { chunk, _ in
                        guard let chunk else { return }
                        let bytes = showsTimes ? Self.timed(chunk, &atStart) : chunk.bytes
                        try await writer.write(pieces: bytes)
                    }
                } catch is CancellationError {
                    // Whoever follows asks the next master.
                }
            })
    }

    /// A job of which the log is still there.
    private func job(_ context: APIContext) async throws -> Job {
        let job = try await jobs.job(context)
        guard let removed = job.logsRemoved else { return job }
        throw Problem(
            .gone, "What job \(job.id) printed was removed at \(removed.utc).",
            hint: "Run the job again, or keep logs for longer (`retention.logs`).")
    }

    /// Each line with the time at which it began.
    private static func timed(_ chunk: LogChunk, _ atStart: inout Bool) -> [UInt8] {
        let time = Array((chunk.time.utc + " ").utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chunk.bytes.count + 32)
        for byte in chunk.bytes {
            if atStart { bytes += time }
            bytes.append(byte)
            atStart = byte == 0x0a
        }
        return bytes
    }

    private func stream(_ request: Request, _ context: APIContext) async throws -> Response {
        let job = try await job(context)
        let query = try Query(request, known: ["step", "follow"])
        let step = try await step(query["step"], of: job)
        let isFollowing = try query["follow"] == nil || query.flag("follow")
        let names = try await jobs.database.steps(of: job.id).map(\.name)
        let start = try ServerSentEvents.last(request)
        return ServerSentEvents.answer(to: context) { writer in
            let known = StepNames(names)
            try await read(job, step: step, from: start, follows: isFollowing) { chunk, next in
                guard let chunk else { return try await writer.beat() }
                let name = try await known.name(of: chunk.key?.step) {
                    try await jobs.database.steps(of: job.id).map(\.name)
                }
                let size = chunk.bytes.count
                try await writer.write(id: next, event: nil, size: size) {
                    Self.write(chunk, name, to: &$0)
                }
            }
            // Of one that still runs there is no more than what is there now.
            guard let ended = try await end(of: job, follows: isFollowing) else { return }
            let counts = try await jobs.database.stepCounts(of: [job.number])[job.number]
            try await writer.write(id: nil, event: "end") {
                JobJSON.write(ended, counts ?? .init(), to: &$0)
            }
        }
    }

    /// A job whose log has ended, once that is recorded, which is a moment later; `nil` where it
    /// has not ended.
    private func end(of job: Job, follows: Bool) async throws -> Job? {
        while true {
            guard let job = try await jobs.database.job(job.id) else { return nil }
            if job.state.isTerminal { return job }
            if !follows { return nil }
            if Task.isShuttingDownGracefully { throw CancellationError() }
            try await Task.sleep(for: Self.recordPause)
        }
    }

    private static func write(_ chunk: LogChunk, _ name: String?, to json: inout JSONWriter) {
        json.beginObject()
        json.member("step", name)
        json.key("stream")
        switch chunk.stream {
        case .standardOutput: json.string("stdout")
        case .standardError: json.string("stderr")
        case .note: json.string("note")
        }
        json.member("time", chunk.time.utc)
        json.member("text", String(decoding: chunk.bytes, as: UTF8.self))
        json.endObject()
    }

    /// The step that somebody means: its name, its id or its number.
    private func step(_ text: String?, of job: Job) async throws -> Int? {
        guard let text else { return nil }
        let steps = try await jobs.database.steps(of: job.id)
        if let step = steps.first(where: { $0.id == text || $0.name == text }) { return step.step }
        if let number = Int(text), steps.indices.contains(number) { return number }
        throw Problem(
            .notFound, "Job \(job.id) has no step `\(text)`.",
            hint: "GET /api/v1/jobs/\(job.id)/steps lists them.")
    }

    /// Reads a log to its end; follows it where it is still written. Now and then, while nothing
    /// comes, the block is called without a chunk.
    private func read(
        _ job: Job, step: Int?, from start: UInt64, follows: Bool,
        _ take: (LogChunk?, UInt64) async throws -> Void
    ) async throws {
        let folder = data.job(job.id)
        var position = start
        var quiet = 0
        var isOver = job.state.isTerminal
        while true {
            let place = position
            let part = try await threads.runIfActive {
                try LogPart(folder: folder, from: place, step: step)
            }
            for (chunk, next) in part?.chunks ?? [] {
                try await take(chunk, next)
                position = next
                quiet = 0
            }
            if part?.hasEnded ?? false { return }
            if part?.isFull ?? false { continue }
            // What was written before it was over was read after that.
            if !follows || isOver { return }
            if Task.isShuttingDownGracefully { throw CancellationError() }
            quiet += 1
            if quiet % 10 == 0 {
                isOver = try await jobs.database.job(job.id)?.state.isTerminal ?? true
            }
            if quiet % Self.beat == 0 { try await take(nil, position) }
            try await Task.sleep(for: Self.pauses[min(quiet, Self.pauses.count) - 1])
        }
    }
}

/// Names of steps, asked for again when one is not known: the plan may have come meanwhile.
private actor StepNames {
    private var names: [String]

    init(_ names: [String]) { self.names = names }

    func name(
        of step: Int?, _ ask: @Sendable () async throws -> [String]
    ) async throws -> String? {
        guard let step else { return nil }
        if !names.indices.contains(step) { names = try await ask() }
        return names.indices.contains(step) ? names[step] : nil
    }
}
