import Executor
import PipelineIR

/// What every watch says at the end: failed steps, failed tests, artifacts, one last line.
struct EndReport {
    /// Failed steps that are shown with what they wrote; the others are named.
    static let shownFailures = 10
    /// Failed tests that are named.
    static let shownTests = 20

    let record: RunRecord
    let summary: RunSummary
    let options: WatchOptions
    private(set) var buffer: TextBuffer
    private let glyphs: Glyphs

    init(_ record: RunRecord, _ summary: RunSummary, _ options: WatchOptions) {
        self.record = record
        self.summary = summary
        self.options = options
        buffer = TextBuffer(colour: options.terminal.colour)
        glyphs = Glyphs(unicode: options.terminal.unicode)
    }

    /// All of it.
    static func render(
        _ record: RunRecord, _ summary: RunSummary, _ options: WatchOptions,
        onlyFailures: Bool = false
    ) -> [UInt8] {
        var report = EndReport(record, summary, options)
        report.putFailures()
        report.putTests()
        if !onlyFailures { report.putArtifacts() }
        report.putMessage()
        report.putLastLine()
        return report.buffer.bytes
    }

    // MARK: Failures

    private mutating func putFailures() {
        // Failures that a danubefile allowed are data; they are shown only when nothing else is.
        let all = record.failures.sorted { $0.step < $1.step }
        var failures = all.filter(\.end.isFatal)
        if failures.isEmpty, summary.outcome == .failure { failures = all }
        for failure in failures.prefix(Self.shownFailures) {
            buffer.newline()
            var text = FailureText(
                failure, record, options, glyphs, colour: options.terminal.colour,
                isReopenable: summary.reopenable.contains(failure.step))
            text.put()
            buffer.put(bytes: text.buffer.bytes)
        }
        let rest = failures.dropFirst(Self.shownFailures)
        if !rest.isEmpty { buffer.newline() }
        for failure in rest {
            putSign(glyphs.sign(failure.end.result))
            buffer.put(record.names.long(failure.step), .bold)
            buffer.put("  ")
            buffer.put(EndWords.text(failure.end, origin: nil))
            buffer.newline()
        }
        let failed = (record.counts[.failed] ?? 0) + (record.counts[.lost] ?? 0)
        if failed > record.failures.count {
            buffer.put("\(failed - record.failures.count) more steps failed", .dim)
            buffer.newline()
        }
        if !failures.isEmpty { buffer.newline() }
    }

    // MARK: Tests, artifacts

    private mutating func putTests() {
        let tests = summary.tests
        guard tests.failed > 0 || !summary.failedTests.isEmpty else { return }
        let failed = max(tests.failed, summary.failedTests.count)
        let total = max(tests.total, failed)
        putSign(glyphs.sign(StepEnd.Result.failed))
        buffer.put("\(failed) of \(PlanTable.count(total, "test")) failed", .bold)
        buffer.newline()
        for name in summary.failedTests.prefix(Self.shownTests) {
            buffer.put("    ")
            buffer.safe(name, columns: options.columns.map { $0 - 5 } ?? .max)
            buffer.newline()
        }
        let rest = failed - min(summary.failedTests.count, Self.shownTests)
        if rest > 0 {
            buffer.put("    and \(rest) more", .dim)
            buffer.newline()
        }
        buffer.newline()
    }

    private mutating func putArtifacts() {
        for artifact in summary.artifacts {
            buffer.put("artifact ", .dim)
            buffer.safe(artifact.name, columns: 60)
            buffer.put(options.terminal.unicode ? " → " : " -> ", .dim)
            // A path is never cut: it is there to be copied.
            buffer.safe(artifact.path, .cyan)
            buffer.newline()
        }
    }

    private mutating func putMessage() {
        guard let message = summary.message, !message.isEmpty else { return }
        buffer.put(summary.outcome == .live ? "live: " : "danubefile: ", .bold)
        for (number, line) in message.split(separator: "\n").prefix(20).enumerated() {
            if number > 0 { buffer.put("    ") }
            buffer.safe(String(line))
            buffer.newline()
        }
    }

    // MARK: The last line

    private mutating func putLastLine() {
        let (sign, paint) = glyphs.sign(summary.outcome)
        let words =
            switch summary.outcome {
            case .success: "succeeded"
            case .failure: "failed"
            case .cancelled: "cancelled"
            case .live: "ends where the rest is decided live"
            }
        var used = 2 + words.utf8.count
        buffer.put("\(sign) ", paint)
        used += buffer.safe(record.run.plan.pipeline, .bold)
        buffer.put(" \(words)", paint)
        let time = " in \(Elapsed.text(summary.nanoseconds))"
        buffer.put(time)
        used += time.utf8.count
        let facts = Self.counts(summary, allowed: record.allowed)
        if !facts.isEmpty {
            buffer.put(glyphs.dot, .dim)
            used += 3 + facts.reduce(0) { $0 + $1.text.utf8.count + 2 }
            for (number, fact) in facts.enumerated() {
                if number > 0 { buffer.put(", ") }
                if let paint = fact.paint { buffer.begin(paint) }
                buffer.put(fact.text)
                if fact.paint != nil { buffer.end() }
            }
        }
        if summary.tests.total > 0 {
            buffer.put(glyphs.dot, .dim)
            let passed = summary.tests.total - summary.tests.failed - summary.tests.skipped
            let words = "\(passed) of \(PlanTable.count(summary.tests.total, "test")) passed"
            buffer.put(words)
            used += 3 + words.utf8.count
        }
        // The first line says it as well.
        let room = options.columns ?? .max
        if !record.run.job.isEmpty, used + 7 + DisplayText.width(record.run.job) <= room {
            buffer.put(glyphs.dot, .dim)
            buffer.put("job ", .dim)
            buffer.safe(record.run.job, .dim)
        }
        buffer.newline()
    }

    /// `12 ran, 8 cached, 1 skipped, 1 failed`: a step that failed ran as well.
    static func counts(
        _ summary: RunSummary, allowed: Int
    ) -> [(text: String, paint: TextBuffer.Paint?)] {
        func count(_ result: StepEnd.Result) -> Int { summary.counts[result] ?? 0 }
        var facts: [(text: String, paint: TextBuffer.Paint?)] = []
        let failed = count(.failed) + count(.lost)
        let ran = count(.succeeded) + failed
        if ran > 0 || count(.cached) == 0 { facts.append(("\(ran) ran", nil)) }
        if count(.cached) > 0 { facts.append(("\(count(.cached)) cached", nil)) }
        if count(.skipped) > 0 { facts.append(("\(count(.skipped)) skipped", nil)) }
        if failed > 0 {
            let words =
                allowed == 0 ? "" : allowed >= failed ? " (allowed)" : " (\(allowed) allowed)"
            facts.append(("\(failed) failed\(words)", allowed >= failed ? .yellow : .red))
        }
        if count(.blocked) > 0 { facts.append(("\(count(.blocked)) blocked", .yellow)) }
        if count(.cancelled) > 0 { facts.append(("\(count(.cancelled)) cancelled", .yellow)) }
        return facts
    }

    private mutating func putSign(_ sign: (String, TextBuffer.Paint)) {
        buffer.put(sign.0, sign.1)
        buffer.put(" ")
    }
}
