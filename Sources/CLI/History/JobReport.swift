/// Jobs as a table, wherever they ran.
enum JobReport {
    /// A line for each job.
    static func list(_ jobs: [JobView], on terminal: Terminal) -> TextBuffer {
        var table = TextTable(["JOB", "STATE", "PIPELINE", "STARTED", "TOOK", "STEPS"])
        for job in jobs {
            table.add([
                .init(job.id), .init(job.state, job.paint), .init(job.pipeline),
                .init(job.started), .init(job.took), .init(job.counts),
            ])
        }
        var buffer = TextBuffer(colour: terminal.colour)
        table.put(into: &buffer, columns: terminal.columns)
        return buffer
    }

    /// One job with its steps.
    static func detail(_ job: JobView, _ steps: [StepView], on terminal: Terminal) -> TextBuffer {
        var buffer = TextBuffer(colour: terminal.colour)
        buffer.safe("job \(job.id)", .bold)
        buffer.put("  ")
        if let paint = job.paint { buffer.safe(job.state, paint) } else { buffer.safe(job.state) }
        buffer.newline()
        for (name, value) in job.facts {
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
            table.add([
                .init(step.name), .init(step.state, step.paint), .init(step.code),
                .init(step.took), .init(step.tries), .init(step.why),
            ])
        }
        table.put(into: &buffer, columns: terminal.columns)
        return buffer
    }
}
