/// A field of a message of `plan.proto`, as `WireScan` needs to know it.
struct WireField: Equatable {
    /// What its bytes are.
    enum Kind: Equatable {
        /// A varint up to a largest value.
        case number(UInt64)
        case double
        case text
        case message(WireMessage)
    }
    let number: Int
    let name: String
    let kind: Kind
    let isRepeated: Bool
    /// Whether it is of the message's `oneof`.
    let isChoice: Bool

    static func one(_ number: Int, _ name: String, _ kind: Kind) -> WireField {
        WireField(number: number, name: name, kind: kind, isRepeated: false, isChoice: false)
    }
    static func many(_ number: Int, _ name: String, _ kind: Kind) -> WireField {
        WireField(number: number, name: name, kind: kind, isRepeated: true, isChoice: false)
    }
    static func choice(_ number: Int, _ name: String, _ kind: Kind) -> WireField {
        WireField(number: number, name: name, kind: kind, isRepeated: false, isChoice: true)
    }
}

extension WireField.Kind {
    static let bool = Self.number(1)
    static let uint32 = Self.number(UInt64(UInt32.max))
    static let wide = Self.number(.max)
}

/// The messages of `plan.proto`; a test compares them with that file.
enum WireMessage: Int, CaseIterable {
    case plan, parameter, step, argv, envVar, coordinate, upload, retry, resources, service
    case template, part, operation, condition, operands, codeIn, codeRange, compare
    case exit, frame, source, note, contextValue, group

    /// As how many values it counts, without its fields: what is rare and large in memory counts
    /// more, so that a plan of empty messages does not take a gigabyte.
    var weight: Int {
        switch self {
        case .service: 16
        case .exit: 4
        default: 2
        }
    }

    /// Fields by number, one array for each message.
    static let fields: [[WireField?]] = allCases.map { message in
        var byNumber: [WireField?] = []
        for field in message.list {
            while byNumber.count <= field.number { byNumber.append(nil) }
            byNumber[field.number] = field
        }
        return byNumber
    }

    /// The fields in the order of the file.
    var list: [WireField] {
        switch self {
        case .plan: Self.planFields
        case .step: Self.stepFields
        case .argv: [.many(1, "arguments", .message(.template))]
        case .envVar: [.one(1, "name", .text), .one(2, "value", .message(.template))]
        case .coordinate: [.one(1, "key", .text), .one(2, "value", .text)]
        case .upload:
            [.one(1, "path", .message(.template)), .one(2, "name", .text), .one(3, "junit", .bool)]
        case .retry:
            [
                .one(1, "attempts", .uint32), .one(2, "delay_ms", .wide),
                .one(3, "backoff", .double), .many(4, "on_codes", .uint32),
            ]
        case .resources:
            [
                .one(1, "cpu_milli", .wide), .one(2, "memory_bytes", .wide),
                .one(3, "disk_bytes", .wide), .one(4, "gpu", .uint32),
            ]
        case .service:
            [
                .one(1, "name", .text), .one(2, "image", .text),
                .many(3, "env", .message(.envVar)), .many(4, "ports", .uint32),
                .one(5, "ready", .message(.template)), .one(6, "ready_timeout_ms", .wide),
            ]
        case .template, .part, .operation: textFields
        case .condition, .operands, .codeIn, .codeRange, .compare: conditionFields
        case .parameter, .exit, .frame, .source, .note, .contextValue, .group: besideFields
        }
    }

    private static let planFields: [WireField] = [
        .one(1, "version", .uint32), .one(2, "pipeline", .text), .one(3, "entry", .text),
        .many(4, "parameters", .message(.parameter)), .many(5, "steps", .message(.step)),
        .many(6, "conditions", .message(.condition)), .many(7, "exits", .message(.exit)),
        .many(8, "frames", .message(.frame)), .many(9, "sources", .message(.source)),
        .many(10, "notes", .message(.note)), .many(11, "context", .message(.contextValue)),
        .one(12, "default_image", .text), .many(13, "groups", .message(.group)),
        .one(14, "description", .text), .one(15, "concurrency", .text),
        .one(16, "concurrency_rule", .text),
    ]

    private static let stepFields: [WireField] = [
        .one(1, "id", .text), .one(2, "name", .text), .one(3, "kind", .number(1)),
        .choice(4, "script", .message(.template)), .choice(5, "argv", .message(.argv)),
        .one(6, "image", .text), .many(7, "env", .message(.envVar)), .one(8, "workdir", .text),
        .one(9, "condition", .uint32), .one(10, "fatal", .bool), .one(11, "check", .bool),
        .one(12, "capture", .bool), .one(13, "timeout_ms", .wide),
        .one(14, "retry", .message(.retry)), .one(15, "resources", .message(.resources)),
        .many(16, "inputs", .text), .many(17, "outputs", .text), .one(18, "has_inputs", .bool),
        .one(19, "has_outputs", .bool), .one(20, "cache", .number(2)),
        .many(21, "services", .message(.service)), .many(22, "order", .uint32),
        .many(23, "data", .uint32), .many(24, "conditional", .uint32),
        .many(25, "needs", .uint32), .one(26, "frame", .uint32),
        .many(27, "matrix", .message(.coordinate)), .one(28, "group", .uint32),
        .one(29, "upload", .message(.upload)), .one(30, "has_needs", .bool),
        .one(31, "cleanup_first", .uint32), .one(32, "cleanup_last", .uint32),
    ]

    private var textFields: [WireField] {
        switch self {
        case .template: [.many(1, "parts", .message(.part))]
        case .part:
            [
                .choice(1, "literal", .text), .choice(2, "output", .uint32),
                .choice(3, "code", .uint32), .choice(4, "secret", .text),
                .choice(5, "operation", .message(.operation)),
            ]
        default:
            [
                .one(1, "name", .text), .one(2, "base", .message(.template)),
                .many(3, "arguments", .text), .one(4, "index", .wide), .one(5, "limit", .wide),
            ]
        }
    }

    private var conditionFields: [WireField] {
        switch self {
        case .condition:
            [
                .choice(1, "code", .message(.codeIn)), .choice(2, "compare", .message(.compare)),
                .choice(3, "all", .message(.operands)), .choice(4, "any", .message(.operands)),
                .choice(5, "not", .uint32), .choice(6, "ok", .uint32),
                .choice(7, "defined", .message(.template)),
            ]
        case .operands: [.many(1, "conditions", .uint32)]
        case .codeIn: [.one(1, "step", .uint32), .many(2, "ranges", .message(.codeRange))]
        case .codeRange: [.one(1, "low", .uint32), .one(2, "high", .uint32)]
        default:
            [
                .one(1, "operator", .text), .one(2, "left", .message(.template)),
                .one(3, "right", .message(.template)),
            ]
        }
    }

    private var besideFields: [WireField] {
        switch self {
        case .parameter:
            [.one(1, "name", .text), .one(2, "type", .text), .one(3, "value_json", .text)]
        case .exit:
            [
                .one(1, "kind", .number(2)), .one(2, "condition", .uint32),
                .one(3, "message", .text), .one(4, "frame", .uint32), .one(5, "code", .text),
                .one(6, "expression", .text),
            ]
        case .frame:
            [
                .one(1, "file", .text), .one(2, "line", .uint32), .one(3, "column", .uint32),
                .one(4, "end_line", .uint32), .one(5, "end_column", .uint32),
                .one(6, "function", .text), .one(7, "parent", .uint32),
            ]
        case .source:
            [.one(1, "path", .text), .one(2, "kind", .number(2)), .one(3, "digest", .text)]
        case .note:
            [
                .one(1, "text", .message(.template)), .one(2, "condition", .uint32),
                .one(3, "frame", .uint32), .one(4, "after", .uint32),
            ]
        case .contextValue: [.one(1, "name", .text), .one(2, "value_json", .text)]
        default:
            [
                .one(1, "kind", .number(1)), .one(2, "name", .text), .one(3, "parent", .uint32),
                .one(4, "fail_fast", .bool), .one(5, "frame", .uint32),
            ]
        }
    }
}
