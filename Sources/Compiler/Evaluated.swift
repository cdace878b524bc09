import PipelineIR

/// What the evaluator says of the file besides its paths.
struct Evaluated {
    /// A pipeline that the file defines.
    struct Pipeline: Equatable {
        var name: String
        var function: String
        var documentation: String
    }

    /// Every path was evaluated.
    var isWhole = false
    var pipelines: [Pipeline] = []
    /// Name and function of the pipeline that was evaluated; empty when none was.
    var name = ""
    var function = ""
    var documentation = ""
    var image = ""
    var parameters: [Parameter] = []
    var concurrency = ""
    var concurrencyRule = ""

    /// Reads the frame `D`.
    init(done payload: [UInt8]) throws {
        var reader = MarshalReader(payload)
        let count = try reader.expectTuple()
        guard count == 1 || count == 2 || count == 9 else {
            throw RecordingError.schema("the last frame")
        }
        isWhole = try reader.expectBool()
        if count > 1 {
            let many = try reader.expectTuple()
            guard many <= 10_000 else { throw RecordingError.tooMany("pipelines", limit: 10_000) }
            for _ in 0..<many {
                try reader.expectTuple(of: 3)
                pipelines.append(
                    Pipeline(
                        name: try reader.expectString(), function: try reader.expectString(),
                        documentation: try reader.expectString()))
            }
        }
        if count == 9 {
            name = try reader.expectString()
            function = try reader.expectString()
            documentation = try reader.expectString()
            image = try reader.expectString()
            let many = try reader.expectTuple()
            guard many <= 1000 else { throw RecordingError.tooMany("parameters", limit: 1000) }
            for _ in 0..<many {
                try reader.expectTuple(of: 3)
                let name = try reader.expectString()
                let type = try reader.expectString()
                var json: [UInt8] = []
                try Self.json(&reader, into: &json, depth: 0)
                parameters.append(
                    Parameter(
                        name: name, type: type, valueJSON: String(decoding: json, as: UTF8.self)))
            }
            concurrency = try reader.expectString()
            concurrencyRule = try reader.expectString()
        }
        try reader.expectEnd()
        parameters.sort { $0.name < $1.name }
    }

    init() {}

    private static func json(
        _ reader: inout MarshalReader, into out: inout [UInt8], depth: Int
    ) throws {
        switch try reader.next() {
        case .none: out += "null".utf8
        case .bool(let value): out += (value ? "true" : "false").utf8
        case .int(let value): out += String(value).utf8
        case .float(let value):
            guard value.isFinite else { throw RecordingError.schema("a parameter's number") }
            var json = JSONWriter()
            json.double(value)
            out += json.bytes
        case .string(let range):
            out += JSONValue.string(try reader.string(range)).canonical.utf8
        case .tuple(let count):
            guard depth < 2, count > 0 else { throw RecordingError.schema("a parameter's value") }
            switch try reader.expectString() {
            case "list":
                out.append(UInt8(ascii: "["))
                for position in 1..<count {
                    if position > 1 { out.append(UInt8(ascii: ",")) }
                    try json(&reader, into: &out, depth: depth + 1)
                }
                out.append(UInt8(ascii: "]"))
            case "L":
                let digits = try reader.expectString()
                guard digits.utf8.count <= 64, count == 2,
                    digits.drop(while: { $0 == "-" }).allSatisfy(\.isNumber), !digits.isEmpty
                else { throw RecordingError.schema("a parameter's number") }
                out += digits.utf8
            default: throw RecordingError.schema("a parameter's value")
            }
        case .bytes: throw RecordingError.schema("a parameter's value")
        }
    }
}

/// Diagnostics as the evaluator sends them, in the frame `G`.
enum EvaluatedDiagnostics {
    /// More than this is not read.
    static let limit = 2000

    static func read(_ payload: [UInt8]) throws -> [Diagnostic] {
        var reader = MarshalReader(payload)
        let count = try reader.expectTuple()
        guard count <= limit else { throw RecordingError.tooMany("diagnostics", limit: limit) }
        var found: [Diagnostic] = []
        var left = allBytes
        for number in 0..<count {
            try reader.expectTuple(of: 10)
            let code = try reader.expectString()
            guard code.utf8.count == 6, code.hasPrefix("DNB"),
                let level = Diagnostic.Level(rawValue: try reader.expectString())
            else { throw RecordingError.schema("a diagnostic") }
            let message = shortened(try reader.expectString())
            let hint = try reader.optionalString().map(shortened)
            var diagnostic = Diagnostic(code: code, level: level, message: message, hint: hint)
            diagnostic.place = try place(&reader, file: try reader.optionalString())
            let depth = try reader.expectTuple()
            for position in 0..<depth {
                try reader.expectTuple(of: 6)
                let one = try place(&reader, file: try reader.expectString())
                _ = try reader.expectString()
                if let one, depth > 1, position < 32 { diagnostic.stack.append(one) }
            }
            left -= bytes(of: diagnostic)
            if left < 0 {
                found.append(
                    Diagnostic(
                        code: "DNB804", level: .error,
                        message: "\(count - number) more problems are not shown",
                        hint: "Mend those that are."))
                return found
            }
            found.append(diagnostic)
        }
        try reader.expectEnd()
        return found
    }

    private static func bytes(of diagnostic: Diagnostic) -> Int {
        let places = diagnostic.stack + (diagnostic.place.map { [$0] } ?? [])
        return places.reduce(diagnostic.message.utf8.count + (diagnostic.hint?.utf8.count ?? 0)) {
            $0 + $1.file.utf8.count
        }
    }

    /// What is written for people has an end, whatever the evaluator says.
    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        return String(decoding: text.utf8.prefix(textLimit), as: UTF8.self) + "…"
    }

    private static let textLimit = 4096
    /// Texts of all diagnostics: more nobody reads.
    private static let allBytes = 128 << 10

    private static func place(_ reader: inout MarshalReader, file: String?) throws
        -> Diagnostic.Place?
    {
        var numbers: [Int32] = []
        for _ in 0..<4 { numbers.append(max(0, try reader.expectInt())) }
        guard let file else { return nil }
        return Diagnostic.Place(
            file: file, line: numbers[0], column: numbers[1], endLine: numbers[2],
            endColumn: numbers[3])
    }
}
