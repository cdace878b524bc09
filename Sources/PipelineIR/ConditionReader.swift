extension PlanReader {
    // MARK: Templates

    enum PartKey: String, SchemaKey {
        case args, base, code, index, limit, op, output, secret
        static let table = KeyTable<Self>()
    }

    /// Templates nest through operations; the reader's bound on depth bounds this recursion.
    mutating func template() throws(PlanError) -> Template {
        switch try json.peek() {
        case .string: return Template(try json.string())
        case .array:
            return Template(parts: try list { (r) throws(PlanError) in try r.part() })
        case let kind:
            throw json.error(
                .schema, "This must be a string or an array of parts, not \(kind.rawValue).")
        }
    }

    private mutating func part() throws(PlanError) -> Template.Part {
        if try json.peek() == .string { return .literal(try json.string()) }
        let start = json.offset
        var keys = try ObjectKeys<PartKey>(&json)
        var found: Set<PartKey> = []
        var part: Template.Part?
        var name: Template.Operation.Name?
        var operation = Template.Operation(name: .strip, base: .empty)
        while let key = try keys.next(&json) {
            found.insert(key)
            switch key {
            case .output: part = .output(try reference())
            case .code: part = .code(try reference())
            case .secret: part = .secret(try json.string())
            case .op: name = try word(Template.Operation.Name.self, \.rawValue)
            case .base: operation.base = try template()
            case .args: operation.arguments = try strings()
            case .index: operation.index = try json.integer(in: Self.positions32, of: "An index")
            case .limit: operation.limit = try json.integer(in: Self.positions32, of: "A limit")
            }
        }
        if let part, found.count == 1 { return part }
        guard part == nil, let name, found.contains(.base) else {
            throw json.error(
                .schema, "A part has one of `output`, `code`, `secret`, or `op` with `base`.",
                at: start)
        }
        operation.name = name
        return .operation(operation)
    }

    private static let positions32 = Int64(Int32.min)...Int64(Int32.max)

    // MARK: Conditions

    enum ConditionKey: String, SchemaKey {
        case all, any, code, compare, defined, not, ok
        static let table = KeyTable<Self>()
    }

    mutating func condition() throws(PlanError) -> Condition {
        _ = try json.peek()
        let start = json.offset
        var condition: Condition?
        var count = 0
        var keys = try ObjectKeys<ConditionKey>(&json)
        while let key = try keys.next(&json) {
            count += 1
            switch key {
            case .all: condition = .all(try operands())
            case .any: condition = .any(try operands())
            case .not: condition = .not(ConditionIndex(try index("A condition's index")))
            case .ok: condition = .ok(try reference())
            case .code: condition = try codeCondition()
            case .compare: condition = try comparison()
            case .defined: condition = .defined(try template())
            }
        }
        guard let condition, count == 1 else {
            throw json.error(
                .schema, "A condition has exactly one key.",
                hint: Spelling.hint(for: "", among: ConditionKey.table.names), at: start)
        }
        return condition
    }

    private mutating func operands() throws(PlanError) -> [ConditionIndex] {
        try list { (r) throws(PlanError) in ConditionIndex(try r.index("A condition's index")) }
    }

    enum CodeKey: String, SchemaKey {
        case ranges = "in"
        case step
        static let table = KeyTable<Self>()
    }

    private mutating func codeCondition() throws(PlanError) -> Condition {
        var step = StepIndex(0)
        var ranges: [ClosedRange<UInt8>] = []
        var keys = try ObjectKeys<CodeKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .step: step = try reference()
            case .ranges: ranges = try list { (r) throws(PlanError) in try r.range() }
            }
        }
        try keys.require(.ranges, .step, in: json)
        return .code(step, ranges)
    }

    private mutating func range() throws(PlanError) -> ClosedRange<UInt8> {
        let start = json.offset
        let bounds = try list { (r) throws(PlanError) in
            UInt8(try r.json.integer(in: 0...255, of: "An exit code"))
        }
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            throw json.error(
                .value, "A range of exit codes is a pair [low, high] that ascends.", at: start)
        }
        return bounds[0]...bounds[1]
    }

    enum CompareKey: String, SchemaKey {
        case left
        case comparison = "operator"
        case right
        static let table = KeyTable<Self>()
    }

    private mutating func comparison() throws(PlanError) -> Condition {
        var comparison = Condition.Comparison.equal
        var left = Template.empty
        var right = Template.empty
        var keys = try ObjectKeys<CompareKey>(&json)
        while let key = try keys.next(&json) {
            switch key {
            case .left: left = try template()
            case .right: right = try template()
            case .comparison: comparison = try word(Condition.Comparison.self, \.rawValue)
            }
        }
        try keys.require(.comparison, .left, .right, in: json)
        return .compare(comparison, left, right)
    }
}
