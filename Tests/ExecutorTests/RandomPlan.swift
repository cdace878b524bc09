import PipelineIR

/// Numbers from a seed, the same everywhere (SplitMix64, Steele et al. 2014).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &self) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Valid plans with everything that a schedule looks at: edges of each kind, conditions, blocks in
/// blocks, failures that are caught or not, retries, resources, cacheable steps, uploads, notes.
struct RandomPlan {
    private var random: Seeded
    private(set) var plan = Plan(pipeline: "p")
    private let count: Int

    static func plan(_ seed: UInt64) -> Plan {
        var maker = RandomPlan(seed)
        maker.fill()
        return maker.plan
    }

    private init(_ seed: UInt64) {
        random = Seeded(seed)
        count = 1 + random.below(random.chance(40) ? 60 : 14)
    }

    private mutating func fill() {
        block(parent: nil, steps: count, depth: 0)
        if random.chance(40) {
            for kind in [Exit.Kind.failure, .live] where random.chance(60) {
                plan.exits.append(
                    Exit(kind: kind, condition: condition(), frame: frame(random.below(4))))
            }
            plan.exits.append(Exit(kind: .success, condition: nil))
        }
        plan.frames = (0..<4).map {
            Frame(
                file: "danubefile.py", line: Int32($0), column: 1, endLine: 1, endColumn: 1,
                function: "p", parent: nil)
        }
    }

    private func frame(_ index: Int) -> FrameIndex { FrameIndex(index) }

    /// Fills a block with steps and blocks that stand together in program order.
    private mutating func block(parent: GroupIndex?, steps: Int, depth: Int) {
        var left = steps
        while left > 0 {
            if random.chance(15) { note() }
            if depth < 4, left > 1, random.chance(30) {
                let size = 1 + random.below(left)
                plan.groups.append(
                    Group(
                        kind: random.chance(60) ? .parallel : .sequence, name: "", parent: parent,
                        failFast: random.chance(60), frame: nil))
                block(parent: GroupIndex(plan.groups.count - 1), steps: size, depth: depth + 1)
                left -= size
            } else {
                step(in: parent)
                left -= 1
            }
        }
    }

    private mutating func note() {
        plan.notes.append(
            Note(
                text: Template("n"), condition: random.chance(30) ? condition() : nil, frame: nil,
                after: Int32(plan.steps.count)))
    }

    private mutating func step(in group: GroupIndex?) {
        let index = plan.steps.count
        var step = Step(id: "s\(index)", name: "s\(index)", command: .script(Template("x")))
        step.group = group
        step.frame = frame(random.below(4))
        step.check = random.chance(75)
        step.fatal = step.check && random.chance(60)
        step.capture = random.chance(30)
        if random.chance(10) {
            step.kind = .upload
            step.check = true
            step.fatal = true
            step.capture = false
            step.command = .script(.empty)
        }
        if random.chance(35) { step.condition = condition() }
        step.order = some(random.chance(50) ? 1 : 3)
        step.data = some(random.chance(70) ? 0 : 2)
        step.conditional = condition(of: step)
        if random.chance(10) { step.needs = some(2) }
        if step.kind == .upload {
            var options = Step.Options()
            options.upload = Upload(path: Template("out"), name: "out", junit: false)
            step.options = options
        } else {
            step.options = options()
        }
        if index > 0, random.chance(20) {
            let first = random.below(index)
            let last = first + random.below(index - first)
            var options = step.settings
            options.cleanup = Cleanup(first: StepIndex(first), last: StepIndex(last))
            step.options = options
        }
        plan.steps.append(step)
    }

    private mutating func some(_ most: Int) -> [StepIndex] {
        guard !plan.steps.isEmpty else { return [] }
        // Mostly what stands near, as in a program.
        let near = max(0, plan.steps.count - 6)
        return Set(
            (0..<random.below(most + 1)).map { _ in
                let from = random.chance(70) ? near : 0
                return StepIndex(from + random.below(plan.steps.count - from))
            }
        ).sorted()
    }

    private mutating func options() -> Step.Options {
        var options = Step.Options()
        if random.chance(25) {
            options.retry = Retry(
                attempts: UInt32(1 + random.below(3)),
                delayMilliseconds: UInt64(random.below(3)) * 500,
                backoff: [0, 1, 2, 1e300][random.below(4)],
                onCodes: random.chance(30) ? [1] : [])
        }
        if random.chance(30) {
            options.resources = Resources(
                cpuMilli: UInt64(random.below(5)) * 500,
                memoryBytes: UInt64(random.below(6)) << 30, diskBytes: 0, gpu: 0)
        }
        if random.chance(30) {
            options.inputs = ["a"]
            options.outputs = ["b"]
        }
        if random.chance(10) { options.cache = random.chance(50) ? .always : .never }
        return options
    }

    // MARK: Conditions

    /// Steps that a step's condition looks at.
    private func condition(of step: Step) -> [StepIndex] {
        guard let condition = step.condition else { return [] }
        var found: Set<StepIndex> = []
        var todo = [condition]
        while let one = todo.popLast() {
            plan.conditions[one.int].forEachStep { found.insert($0) }
            todo += plan.conditions[one.int].operands
        }
        return found.sorted()
    }

    private mutating func condition() -> ConditionIndex? {
        guard !plan.steps.isEmpty else { return nil }
        if plan.conditions.isEmpty || random.chance(50) {
            plan.conditions.append(atom())
        } else {
            let operands = (0..<1 + random.below(3)).map { _ in
                ConditionIndex(random.below(plan.conditions.count))
            }
            switch random.below(3) {
            case 0: plan.conditions.append(.all(operands))
            case 1: plan.conditions.append(.any(operands))
            default: plan.conditions.append(.not(operands[0]))
            }
        }
        return ConditionIndex(plan.conditions.count - 1)
    }

    private mutating func atom() -> Condition {
        let step = StepIndex(random.below(plan.steps.count))
        let captured = plan.steps.indices.filter { plan.steps[$0].capture }
        if let other = captured.randomElement(using: &random), random.chance(30) {
            let output = Template(parts: [.output(StepIndex(other))])
            if random.chance(30) {
                return .defined(
                    Template(parts: [
                        .operation(.init(name: .split, base: output, index: 1))
                    ]))
            }
            return .compare(random.chance(50) ? .equal : .contained, Template("a"), output)
        }
        switch random.below(4) {
        case 0: return .ok(step)
        case 1: return .code(step, [2...3, 130...255])
        default: return .code(step, [1...255])
        }
    }
}
