import Executor
import PipelineIR

/// Tells of a run as JSON, one object a line; `docs/run-events.md` describes them.
///
/// Events are stamped with the time of the `refresh` that follows them, since only it knows.
final class JSONWatch: RunObserver {
    /// Version of the stream. A new kind of event or a new field is no new version.
    static let version = 1
    /// Bytes that are gathered before they are sent.
    private static let gathered = 256 << 10

    private let sink: any ByteSink
    private var run: RunDescription?
    private var events: [JSONWriter] = []
    private var size = 0
    private var now: UInt64 = 0
    private var isHeldBack = false
    /// The first bytes of characters whose rest has not come yet, by step and stream.
    private var begun: [Int: [UInt8]] = [:]
    /// Steps of which that is shown what they wrote in another job.
    private var replayed: Set<Int> = []

    init(sink: any ByteSink) { self.sink = sink }

    func began(_ run: RunDescription) {
        self.run = run
        now = run.started
        put("run_started") { json in
            json.key("job")
            json.string(run.job)
            json.key("pipeline")
            json.string(run.plan.pipeline)
            json.key("entry")
            json.string(run.plan.entry)
            json.key("digest")
            json.string(run.digest)
            json.key("steps")
            json.integer(run.plan.steps.count)
            json.key("jobs")
            json.integer(run.jobs)
            json.key("in_place")
            json.bool(run.isInPlace)
        }
    }

    func explained(_ step: StepIndex, _ explanation: StepExplanation) {
        put("step_explained", step) { json in
            json.key("cache")
            switch explanation {
            case .hit(let key, let job):
                json.string("hit")
                json.key("key")
                json.string(key)
                json.key("from_job")
                json.string(job)
            case .miss(let key, let reasons):
                json.string("miss")
                json.key("key")
                json.string(key)
                json.key("reasons")
                json.strings(reasons)
            case .uncacheable(let reason):
                json.string("uncacheable")
                json.key("reasons")
                json.strings([reason])
            }
        }
    }

    /// Tells of an attempt before it starts; for a journal, which is durable before anything is
    /// done that it tells of.
    func starting(_ step: StepIndex, attemptToCome attempt: Int, lane: Int?) {
        put("step_starting", step) { json in
            json.key("attempt")
            json.integer(attempt)
            if let lane {
                json.key("lane")
                json.integer(lane)
            }
        }
        send()
    }

    /// Tells what a later engine has to know; for a journal.
    func keep(_ event: EarlierRun.Event) {
        guard let (name, step) = RecallCoding.head(of: event) else { return }
        put(name, step) { RecallCoding.put(event, &$0) }
    }

    func started(_ step: StepIndex, attempt: Int) {
        put("step_started", step) { json in
            json.key("attempt")
            json.integer(attempt)
            if let run, run.expected.indices.contains(step.int), run.expected[step.int] > 0 {
                json.key("expected_ns")
                json.integer(run.expected[step.int])
            }
        }
    }

    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        let key = step.int << 1 | (stream == .error ? 1 : 0)
        var all = begun.removeValue(forKey: key) ?? []
        all.append(contentsOf: bytes)
        let whole = all.count - Self.unfinished(all)
        if whole < all.count { begun[key] = Array(all[whole...]) }
        putOutput(step, stream, all[..<whole])
    }

    func replayed(_ step: StepIndex, _ stream: LogStream, _ bytes: UnsafeRawBufferPointer) {
        replayed.insert(step.int)
        switch stream {
        case .note:
            flush(step)
            told(RunMessage(.note, String(decoding: bytes, as: UTF8.self), step: step))
        case .standardOutput: wrote(step, .output, bytes)
        case .standardError: wrote(step, .error, bytes)
        }
    }

    func retrying(
        _ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64
    ) {
        flush(step)
        put("step_retrying", step) { json in
            json.key("attempt")
            json.integer(attempt)
            json.key("reason")
            json.string(reason)
            json.key("after_ns")
            json.integer(nanoseconds)
        }
    }

    func ended(_ step: StepIndex, _ end: StepEnd) {
        flush(step)
        replayed.remove(step.int)
        put("step_ended", step) { json in
            json.key("result")
            json.string(end.result.rawValue)
            if let code = end.code {
                json.key("code")
                json.integer(code)
            }
            if let reason = end.reason {
                json.key("reason")
                json.string(reason)
            }
            json.key("duration_ns")
            json.integer(end.nanoseconds)
            json.key("attempts")
            json.integer(end.attempts)
            json.key("fatal")
            json.bool(end.isFatal)
            if end.result == .failed || end.result == .lost { putPlace(step, &json) }
        }
    }

    func noted(_ text: String) {
        put("note") { json in
            json.key("text")
            json.string(text)
        }
    }

    func told(_ message: RunMessage) {
        put("message", message.step) { json in
            json.key("level")
            json.string(message.level.rawValue)
            json.key("text")
            json.string(message.text)
            if let hint = message.hint {
                json.key("hint")
                json.string(hint)
            }
        }
    }

    func ended(_ summary: RunSummary) {
        put("run_ended") { $0.put(summary) }
        send()
        sink.finish()
        isHeldBack = false
    }

    func refresh(now: UInt64) {
        self.now = max(now, self.now)
        send()
        isHeldBack = !sink.push()
    }

    var wakeAt: UInt64? { isHeldBack ? now &+ 20_000_000 : nil }

    func resized() {}

    // MARK: Events

    private func put(
        _ event: StaticString, _ step: StepIndex? = nil, _ rest: (inout JSONWriter) -> Void
    ) {
        var json = JSONWriter(capacity: 160)
        json.beginObject()
        json.key("v")
        json.integer(Self.version)
        json.key("event")
        json.string(event.description)
        if let step, let run, run.plan.steps.indices.contains(step.int) {
            json.key("step")
            json.integer(step.int)
            json.key("id")
            json.string(run.plan.steps[step.int].id)
            json.key("name")
            json.string(run.plan.steps[step.int].name)
        }
        rest(&json)
        events.append(json)
        size += json.bytes.count
        if size > Self.gathered { send() }
    }

    /// What a step wrote: as text, or in base64 when it is none.
    private func putOutput(_ step: StepIndex, _ stream: OutputStream, _ bytes: ArraySlice<UInt8>) {
        if bytes.isEmpty { return }
        put("output", step) { json in
            json.key("stream")
            json.string(stream == .error ? "stderr" : "stdout")
            if let text = String(validating: bytes, as: UTF8.self) {
                json.key("text")
                json.string(text)
            } else {
                json.key("base64")
                json.string(Base64.encoded(bytes))
            }
            if replayed.contains(step.int) {
                json.key("cached")
                json.bool(true)
            }
        }
    }

    /// Sends the characters that a step has begun and not ended.
    private func flush(_ step: StepIndex) {
        for stream in [OutputStream.output, .error] {
            let key = step.int << 1 | (stream == .error ? 1 : 0)
            if let rest = begun.removeValue(forKey: key) { putOutput(step, stream, rest[...]) }
        }
    }

    /// How many bytes at the end are the beginning of a character.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }

    private func putPlace(_ step: StepIndex, _ json: inout JSONWriter) {
        guard let plan = run?.plan, let index = plan.steps[step.int].frame,
            plan.frames.indices.contains(index.int)
        else { return }
        let frame = plan.frames[index.int]
        json.key("place")
        json.beginObject()
        json.key("file")
        json.string(frame.file)
        json.key("line")
        json.integer(frame.line)
        json.key("column")
        json.integer(frame.column)
        json.endObject()
    }

    /// Stamps all events and sends them.
    private func send() {
        if events.isEmpty { return }
        let at = now &- (run?.started ?? now)
        var lines: [UInt8] = []
        lines.reserveCapacity(size + events.count * 24)
        for var json in events {
            json.key("at_ns")
            json.integer(at)
            json.endObject()
            lines += json.bytes
            lines.append(0x0a)
        }
        events.removeAll(keepingCapacity: true)
        size = 0
        sink.send(lines)
    }
}
