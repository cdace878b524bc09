import Executor
import PipelineIR

/// Jobs as JSON. Times are RFC 3339, durations milliseconds.
enum JobJSON {
    /// `{"jobs":[…]}`.
    static func list(_ jobs: [JobRecord]) -> TextBuffer {
        var json = JSONWriter()
        json.beginObject()
        json.key("jobs")
        json.beginArray()
        for job in jobs { put(job, steps: nil, &json) }
        json.endArray()
        json.endObject()
        return line(json)
    }

    /// One job with its steps.
    static func detail(_ job: JobRecord, _ steps: [JobStep]) -> TextBuffer {
        var json = JSONWriter(capacity: steps.count * 200)
        put(job, steps: steps, &json)
        return line(json)
    }

    private static func line(_ json: JSONWriter) -> TextBuffer {
        var buffer = TextBuffer()
        buffer.put(bytes: json.bytes)
        buffer.put(byte: 0x0a)
        return buffer
    }

    private static func put(
        _ job: JobRecord, steps: [JobStep]?, _ json: inout JSONWriter
    ) {
        json.beginObject()
        text("branch", job.branch, &json)
        json.key("counts")
        json.beginObject()
        for state in StepRecord.State.allCases.sorted(by: { $0.word < $1.word })
        where state != .open && job.counts[state] > 0 {
            json.key(state.word)
            json.integer(job.counts[state])
        }
        json.endObject()
        if let ended = job.ended {
            json.key("duration_ms")
            json.integer(DurationText.milliseconds(ended.since(job.started)))
        }
        text("ended", job.ended?.utc, &json)
        text("id", job.id.text, &json)
        text("mode", job.mode, &json)
        text("pipeline", job.pipeline, &json)
        text("plan", job.plan.description, &json)
        text("repeats", job.repeats?.text, &json)
        text("repository", job.repository, &json)
        text("revision", job.revision, &json)
        text("started", job.started.utc, &json)
        text("state", job.state.rawValue, &json)
        json.key("step_count")
        json.integer(job.stepCount)
        if let steps {
            json.key("steps")
            json.beginArray()
            for step in steps { put(step, &json) }
            json.endArray()
        }
        text("trigger", job.trigger, &json)
        json.endObject()
    }

    private static func put(_ step: JobStep, _ json: inout JSONWriter) {
        let record = step.record
        json.beginObject()
        if !record.attempts.isEmpty {
            json.key("attempts")
            json.beginArray()
            for attempt in record.attempts { put(attempt, &json) }
            json.endArray()
        }
        if let duration = record.duration {
            json.key("duration_ms")
            json.integer(DurationText.milliseconds(duration))
        }
        text("ended", record.ended?.utc, &json)
        code(record.exitCode, &json)
        text("id", step.id, &json)
        text("key", record.key?.hex, &json)
        text("name", step.name, &json)
        if record.outputBytes > 0 {
            json.key("output_bytes")
            json.integer(record.outputBytes)
        }
        text("reason", record.reason.isEmpty ? nil : record.reason, &json)
        text("source", record.source?.text, &json)
        text("started", record.started?.utc, &json)
        text("state", record.state.word, &json)
        json.endObject()
    }

    private static func put(_ attempt: AttemptRecord, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("duration_ms")
        json.integer(DurationText.milliseconds(attempt.ended.since(attempt.started)))
        text("ended", attempt.ended.utc, &json)
        code(attempt.exitCode, &json)
        text("outcome", attempt.outcome.isEmpty ? nil : attempt.outcome, &json)
        text("started", attempt.started.utc, &json)
        json.endObject()
    }

    private static func text(_ key: StaticString, _ text: String?, _ json: inout JSONWriter) {
        guard let text else { return }
        json.key(key)
        json.string(text)
    }

    private static func code(_ code: Int?, _ json: inout JSONWriter) {
        guard let code else { return }
        json.key("exit_code")
        json.integer(code)
    }
}
