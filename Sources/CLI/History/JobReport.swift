import Executor
import PipelineIR

/// Jobs as a table.
enum JobReport {
    /// A line for each job.
    static func list(_ jobs: [JobRecord], on terminal: Terminal) -> TextBuffer {
        var table = TextTable(["JOB", "STATE", "PIPELINE", "STARTED", "TOOK", "STEPS"])
        for job in jobs {
            table.add([
                .init(job.id.text), .init(job.state.rawValue, paint(job.state)),
                .init(job.pipeline), .init(job.started.local), .init(took(job)),
                .init(counts(job)),
            ])
        }
        var buffer = TextBuffer(colour: terminal.colour)
        table.put(into: &buffer, columns: terminal.columns)
        return buffer
    }

    /// One job with its steps.
    static func detail(
        _ job: JobRecord, _ steps: [JobStep], on terminal: Terminal
    ) -> TextBuffer {
        var buffer = TextBuffer(colour: terminal.colour)
        buffer.put("job \(job.id)", .bold)
        buffer.put("  ")
        buffer.put(job.state.rawValue, paint(job.state))
        buffer.newline()
        var facts = [
            ("pipeline", job.pipeline), ("repository", job.repository),
            ("trigger", job.branch.map { "\(job.trigger) on \($0)" } ?? job.trigger),
            ("mode", job.mode), ("plan", job.plan.description), ("started", job.started.local),
            ("took", took(job)),
        ]
        if let revision = job.revision { facts.insert(("commit", revision), at: 3) }
        if let repeated = job.repeats { facts.append(("same as", repeated.text)) }
        for (name, value) in facts {
            buffer.put("  ")
            buffer.put(name, .dim)
            buffer.blanks(12 - name.utf8.count)
            buffer.safe(value)
            buffer.newline()
        }
        guard !steps.isEmpty else { return buffer }
        buffer.newline()
        var table = TextTable(["STEP", "STATE", "CODE", "TOOK", "TRIES", "WHY"])
        for step in steps {
            let record = step.record
            table.add([
                .init(step.name), .init(record.state.word, paint(record.state)),
                .init(record.exitCode.map(String.init) ?? ""),
                .init(record.duration.map(DurationText.render) ?? ""),
                .init(record.attempts.count > 1 ? String(record.attempts.count) : ""),
                .init(why(record)),
            ])
        }
        table.put(into: &buffer, columns: terminal.columns)
        return buffer
    }

    private static func why(_ record: StepRecord) -> String {
        if !record.reason.isEmpty { return record.reason }
        if let source = record.source { return "result of job \(source)" }
        return record.attempts.last?.outcome ?? ""
    }

    private static func took(_ job: JobRecord) -> String {
        if let ended = job.ended { return DurationText.render(ended.since(job.started)) }
        return job.state == .running ? DurationText.render(Timestamp.now().since(job.started)) : ""
    }

    private static func counts(_ job: JobRecord) -> String {
        var parts: [String] = []
        for (state, word) in [
            (StepRecord.State.succeeded, "ran"), (.failed, "failed"), (.lost, "lost"),
            (.cached, "cached"), (.skipped, "skipped"), (.blocked, "blocked"),
            (.cancelled, "cancelled"),
        ] where job.counts[state] > 0 {
            parts.append("\(job.counts[state]) \(word)")
        }
        return parts.isEmpty ? "\(job.stepCount)" : parts.joined(separator: ", ")
    }

    private static func paint(_ state: JobRecord.State) -> TextBuffer.Paint {
        switch state {
        case .succeeded: .green
        case .failed, .lost: .red
        case .cancelled: .yellow
        case .running, .live: .cyan
        }
    }

    private static func paint(_ state: StepRecord.State) -> TextBuffer.Paint {
        switch state {
        case .succeeded, .cached: .green
        case .failed, .lost: .red
        case .cancelled: .yellow
        case .skipped, .blocked, .open: .dim
        }
    }
}
