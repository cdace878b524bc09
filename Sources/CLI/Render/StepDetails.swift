import PipelineIR

/// What there is to say of a step beside its name, image and predecessors.
struct StepDetails {
    /// One remark.
    struct Remark {
        var text: String
        var paint: TextBuffer.Paint
        var columns: Int { DisplayText.width(text) }
    }

    let conditions: ConditionWords
    /// Texts of conditions, by index: many steps share few.
    private var known: [String?]

    init(_ plan: Plan) {
        conditions = ConditionWords(plan)
        known = Array(repeating: nil, count: plan.conditions.count)
    }

    /// The remarks on a step, escaped, the condition first; most steps have none.
    mutating func remarks(_ step: Step) -> [Remark] {
        if step.condition == nil, step.check, !step.capture, step.options == nil { return [] }
        var remarks: [Remark] = []
        if let condition = step.condition {
            remarks.append(Remark(text: "if " + text(condition), paint: .yellow))
        }
        if !step.check { remarks.append(Remark(text: "may fail", paint: .magenta)) }
        if step.capture { remarks.append(Remark(text: "output captured", paint: .dim)) }
        if let options = step.options { add(options, to: &remarks) }
        return remarks
    }

    private mutating func text(_ condition: ConditionIndex) -> String {
        guard known.indices.contains(condition.int) else { return "?" }
        if let text = known[condition.int] { return text }
        let text = DisplayText.escaped(conditions.text(condition))
        known[condition.int] = text
        return text
    }

    private func add(_ options: Step.Options, to remarks: inout [Remark]) {
        func add(_ text: String, _ paint: TextBuffer.Paint = .dim) {
            remarks.append(Remark(text: DisplayText.escaped(text), paint: paint))
        }
        if let upload = options.upload {
            let kind = upload.junit ? "test report" : "artifact"
            let path = conditions.templates.text(upload.path)
            // Without a name of its own it is called by its path.
            add(path == upload.name ? kind : "\(kind) \(path)", .cyan)
        }
        switch options.cache {
        case .always: add("cached", .green)
        case .never: add("never cached")
        case .auto:
            if options.inputs != nil, options.outputs != nil { add("cached", .green) }
        }
        if let retry = options.retry {
            add("\(retry.attempts) \(retry.attempts == 1 ? "retry" : "retries")")
        }
        if options.timeoutMilliseconds > 0 {
            add("at most \(Self.duration(options.timeoutMilliseconds))")
        }
        for service in options.services.prefix(8) { add("with \(service.image)", .blue) }
        if options.services.count > 8 { add("with \(options.services.count - 8) more services") }
        if let resources = options.resources { add(Self.words(resources)) }
    }

    /// A length of time in its two largest units: `1h30m`, `90s` as `1m30s`, `1.5s`.
    static func duration(_ milliseconds: UInt64) -> String {
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        let seconds = milliseconds / 1000
        if seconds < 60 {
            let tenths = milliseconds % 1000 / 100
            return tenths == 0 ? "\(seconds)s" : "\(seconds).\(tenths)s"
        }
        if seconds < 3600 {
            return "\(seconds / 60)m" + (seconds % 60 == 0 ? "" : "\(seconds % 60)s")
        }
        let minutes = seconds % 3600 / 60
        return "\(seconds / 3600)h" + (minutes == 0 ? "" : "\(minutes)m")
    }

    /// A size in the largest binary unit that leaves a whole number.
    static func bytes(_ count: UInt64) -> String {
        var value = count
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while value >= 1024, value % 1024 == 0, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        return "\(value) \(units[unit])"
    }

    /// What is asked of a machine: `2 CPU 512 MiB`.
    static func words(_ resources: Resources) -> String {
        var words: [String] = []
        if resources.cpuMilli > 0 {
            let whole = resources.cpuMilli % 1000 == 0
            words.append(
                whole ? "\(resources.cpuMilli / 1000) CPU" : "\(resources.cpuMilli)m CPU")
        }
        if resources.memoryBytes > 0 { words.append(bytes(resources.memoryBytes)) }
        if resources.diskBytes > 0 { words.append(bytes(resources.diskBytes) + " disk") }
        if resources.gpu > 0 { words.append("\(resources.gpu) GPU") }
        return words.joined(separator: " ")
    }
}
