import PipelineIR

/// Reads templates, predicates and options of a recording.
struct RecordingValues {
    /// Recorded steps by their number on the path.
    var ordinals: [Int32] = []
    /// A template read since this was cleared has a stranger's text in it.
    var sawUntrusted = false
    /// Operations and predicates within each other.
    private static let depthLimit = 48

    init() {}

    /// The recorded step that a number on the path means.
    func ordinal(_ number: Int32) throws(RecordingError) -> Int32 {
        guard number >= 0, Int(number) < ordinals.count else {
            throw .schema("step \(number) is not known")
        }
        return ordinals[Int(number)]
    }

    private func index(_ reader: inout MarshalReader) throws -> StepIndex {
        StepIndex(Int(try ordinal(try reader.expectInt())))
    }

    mutating func template(_ reader: inout MarshalReader, depth: Int = 0) throws -> Template {
        switch try reader.next() {
        case .string(let range): return Template(try reader.string(range))
        case .tuple(let count):
            guard count > 0, try reader.expectString() == "t" else {
                throw RecordingError.schema("a template is no text")
            }
            return try template(&reader, parts: count - 1, depth: depth)
        default: throw RecordingError.schema("a template is no text")
        }
    }

    private mutating func template(
        _ reader: inout MarshalReader, parts count: Int, depth: Int
    ) throws -> Template {
        guard depth < Self.depthLimit else {
            throw RecordingError.tooMany("nested operations", limit: Self.depthLimit)
        }
        var parts: [Template.Part] = []
        // The count is what the evaluator claims; claims within each other would add up.
        parts.reserveCapacity(min(count, 8))
        for _ in 0..<count {
            switch try reader.next() {
            case .string(let range): parts.append(.literal(try reader.string(range)))
            case .tuple(let width): parts.append(try part(&reader, width, depth))
            default: throw RecordingError.schema("a part of a template")
            }
        }
        return Template(parts: parts)
    }

    private mutating func part(
        _ reader: inout MarshalReader, _ width: Int, _ depth: Int
    ) throws -> Template.Part {
        guard width > 0 else { throw RecordingError.schema("an empty part") }
        switch (try reader.expectString(), width) {
        case ("o", 2): return .output(try index(&reader))
        case ("c", 2): return .code(try index(&reader))
        case ("x", 2): return .secret(try reader.expectString())
        case ("u", 2):
            sawUntrusted = true
            return .literal(try reader.expectString())
        case ("m", 6):
            guard let name = Template.Operation.Name(rawValue: try reader.expectString()) else {
                throw RecordingError.schema("an unknown operation")
            }
            let base = try template(&reader, depth: depth + 1)
            var arguments: [String] = []
            for _ in 0..<(try reader.expectTuple()) { arguments.append(try reader.expectString()) }
            return .operation(
                Template.Operation(
                    name: name, base: base, arguments: arguments,
                    index: Int64(try reader.expectInt()), limit: Int64(try reader.expectInt())))
        default: throw RecordingError.schema("an unknown part of a template")
        }
    }

    mutating func command(_ reader: inout MarshalReader) throws -> Step.Command {
        switch try reader.next() {
        case .string(let range): return .script(Template(try reader.string(range)))
        case .tuple(let count):
            guard count > 0 else { throw RecordingError.schema("an empty command") }
            switch try reader.expectString() {
            case "t": return .script(try template(&reader, parts: count - 1, depth: 0))
            case "argv":
                var arguments: [Template] = []
                for _ in 1..<count { arguments.append(try template(&reader)) }
                return .argv(arguments)
            default: throw RecordingError.schema("an unknown command")
            }
        default: throw RecordingError.schema("a command is no text")
        }
    }

    mutating func predicate(
        _ reader: inout MarshalReader, depth: Int = 0
    ) throws -> RecordedPredicate {
        guard depth < Self.depthLimit else {
            throw RecordingError.tooMany("nested predicates", limit: Self.depthLimit)
        }
        let count = try reader.expectTuple()
        guard count > 0 else { throw RecordingError.schema("an empty predicate") }
        let kind = try reader.expectString()
        switch (kind, count) {
        case ("k", 3):
            let step = try index(&reader)
            return .code(step, try ranges(&reader))
        case ("cmp", 4):
            guard let op = Condition.Comparison(rawValue: try reader.expectString()) else {
                throw RecordingError.schema("an unknown comparison")
            }
            let left = try template(&reader)
            return .compare(op, left, try template(&reader))
        case ("def", 2): return .defined(try template(&reader))
        case ("not", 2): return .not(try predicate(&reader, depth: depth + 1))
        case ("and", _), ("or", _):
            var parts: [RecordedPredicate] = []
            for _ in 1..<count { parts.append(try predicate(&reader, depth: depth + 1)) }
            return kind == "and" ? .all(parts) : .any(parts)
        default: throw RecordingError.schema("an unknown predicate")
        }
    }

    private func ranges(_ reader: inout MarshalReader) throws -> [ClosedRange<UInt8>] {
        let count = try reader.expectTuple()
        guard count > 0, count <= 256, count % 2 == 0 else {
            throw RecordingError.schema("ranges of exit codes")
        }
        var found: [ClosedRange<UInt8>] = []
        for _ in 0..<count / 2 {
            let low = try reader.expectInt()
            let high = try reader.expectInt()
            guard let low = UInt8(exactly: low), let high = UInt8(exactly: high), low <= high,
                found.last.map({ $0.upperBound < low }) ?? true
            else { throw RecordingError.schema("ranges of exit codes") }
            found.append(low...high)
        }
        return found
    }
}

/// Options of a step.
extension RecordingValues {
    mutating func options(_ reader: inout MarshalReader) throws -> RecordedOptions? {
        let count = try reader.expectTuple()
        if count == 0 { return nil }
        let options = RecordedOptions()
        for _ in 0..<count {
            try reader.expectTuple(of: 2)
            switch try reader.expectString() {
            case "image": options.image = try reader.expectString()
            case "env": options.env = try env(&reader)
            case "timeout": options.timeout = try quantity(&reader)
            case "inputs": options.inputs = try strings(&reader)
            case "outputs": options.outputs = try strings(&reader)
            case "cache": options.cache = try reader.expectBool()
            case "needs":
                var needs: [Int32] = []
                for _ in 0..<(try reader.expectTuple()) {
                    needs.append(try ordinal(try reader.expectInt()))
                }
                options.needs = needs
            case "retries": options.retries = try retries(&reader)
            case "resources":
                for _ in 0..<(try reader.expectTuple()) {
                    try reader.expectTuple(of: 2)
                    let name = try reader.expectString()
                    guard ["cpu", "memory", "disk", "gpu"].contains(name) else {
                        throw RecordingError.schema("an unknown resource")
                    }
                    if let value = try quantity(&reader) {
                        options.resources.append((name, value))
                    }
                }
            case "workdir": options.workdir = try reader.expectString()
            case "services":
                for _ in 0..<(try reader.expectTuple()) {
                    options.services.append(try service(&reader))
                }
            case "matrix":
                for _ in 0..<(try reader.expectTuple()) {
                    try reader.expectTuple(of: 2)
                    let key = try reader.expectString()
                    options.matrix.append(Coordinate(key: key, value: try reader.expectString()))
                }
            default: throw RecordingError.schema("an unknown option")
            }
        }
        return options
    }

    private func strings(_ reader: inout MarshalReader) throws -> [String] {
        var found: [String] = []
        for _ in 0..<(try reader.expectTuple()) { found.append(try reader.expectString()) }
        return found
    }

    private mutating func env(_ reader: inout MarshalReader) throws -> [EnvVar] {
        let before = sawUntrusted
        var found: [EnvVar] = []
        for _ in 0..<(try reader.expectTuple()) {
            try reader.expectTuple(of: 2)
            let name = try reader.expectString()
            found.append(EnvVar(name: name, value: try template(&reader)))
        }
        // A variable is where a stranger's text belongs.
        sawUntrusted = before
        return found
    }

    /// A number or text; large integers travel as ("L", digits).
    private func quantity(_ reader: inout MarshalReader) throws -> RecordedQuantity? {
        switch try reader.next() {
        case .none: return nil
        case .int(let value): return .number(Double(value))
        case .float(let value): return .number(value)
        case .string(let range): return .text(try reader.string(range))
        case .tuple(2):
            guard try reader.expectString() == "L" else {
                throw RecordingError.schema("a number")
            }
            return .number(Double(try reader.expectString()) ?? .infinity)
        default: throw RecordingError.schema("a number or a text")
        }
    }

    private func integer(_ reader: inout MarshalReader) throws -> Int64 {
        guard case .number(let value)? = try quantity(&reader) else {
            throw RecordingError.schema("an integer")
        }
        return Int64(exactly: value) ?? (value < 0 ? .min : .max)
    }

    private func retries(_ reader: inout MarshalReader) throws -> RecordedRetry {
        var ahead = reader
        if case .tuple(4) = try ahead.next() {
            reader = ahead
            let attempts = try integer(&reader)
            let delay = try quantity(&reader)
            let backoff = try quantity(&reader)
            var codes: [Int64] = []
            for _ in 0..<(try reader.expectTuple()) { codes.append(try integer(&reader)) }
            return RecordedRetry(attempts: attempts, delay: delay, backoff: backoff, codes: codes)
        }
        return RecordedRetry(attempts: try integer(&reader))
    }

    private mutating func service(_ reader: inout MarshalReader) throws -> RecordedService {
        try reader.expectTuple(of: 6)
        let name = try reader.optionalString()
        let image = try reader.optionalString()
        var variables: [EnvVar] = []
        var ahead = reader
        if case .none = try ahead.next() { reader = ahead } else { variables = try env(&reader) }
        var ports: [Int64] = []
        for _ in 0..<(try reader.expectTuple()) { ports.append(try integer(&reader)) }
        var ready: Template?
        ahead = reader
        if case .none = try ahead.next() { reader = ahead } else { ready = try template(&reader) }
        return RecordedService(
            name: name, image: image, env: variables, ports: ports, ready: ready,
            readyTimeout: try quantity(&reader))
    }
}
