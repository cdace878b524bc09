import Executor
import PipelineIR

/// Why a step ran, or did not, in words and in JSON.
struct WhyReport {
    /// Version of the JSON. A new field is no new version.
    static let version = 1
    /// Differences that are shown; JSON has them all.
    private static let shownChanges = 30

    let step: JobStep
    let job: JobRecord
    let why: StepWhy
    let plan: Plan?
    let jobs: Jobs

    // MARK: Text

    func put(into buffer: inout TextBuffer, columns: Int?) throws(Failure) {
        buffer.put("`")
        buffer.safe(step.name, .bold)
        buffer.put("` ")
        buffer.safe(try sentence())
        buffer.newline()
        for line in try details() {
            buffer.put("  ")
            buffer.safe(line, columns: columns.map { max(8, $0 - 2) } ?? .max)
            buffer.newline()
        }
        if let hint {
            buffer.put("  ")
            buffer.put("hint:", .boldGreen)
            buffer.put(" ")
            buffer.safe(hint)
            buffer.newline()
        }
    }

    /// The answer, after the step's name.
    private func sentence() throws(Failure) -> String {
        let place = "in job \(job.id)"
        let since = why.earlier.map { "job \($0.job.id)" } ?? "an earlier job"
        switch why.verdict {
        case .hit(let source?): return "was taken from the cache \(place): job \(source) made it"
        case .hit(nil): return "was taken from the cache \(place)"
        case .unchanged(let source?):
            return
                "had nothing to do \(place): nothing it reads or writes changed since job \(source)"
        case .unchanged(nil):
            return "had nothing to do \(place): nothing it reads or writes changed"
        case .changed(let changes) where changes.isEmpty:
            return "is the same \(place) as in \(since)"
        case .changed:
            return isHit
                ? "differs \(place) from \(since):" : "ran \(place) because, since \(since):"
        case .first: return "ran \(place) because it never ran before"
        case .evicted:
            return "ran \(place) because its result of \(since) was not in the cache any more"
        case .notKept:
            return "ran \(place) because its result of \(since) was not kept:"
                + " inputs changed while it ran"
        case .failedBefore(let state):
            return
                "ran \(place) because it \(Self.past(state)) in \(since), and only successes"
                + " are kept; nothing had changed"
        case .forgotten:
            return "ran \(place) because something had changed since \(since);"
                + " what it was made of is not in the cache any more"
        case .uncacheable(let reason): return "ran \(place): it is not cacheable because \(reason)"
        case .cacheOff: return "ran \(place) because the cache was off (--no-cache)"
        case .skipped: return "was skipped \(place): \(try conditionText())"
        case .blocked(let culprit):
            guard let culprit else {
                return "did not run \(place) because a step before it failed"
            }
            return "did not run \(place) because \(try outcome(of: culprit)) before it"
        case .cancelled: return "did not run \(place): it was cancelled"
        case .open:
            return job.state == .running
                ? "has not ended: job \(job.id) is still running"
                : "did not run: job \(job.id) was interrupted before it"
        }
    }

    private var isHit: Bool { step.record.state == .cached }

    private var hint: String? {
        switch why.verdict {
        case .uncacheable where isDeclaring: "Declare inputs= and outputs= to have its result kept."
        default: nil
        }
    }

    private var isDeclaring: Bool {
        guard let plan, plan.steps.indices.contains(step.record.step) else { return false }
        let planned = plan.steps[step.record.step]
        return planned.kind == .run && planned.settings.cache != .never
    }

    private func details() throws(Failure) -> [String] {
        switch why.verdict {
        case .changed(let changes): ChangeText.lines(changes, most: Self.shownChanges)
        case .skipped: try facts()
        case .forgotten where !step.record.reason.isEmpty: [step.record.reason]
        default: []
        }
    }

    private static func past(_ state: StepRecord.State) -> String {
        switch state {
        case .failed: "failed"
        case .cancelled: "was cancelled"
        case .lost: "was lost"
        default: "did not end"
        }
    }

    // MARK: Conditions

    private var condition: ConditionIndex? {
        guard let plan, plan.steps.indices.contains(step.record.step) else { return nil }
        return plan.steps[step.record.step].condition
    }

    private func conditionText() throws(Failure) -> String {
        guard let plan, let condition else { return "its condition did not hold" }
        return "it runs only if \(ConditionWords(plan).text(condition))"
    }

    /// What became of the steps that the condition asks about.
    private func facts() throws(Failure) -> [String] {
        guard let plan, plan.steps.indices.contains(step.record.step) else { return [] }
        var facts: [String] = []
        for asked in plan.steps[step.record.step].conditional.prefix(10) {
            facts.append(try outcome(of: asked))
        }
        return facts
    }

    /// "`Test` failed (exit code 2)".
    private func outcome(of index: StepIndex) throws(Failure) -> String {
        let record: StepRecord
        do throws(HistoryError) { record = try jobs.history.step(index.int, of: job) } catch {
            throw Jobs.failure(error)
        }
        let known = plan.map {
            $0.steps.indices.contains(index.int) ? $0.steps[index.int].name : ""
        }
        let name = "`\(known ?? "step \(index.int + 1)")`"
        switch record.state {
        case .succeeded: return "\(name) succeeded"
        case .cached: return "\(name) succeeded, from the cache"
        case .failed:
            let code = record.exitCode.map { " (exit code \($0))" } ?? ""
            return "\(name) failed\(code)"
        case .skipped: return "\(name) was skipped"
        case .blocked: return "\(name) did not run"
        case .cancelled: return "\(name) was cancelled"
        case .lost: return "\(name) was lost"
        case .open: return "\(name) did not end"
        }
    }

    // MARK: JSON

    /// `{"steps":[…],"v":1}`.
    static func json(_ reports: [WhyReport]) throws(Failure) -> TextBuffer {
        var json = JSONWriter()
        json.beginObject()
        json.key("steps")
        json.beginArray()
        for report in reports { try report.put(&json) }
        json.endArray()
        json.key("v")
        json.integer(version)
        json.endObject()
        var buffer = TextBuffer()
        buffer.put(bytes: json.bytes)
        buffer.put(byte: 0x0a)
        return buffer
    }

    private func put(_ json: inout JSONWriter) throws(Failure) {
        json.beginObject()
        if case .changed(let changes) = why.verdict {
            json.key("changes")
            ChangeJSON.put(changes, &json)
        }
        if case .skipped = why.verdict, let plan, let condition {
            json.key("condition")
            json.string(ConditionWords(plan).text(condition))
        }
        text("id", step.id, &json)
        text("job", job.id.text, &json)
        text("key", why.key?.description, &json)
        text("name", step.name, &json)
        switch why.verdict {
        case .uncacheable(let reason): text("reason", reason, &json)
        case .blocked(let culprit?): text("reason", try outcome(of: culprit), &json)
        default: break
        }
        text("since_job", why.earlier?.job.id.text, &json)
        text("since_key", why.earlier?.key.description, &json)
        switch why.verdict {
        case .hit(let source), .unchanged(let source): text("source_job", source?.text, &json)
        default: break
        }
        text("state", step.record.state.word, &json)
        text("why", why.verdict.word, &json)
        json.endObject()
    }

    private func text(_ key: StaticString, _ text: String?, _ json: inout JSONWriter) {
        guard let text else { return }
        json.key(key)
        json.string(text)
    }
}
