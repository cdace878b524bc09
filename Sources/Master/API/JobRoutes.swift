internal import Compiler
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import PipelineIR

internal import struct Executor.JobID
internal import struct Executor.Timestamp

/// Routes of jobs: asking for them, listing them, ending them.
struct JobRoutes: Sendable {
    let database: MasterDatabase
    let dispatcher: Dispatcher
    let room: AnswerRoom
    /// For what takes longer to make than the cooperative pool should wait for.
    let threads: NIOThreadPool

    /// Bytes of a plan in protobuf, and steps, from which on an answer is a large one.
    private static let largePlan = 64 << 10
    private static let manySteps = 500
    /// About how many bytes it takes to make an answer of a byte of a plan, and of a step.
    private static let bytesPerPlanByte = 8
    private static let bytesPerStep = 2048
    /// How long a large answer may take to be taken while others wait.
    private static let patience = TimeAmount.seconds(10)
    private static let mostPerPage = 500
    private static let usualPerPage = 50

    /// Adds them.
    func add(to routes: APIRoutes) {
        routes.on(.post, "/api/v1/jobs", .write, .submitJob) { try await submit($0, $1) }
        routes.on(.get, "/api/v1/jobs", .read, .listJobs) { request, _ in try await list(request) }
        routes.on(.get, "/api/v1/jobs/{id}", .read, .getJob) { _, context in
            try await answer(try await job(context))
        }
        routes.on(.get, "/api/v1/jobs/{id}/steps", .read, .listSteps) { _, context in
            try await steps(context)
        }
        routes.on(.get, "/api/v1/jobs/{id}/steps/{step}", .read, .getStep) { _, context in
            try await step(context)
        }
        routes.on(.get, "/api/v1/jobs/{id}/plan", .read, .getPlan) { request, context in
            try await plan(request, context)
        }
        routes.on(.post, "/api/v1/jobs/{id}/cancel", .write, .cancelJob) { _, context in
            try await cancel(context)
        }
        routes.on(.post, "/api/v1/jobs/{id}/rerun", .write, .rerunJob) { request, context in
            try await rerun(request, context)
        }
    }

    /// The job that a path names, which gives its id or a beginning of it that no other has.
    func job(_ context: APIContext) async throws -> Job {
        let text = try context.part("id")
        if let id = JobID(text) {
            if let job = try await database.job(id) { return job }
            if let time = try await database.forgotten(id) {
                throw Problem(
                    .gone, "Job \(id) was removed at \(time.utc).",
                    hint: "Jobs are kept for as long as `retention.jobs` says.")
            }
        }
        let found = try await database.jobs(withPrefix: text)
        guard let job = found.first else {
            throw Problem(
                .notFound, "There is no job \(text).", hint: "`danube jobs` lists those there are.")
        }
        guard found.count == 1 else {
            throw Problem(
                .conflict, "\(text) is the beginning of more than one job.",
                hint: "Write more of it.")
        }
        return job
    }

    private func answer(
        _ job: Job, _ status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let counts = try await database.stepCounts(of: [job.number])[job.number] ?? .init()
        return JSONAnswer.make(status) { JobJSON.write(job, counts, to: &$0) }
    }

    private func submit(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await JSONBody(request, of: JobRequest.keys)
        var new = try JobRequest(body).job
        new.requestedBy = context.actor
        new.traceparent = Self.trace(request)
        if let key = request.headers[Self.idempotencyKey] {
            guard (1...200).contains(key.utf8.count),
                key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
            else {
                throw Problem(
                    .badRequest, "Idempotency-Key is not 1 to 200 letters, digits and signs.")
            }
            // Whose key it is, so that nobody gets the job of another.
            new.idempotencyKey = "\(context.token?.id ?? 0) \(key)"
        }
        let submission = try await dispatcher.submit(new)
        return try await answer(submission.job, submission.isNew ? .created : .ok)
    }

    /// The trace that a request belongs to; one that cannot be read is ignored, as the W3C
    /// has it.
    private static func trace(_ request: Request) -> TraceContext? {
        traceparent.flatMap { request.headers[$0] }.flatMap { TraceContext($0) }
    }

    private static let traceparent = HTTPField.Name("traceparent")
    private static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .eTag

    private func list(_ request: Request) async throws -> Response {
        let query = try Query(
            request,
            known: [
                "pipeline", "team", "state", "ref", "revision", "trigger", "limit", "cursor",
            ])
        var filter = JobFilter()
        filter.pipeline = query["pipeline"]
        filter.team = query["team"]
        filter.ref = query["ref"]
        filter.revision = query["revision"]
        filter.trigger = query["trigger"]
        if let words = query["state"] {
            filter.states = Set(
                try words.split(separator: ",", omittingEmptySubsequences: false).map { word in
                    guard let state = JobState(rawValue: String(word)) else {
                        throw Problem(
                            .badRequest, "There is no state \(word).",
                            hint: JobState.allCases.map(\.rawValue).joined(separator: ", "))
                    }
                    return state
                })
        }
        let limit = try query.integer("limit", 1...Self.mostPerPage) ?? Self.usualPerPage
        let cursor = try query["cursor"].map { text in
            guard let cursor = JobCursor(text) else {
                throw Problem(.badRequest, "The cursor is none that this master gave.")
            }
            return cursor
        }
        let page = try await database.jobs(filter, before: cursor, limit: limit)
        let counts = try await database.stepCounts(of: page.jobs.map(\.number))
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("jobs")
            json.beginArray()
            for job in page.jobs { JobJSON.write(job, counts[job.number] ?? .init(), to: &json) }
            json.endArray()
            json.member("next", page.next?.description)
            json.endObject()
        }
    }

    private func steps(_ context: APIContext) async throws -> Response {
        let job = try await job(context)
        let counts = try await database.stepCounts(of: [job.number])[job.number]
        guard let count = counts?.total, count >= Self.manySteps else {
            return JSONAnswer.bytes(.ok, Self.json(try await database.steps(of: job.id)))
        }
        return try await large(context, count * Self.bytesPerStep) {
            let steps = try await database.steps(of: job.id)
            return try await threads.runIfActive { Self.json(steps) }
        }
    }

    private static func json(_ steps: [JobStep]) -> [UInt8] {
        var json = JSONWriter(capacity: 256 * steps.count)
        json.beginObject()
        json.key("steps")
        json.beginArray()
        for step in steps { JobJSON.write(step, to: &json) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// An answer that is made when there is room for it, and has it until it is sent.
    private func large(
        _ context: APIContext, _ bytes: Int, _ make: () async throws -> [UInt8]
    ) async throws -> Response {
        let share = try await room.share(of: bytes, on: context.loop)
        let json = try await make()
        share.keep(json.count)
        var response = JSONAnswer.bytes(.ok, [])
        response.headers[.contentLength] = "\(json.count)"
        let (room, channel) = (room, context.channel)
        response.body = .streamed(to: context, length: json.count) { writer in
            let watch = channel.eventLoop.scheduleRepeatedTask(
                initialDelay: Self.patience, delay: Self.patience
            ) { _ in
                if room.waitingCount > 0 { channel.close(promise: nil) }
            }
            defer { watch.cancel() }
            try await writer.write(pieces: json)
            _ = share
        }
        return response
    }

    private func step(_ context: APIContext) async throws -> Response {
        let job = try await job(context)
        let text = try context.part("step")
        let steps = try await database.steps(of: job.id)
        guard
            let step = steps.first(where: { $0.id == text || $0.name == text })
                ?? Int(text).flatMap({ steps.indices.contains($0) ? steps[$0] : nil })
        else {
            throw Problem(
                .notFound, "Job \(job.id) has no step `\(text)`.",
                hint: "GET /api/v1/jobs/\(job.id)/steps lists them.")
        }
        let tries = try await database.attempts(of: job.id, step: step.step)
        return JSONAnswer.make { json in
            json.beginObject()
            json.key("step")
            JobJSON.write(step, to: &json)
            json.key("tries")
            json.beginArray()
            for attempt in tries { JobJSON.write(attempt, to: &json) }
            json.endArray()
            json.endObject()
        }
    }

    /// The plan in JSON, which never changes once it is there.
    private func plan(_ request: Request, _ context: APIContext) async throws -> Response {
        let job = try await job(context)
        guard let digest = job.plan, let size = try await database.planSize(digest) else {
            throw Problem(
                .notFound, "Job \(job.id) has no plan\(job.state.isTerminal ? "" : " yet").")
        }
        let tag = "\"\(digest.digest.hex)\""
        if EntityTags.holds(request.headers[.ifNoneMatch], tag) {
            return Response(status: .notModified, headers: [.eTag: tag])
        }
        var response =
            if size < Self.largePlan {
                JSONAnswer.bytes(.ok, try Self.json(try await database.plan(digest), of: job))
            } else {
                try await large(context, size * Self.bytesPerPlanByte) {
                    let bytes = try await database.plan(digest)
                    return try await threads.runIfActive { try Self.json(bytes, of: job) }
                }
            }
        response.headers[.eTag] = tag
        response.headers[.cacheControl] = "private, max-age=31536000, immutable"
        return response
    }

    private static func json(_ bytes: [UInt8]?, of job: Job) throws -> [UInt8] {
        guard let bytes, let plan = try? PlanProto.decode(bytes) else {
            throw Problem(.internalServerError, "The plan of job \(job.id) cannot be read.")
        }
        return plan.canonicalJSON()
    }

    private func cancel(_ context: APIContext) async throws -> Response {
        let job = try await job(context)
        if job.state.isTerminal {
            throw Problem(
                .conflict, "Job \(job.id) has ended: \(job.state.rawValue).")
        }
        _ = try await dispatcher.stop(
            job.id, as: .cancelled, reason: "cancelled by \(context.actor)")
        return try await answer(try await database.job(job.id) ?? job, .accepted)
    }

    private func rerun(_ request: Request, _ context: APIContext) async throws -> Response {
        let job = try await job(context)
        let body = try await JSONBody(request, of: ["failed"])
        guard job.state.isTerminal else {
            throw Problem(
                .conflict, "Job \(job.id) has not ended.", hint: "Wait for it, or cancel it.")
        }
        var new = job.request
        let isFailed = try body.bool("failed") ?? false
        if isFailed, try await !hasFailed(job) {
            throw Problem(
                .conflict, "No step of job \(job.id) failed.",
                hint: "Run all of it again, without `failed`.")
        }
        new.rerun = NewJob.Rerun(job: job.id, mode: isFailed ? .failed : .all)
        new.idempotencyKey = nil
        new.traceparent = Self.trace(request)
        new.requestedBy = context.actor
        return try await answer(try await dispatcher.submit(new).job, .created)
    }

    /// Whether something of a job would run again: one without a plan runs whole.
    private func hasFailed(_ job: Job) async throws -> Bool {
        let steps = try await database.steps(of: job.id)
        return steps.isEmpty
            || steps.contains { step in
                switch step.state {
                case .succeeded, .cached, .skipped: false
                default: true
                }
            }
    }
}
