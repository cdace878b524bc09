extension Plan {
    /// Reads a plan from JSON: bounded before it is decoded, strict about keys, types and meaning.
    ///
    /// Steps may stand in any order that their references allow to be sorted; what is returned is
    /// sorted and valid. Throws the first mistake, with its path and position in the text.
    package static func decode(json bytes: [UInt8]) throws(PlanError) -> Plan {
        if bytes.count > PlanLimits.bytes {
            throw PlanError(.limit, [], "A plan has at most 64 MiB; this has \(bytes.count) bytes.")
        }
        if bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) {
            throw PlanError(
                .syntax, [], "The plan is empty.",
                hint: "`danube plan --format json` writes one.",
                position: PlanError.Position(line: 1, column: 1))
        }
        var reader = PlanReader(bytes)
        try reader.scanSteps()
        var plan = try reader.plan()
        var order: [Int] = []
        do throws(PlanError) {
            order = try plan.sortSteps()
            try plan.validate()
        } catch {
            throw reader.located(error, order: order)
        }
        return plan
    }
}

/// Decodes a plan of which only the bounds are known.
struct PlanReader {
    var json: JSONReader
    /// Position of each step in the text, by id; the first, when there are several.
    private(set) var positions: [String: Int] = [:]
    private var stepCount = 0
    var edgeCount = 0
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        json = JSONReader(bytes)
    }

    /// Goes over the whole text once, checks its grammar and bounds, and notes the ids of steps,
    /// so that a reference may stand before its step.
    mutating func scanSteps() throws(PlanError) {
        var scan = JSONReader(bytes)
        guard try scan.peek() == .object else {
            try scan.skip()
            return
        }
        try scan.beginObject()
        while let key = try scan.nextKey() {
            guard key == "steps", try scan.peek() == .array else {
                try scan.skip()
                continue
            }
            try scan.beginArray()
            while try scan.nextElement() {
                try scanStep(&scan)
            }
        }
        try scan.end()
    }

    private mutating func scanStep(_ scan: inout JSONReader) throws(PlanError) {
        if stepCount == PlanLimits.steps {
            throw scan.error(.limit, "A plan has at most \(PlanLimits.steps) steps.")
        }
        defer { stepCount += 1 }
        guard try scan.peek() == .object else { return try scan.skip() }
        try scan.beginObject()
        while let key = try scan.nextKey() {
            guard key == "id", try scan.peek() == .string else {
                try scan.skip()
                continue
            }
            let id = try scan.string()
            if positions[id] == nil { positions[id] = stepCount }
        }
    }

    /// Adds the position in the text to a mistake that was found in the plan's values.
    /// `order` tells where each step of the plan stood in the text.
    func located(_ error: PlanError, order: [Int]) -> PlanError {
        var error = error
        if error.path.elements.count > 1, error.path.elements[0] == .key("steps"),
            case .index(let index) = error.path.elements[1], order.indices.contains(index)
        {
            error.path.elements[1] = .index(order[index])
        }
        var scan = JSONReader(bytes)
        error.position = try? scan.find(error.path)
        return error
    }

    // MARK: The plan

    enum PlanKey: String, SchemaKey {
        case concurrency
        case concurrencyRule = "concurrency_rule"
        case conditions, context, description, entry, exits, frames, groups, image, notes
        case parameters, pipeline, sources, steps, version
        static let table = KeyTable<Self>()
    }

    mutating func plan() throws(PlanError) -> Plan {
        var plan = Plan(pipeline: "")
        var keys = try ObjectKeys<PlanKey>(&json)
        plan.steps.reserveCapacity(stepCount)
        while let key = try keys.next(&json) {
            switch key {
            case .version: try version()
            case .pipeline: plan.pipeline = try json.string()
            case .entry: plan.entry = try json.string()
            case .description: plan.description = try json.string()
            case .image: plan.defaultImage = try json.string()
            case .concurrency: plan.concurrency = try json.string()
            case .concurrencyRule: plan.concurrencyRule = try json.string()
            case .parameters:
                plan.parameters = try list { (r) throws(PlanError) in try r.parameter() }
            case .context: plan.context = try list { (r) throws(PlanError) in try r.contextValue() }
            case .sources: plan.sources = try list { (r) throws(PlanError) in try r.source() }
            case .frames: plan.frames = try list { (r) throws(PlanError) in try r.frame() }
            case .groups: plan.groups = try list { (r) throws(PlanError) in try r.group() }
            case .conditions:
                plan.conditions = try list { (r) throws(PlanError) in try r.condition() }
            case .notes: plan.notes = try list { (r) throws(PlanError) in try r.note() }
            case .exits: plan.exits = try list { (r) throws(PlanError) in try r.exit() }
            case .steps:
                try json.beginArray()
                while try json.nextElement() {
                    plan.steps.append(try step(plan.steps.count))
                }
            }
        }
        try json.end()
        try keys.require(.version, .pipeline, .steps, in: json)
        return plan
    }

    private mutating func version() throws(PlanError) {
        _ = try json.peek()
        let start = json.offset
        let version = try json.integer(in: 0...Int64(UInt32.max), of: "The version")
        if version != Plan.schemaVersion {
            throw json.error(
                .version, "This plan has version \(version) of the format.",
                hint: "This build reads version \(Plan.schemaVersion) only.", at: start)
        }
    }

    // MARK: Pieces that several objects share

    mutating func list<Element>(
        _ element: (inout PlanReader) throws(PlanError) -> Element
    ) throws(PlanError) -> [Element] {
        var elements: [Element] = []
        try json.beginArray()
        while try json.nextElement() { elements.append(try element(&self)) }
        return elements
    }

    mutating func strings() throws(PlanError) -> [String] {
        try list { (r) throws(PlanError) in try r.json.string() }
    }

    mutating func index(_ what: String) throws(PlanError) -> Int {
        Int(try json.integer(in: 0...Int64(Int32.max), of: what))
    }

    mutating func number(_ what: String) throws(PlanError) -> UInt64 {
        UInt64(try json.integer(in: 0...(1 << 53 - 1), of: what))
    }

    mutating func small(_ what: String) throws(PlanError) -> UInt32 {
        UInt32(try json.integer(in: 0...Int64(UInt32.max), of: what))
    }

    /// One of the words of an enumeration.
    mutating func word<Kind: CaseIterable>(
        _ type: Kind.Type, _ word: (Kind) -> String
    ) throws(PlanError) -> Kind {
        _ = try json.peek()
        let start = json.offset
        let text = try json.string()
        for kind in Kind.allCases where word(kind) == text { return kind }
        let words = Kind.allCases.map { "`\(word($0))`" }.joined(separator: ", ")
        throw json.error(
            .schema, "There is no kind `\(text.prefix(64))`.", hint: "Known: \(words).", at: start)
    }

    /// The step that an id names.
    mutating func reference() throws(PlanError) -> StepIndex {
        _ = try json.peek()
        let start = json.offset
        let id = try json.string()
        guard let position = positions[id] else {
            let near =
                positions.count < 1000 ? Spelling.nearest(to: id, among: positions.keys) : nil
            throw json.error(
                .reference, "There is no step `\(id.prefix(256))`.",
                hint: near.map { "Did you mean `\($0)`?" }, at: start)
        }
        return StepIndex(position)
    }

    mutating func edges() throws(PlanError) -> [StepIndex] {
        var targets = try list { (r) throws(PlanError) in
            r.edgeCount += 1
            if r.edgeCount > PlanLimits.edges {
                throw r.json.error(.limit, "A plan has at most \(PlanLimits.edges) edges.")
            }
            return try r.reference()
        }
        if zip(targets, targets.dropFirst()).contains(where: { $0 >= $1 }) { targets.sort() }
        return targets
    }
}

extension JSONReader {
    /// Where the value at a path stands, or the last part of the path that is there.
    mutating func find(_ path: PlanPath) throws(PlanError) -> PlanError.Position {
        var place = 0
        next: for element in path.elements {
            let kind = try peek()
            place = offset
            switch element {
            case .key(let name) where kind == .object:
                try beginObject()
                while let key = try nextKey() {
                    if key == name { continue next }
                    try skip()
                }
            case .index(let index) where kind == .array:
                try beginArray()
                var position = 0
                while try nextElement() {
                    if position == index { continue next }
                    position += 1
                    try skip()
                }
            default: break
            }
            return self.position(of: place)
        }
        _ = try peek()
        return self.position(of: offset)
    }
}
