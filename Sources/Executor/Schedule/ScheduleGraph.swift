import PipelineIR

/// What of a plan does not change while it runs, laid out for the schedule: edges as one array
/// with offsets, settings that few steps have in a table beside.
final class ScheduleGraph: Sendable {
    let plan: Plan
    let priority: [Int64]
    /// Per step.
    let traits: [StepTraits]
    let group: [Int32]
    /// How many edges lead to it.
    let indegree: [Int32]
    /// Index in `extras`, or -1.
    private let extra: [Int32]
    private let extras: [Extra]
    let outputCount: Int
    /// Where the edges of each step begin; one more at the end.
    let firstEdge: [Int32]
    /// Steps that follow, doubled; odd when the edge is only that of a condition.
    let edges: [UInt32]
    let blocks: BlockTree
    /// Indices of notes in the order of their places.
    let notes: [Int32]

    /// What few steps have.
    struct Extra: Sendable, Equatable {
        var cpuMilli: UInt64 = 0
        var memoryBytes: UInt64 = 0
        var retry: Retry?
        var output: Int32 = -1
    }

    init(_ plan: Plan, priority: [Int64]?) {
        self.plan = plan
        let count = plan.steps.count
        self.priority = priority?.count == count ? priority ?? [] : []
        var traits: [StepTraits] = []
        var group: [Int32] = []
        var extra: [Int32] = []
        var extras: [Extra] = []
        traits.reserveCapacity(count)
        group.reserveCapacity(count)
        extra.reserveCapacity(count)
        var outputs: Int32 = 0
        // A step is large, so it is looked at where it is.
        for index in plan.steps.indices {
            traits.append(StepTraits(plan.steps, index))
            group.append(plan.steps[index].group?.value ?? -1)
            if let found = Self.extra(plan.steps, index, &outputs) {
                extra.append(Int32(extras.count))
                extras.append(found)
            } else {
                extra.append(-1)
            }
        }
        self.traits = traits
        self.group = group
        self.extra = extra
        self.extras = extras
        outputCount = Int(outputs)
        (indegree, firstEdge, edges) = Self.edges(plan)
        blocks = BlockTree(plan, group)
        notes = plan.notes.indices.sorted {
            (plan.notes[$0].after, $0) < (plan.notes[$1].after, $1)
        }
        .map { Int32($0) }
    }

    var count: Int { traits.count }

    func settings(_ step: Int32) -> Extra? {
        let index = extra[Int(step)]
        return index < 0 ? nil : extras[Int(index)]
    }

    /// Whether one step starts before another when both could.
    func comesFirst(_ a: Int32, _ b: Int32) -> Bool {
        if priority.isEmpty { return a < b }
        let (one, other) = (priority[Int(a)], priority[Int(b)])
        return one == other ? a < b : one > other
    }

    private static func extra(
        _ steps: [Step], _ index: Int, _ outputs: inout Int32
    ) -> Extra? {
        let retry = steps[index].options?.retry
        let resources = steps[index].options?.resources
        guard retry != nil || resources != nil || steps[index].capture else { return nil }
        var found = Extra()
        found.retry = retry
        // A plan read from a file has less than 2^53 of each.
        found.cpuMilli = min(resources?.cpuMilli ?? 0, 1 << 53)
        found.memoryBytes = min(resources?.memoryBytes ?? 0, 1 << 53)
        if steps[index].capture {
            found.output = outputs
            outputs += 1
        }
        return found
    }

    private static func edges(_ plan: Plan) -> ([Int32], [Int32], [UInt32]) {
        let count = plan.steps.count
        var indegree = [Int32](repeating: 0, count: count)
        var next = [Int32](repeating: 0, count: count + 1)
        for index in plan.steps.indices {
            func count(_ befores: [StepIndex]) {
                for before in befores { next[before.int + 1] += 1 }
                indegree[index] += Int32(befores.count)
            }
            count(plan.steps[index].order)
            count(plan.steps[index].data)
            count(plan.steps[index].conditional)
            if let needs = plan.steps[index].needs { count(needs) }
        }
        for index in 0..<count { next[index + 1] += next[index] }
        let first = next
        var edges = [UInt32](repeating: 0, count: Int(first[count]))
        for index in plan.steps.indices {
            let hard = UInt32(index) << 1
            func add(_ before: StepIndex, _ edge: UInt32) {
                edges[Int(next[before.int])] = edge
                next[before.int] += 1
            }
            for before in plan.steps[index].order { add(before, hard) }
            for before in plan.steps[index].data { add(before, hard) }
            for before in plan.steps[index].conditional { add(before, hard | 1) }
            if let needs = plan.steps[index].needs { for before in needs { add(before, hard) } }
        }
        return (indegree, first, edges)
    }
}

/// What the schedule asks about a step again and again.
struct StepTraits: OptionSet, Sendable {
    let rawValue: UInt8

    /// A failure raises `StepFailed`.
    static let check = StepTraits(rawValue: 1)
    /// Nothing catches it.
    static let fatal = StepTraits(rawValue: 2)
    static let upload = StepTraits(rawValue: 4)
    static let cacheable = StepTraits(rawValue: 8)
    /// `needs` stands in place of program order.
    static let hasNeeds = StepTraits(rawValue: 16)
    static let hasCondition = StepTraits(rawValue: 32)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What is asked about the step at an index.
    init(_ steps: [Step], _ index: Int) {
        var traits: StepTraits = []
        if steps[index].check { traits.insert(.check) }
        if steps[index].fatal { traits.insert(.fatal) }
        if steps[index].kind == .upload { traits.insert(.upload) }
        if steps[index].needs != nil { traits.insert(.hasNeeds) }
        if steps[index].condition != nil { traits.insert(.hasCondition) }
        if steps[index].kind == .run {
            switch steps[index].options?.cache {
            case .always: traits.insert(.cacheable)
            case .auto where steps[index].options?.isDeclared == true:
                traits.insert(.cacheable)
            case .auto, .never, nil: break
            }
        }
        self = traits
    }
}

extension ScheduleGraph: Equatable {
    static func == (a: ScheduleGraph, b: ScheduleGraph) -> Bool {
        a === b || (a.priority == b.priority && a.plan == b.plan)
    }
}
