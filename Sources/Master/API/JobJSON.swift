internal import PipelineIR

internal import struct Executor.Timestamp

/// Jobs and steps as the API gives them.
enum JobJSON {
    /// How many steps of a job there are.
    struct Counts: Sendable, Equatable {
        var total = 0
        var done = 0
        var failed = 0
    }

    /// Writes a job.
    static func write(_ job: Job, _ counts: Counts, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", job.id.text)
        json.member("number", job.number)
        json.member("pipeline", job.request.pipeline)
        json.member("team", job.request.team)
        json.member("repository", job.request.repository)
        json.member("ref", job.request.ref)
        json.member("revision", job.request.revision)
        json.member("file", job.request.file)
        json.key("parameters")
        json.raw(job.request.parameters.utf8)
        json.member("trigger", job.request.trigger)
        json.member("state", job.state.rawValue)
        json.member("reason", job.reason)
        json.member("priority", Int64(job.request.priority))
        json.member("created", job.created.utc)
        json.member("started", job.started?.utc)
        json.member("ended", job.ended?.utc)
        json.member("duration_ms", duration(job.started, job.ended))
        json.key("steps")
        json.beginObject()
        json.member("total", Int64(counts.total))
        json.member("done", Int64(counts.done))
        json.member("failed", Int64(counts.failed))
        json.endObject()
        json.member("plan", job.plan?.description)
        json.member("rerun_of", job.request.rerun?.job.text)
        json.member("rerun_mode", job.request.rerun?.mode.rawValue)
        json.member("requested_by", job.request.requestedBy)
        json.endObject()
    }

    /// Writes a step.
    static func write(_ step: JobStep, to json: inout JSONWriter) {
        json.beginObject()
        json.member("index", Int64(step.step))
        json.member("id", step.id)
        json.member("name", step.name)
        json.member("state", step.state.rawValue)
        json.member("attempts", Int64(step.attempts))
        json.member("exit_code", step.exitCode.map { Int64($0) })
        json.member("reason", step.reason)
        json.member("started", step.started?.utc)
        json.member("ended", step.ended?.utc)
        json.member("duration_ms", duration(step.started, step.ended))
        json.member("cached_from", step.cachedFrom?.text)
        json.endObject()
    }

    /// Writes a try at a step.
    static func write(_ attempt: StepAttempt, to json: inout JSONWriter) {
        json.beginObject()
        json.member("attempt", Int64(attempt.attempt))
        json.member("state", attempt.state.rawValue)
        json.member("exit_code", attempt.exitCode.map { Int64($0) })
        json.member("reason", attempt.reason)
        json.member("started", attempt.started.utc)
        json.member("ended", attempt.ended?.utc)
        json.endObject()
    }

    private static func duration(_ start: Timestamp?, _ end: Timestamp?) -> Int64? {
        guard let start, let end else { return nil }
        return max(0, (end.microseconds - start.microseconds) / 1000)
    }
}
