extension Plan {
    /// Checks everything that readers of a plan rely on; linear in the size of the plan.
    ///
    /// Used on what was decoded, and by the compiler on its own output. Throws the first mistake
    /// with its path, or that there is no time left: `isOver` is asked once in a while.
    package func validate(unless isOver: () -> Bool = { false }) throws(PlanError) {
        if steps.count > PlanLimits.steps {
            throw PlanError(
                .limit, [.key("steps")], "A plan has at most \(PlanLimits.steps) steps.")
        }
        var validator = PlanValidator(plan: self)
        try validator.header()
        try validator.beside()
        try validator.conditions()
        try validator.steps(unless: isOver)
        try validator.ends()
    }
}

/// Checks the meaning of a plan. `path` says what is looked at.
struct PlanValidator {
    let plan: Plan
    /// The last step that each condition depends on, or -1.
    var latest: [Int32] = []
    var edgeCount = 0

    init(plan: Plan) { self.plan = plan }

    mutating func header() throws(PlanError) {
        try name(plan.pipeline, [.key("pipeline")], "The pipeline's name")
        try text(plan.entry, [.key("entry")])
        try text(plan.description, [.key("description")])
        try image(plan.defaultImage, [.key("image")])
        try concurrency()
        try values("parameters", plan.parameters.map { ($0.name, $0.valueJSON) })
        for (index, parameter) in plan.parameters.enumerated() {
            try line(
                parameter.type, PlanPath([.key("parameters"), .index(index), .key("type")]),
                "A type")
        }
        try values("context", plan.context.map { ($0.name, $0.valueJSON) })
    }

    private func concurrency() throws(PlanError) {
        try line(plan.concurrency, [.key("concurrency")], "A concurrency group")
        let path: PlanPath = [.key("concurrency_rule")]
        if plan.concurrency.isEmpty, !plan.concurrencyRule.isEmpty {
            throw PlanError(.value, path, "The rule is that of no group.")
        }
        if !Plan.isConcurrencyRule(plan.concurrencyRule) {
            throw PlanError(
                .value, path, "`\(plan.concurrencyRule)` is no rule.",
                hint: "There are serialize, replace and queue(N).")
        }
    }

    private func values(
        _ key: String, _ values: [(name: String, json: String)]
    ) throws(PlanError) {
        var names: Set<String> = []
        for (index, value) in values.enumerated() {
            let path = PlanPath([.key(key), .index(index)])
            try name(value.name, path.key("name"), "A name")
            if !names.insert(value.name).inserted {
                throw PlanError(
                    .value, path.key("name"), "The name `\(value.name)` stands twice.")
            }
            let bytes = [UInt8](value.json.utf8)
            do throws(PlanError) {
                guard try CanonicalJSON.canonical(bytes) == bytes else {
                    throw PlanError(.value, [], "The value is not canonical JSON.")
                }
            } catch {
                throw PlanError(error.reason, path.key("value"), error.message, hint: error.hint)
            }
        }
    }

    // MARK: Sources, frames, groups

    func beside() throws(PlanError) {
        for (index, source) in plan.sources.enumerated() {
            let path = PlanPath([.key("sources"), .index(index)])
            try relative(source.path, path.key("path"), "The path")
            let isHex = Digest(hex: source.digest) != nil
            guard isHex || (source.kind == .absent && source.digest.isEmpty) else {
                throw PlanError(
                    .value, path.key("digest"), "A digest is 64 lower-case hexadecimal digits.")
            }
        }
        for (index, frame) in plan.frames.enumerated() {
            let path = { PlanPath([.key("frames"), .index(index)]) }
            try text(frame.file, path().key("file"))
            try text(frame.function, path().key("function"))
            if min(frame.line, frame.column, frame.endLine, frame.endColumn) < 0 {
                throw PlanError(.value, path(), "A position in a file is not negative.")
            }
            try before(frame.parent?.value, index, path().key("parent"), "frame")
        }
        for (index, group) in plan.groups.enumerated() {
            let path = PlanPath([.key("groups"), .index(index)])
            try line(group.name, path.key("name"), "A name")
            try before(group.parent?.value, index, path.key("parent"), "group")
            try before(group.frame?.value, plan.frames.count, path.key("frame"), "frame")
        }
    }

    // MARK: Conditions

    mutating func conditions() throws(PlanError) {
        latest = Array(repeating: -1, count: plan.conditions.count)
        for (index, condition) in plan.conditions.enumerated() {
            let path = PlanPath([.key("conditions"), .index(index)])
            var last: Int32 = -1
            for operand in condition.operands {
                try before(operand.value, index, path, "condition")
                last = max(last, latest[operand.int])
            }
            switch condition {
            case .code(_, let ranges):
                let pairs = zip(ranges, ranges.dropFirst())
                if ranges.isEmpty || pairs.contains(where: { $0.upperBound >= $1.lowerBound }) {
                    throw PlanError(
                        .value, path, "Ranges of exit codes ascend and do not touch each other.")
                }
            case .compare(_, let left, let right):
                try template(left, path.key("compare"), before: plan.steps.count)
                try template(right, path.key("compare"), before: plan.steps.count)
            case .defined(let value):
                try template(value, path.key("defined"), before: plan.steps.count)
            case .ok, .all, .any, .not: break
            }
            var lowest: Int32 = 0
            condition.forEachStep {
                last = max(last, $0.value)
                lowest = min(lowest, $0.value)
            }
            if lowest < 0 || last >= plan.steps.count {
                throw PlanError(
                    .reference, path, "The condition mentions a step that is not there.")
            }
            latest[index] = last
        }
    }

    /// A condition that is there and mentions only steps before `limit`.
    func condition(
        _ index: ConditionIndex?, before limit: Int, _ path: @autoclosure () -> PlanPath
    ) throws(PlanError) {
        guard let index else { return }
        try before(index.value, plan.conditions.count, path(), "condition")
        if latest[index.int] >= limit {
            let id = plan.steps[Int(latest[index.int])].id.prefix(256)
            throw PlanError(
                .reference, path(), "The condition asks for the result of `\(id)`, which is later.")
        }
    }

    // MARK: Notes and exits

    func ends() throws(PlanError) {
        for (index, note) in plan.notes.enumerated() {
            let path = PlanPath([.key("notes"), .index(index)])
            if note.after < 0 || note.after > plan.steps.count {
                throw PlanError(.reference, path.key("after"), "There are not that many steps.")
            }
            try template(note.text, path.key("text"), before: plan.steps.count)
            try condition(note.condition, before: plan.steps.count, path.key("when"))
            try before(note.frame?.value, plan.frames.count, path.key("frame"), "frame")
        }
        for (index, exit) in plan.exits.enumerated() {
            let path = PlanPath([.key("exits"), .index(index)])
            try text(exit.message, path.key("message"))
            try text(exit.expression, path.key("expression"))
            try line(exit.code, path.key("code"), "A code")
            try condition(exit.condition, before: plan.steps.count, path.key("when"))
            try before(exit.frame?.value, plan.frames.count, path.key("frame"), "frame")
        }
    }

    // MARK: Indices

    /// An index that is absent or from 0 up to `limit`, without it.
    func before(
        _ index: Int32?, _ limit: Int, _ path: @autoclosure () -> PlanPath, _ what: String
    ) throws(PlanError) {
        guard let index, index < 0 || Int(index) >= limit else { return }
        throw PlanError(.reference, path(), "There is no \(what) \(index) before this.")
    }
}
