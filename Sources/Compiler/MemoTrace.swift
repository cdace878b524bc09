internal import PipelineIR

/// What a kept result was made of: it holds as long as every question has the same answer.
///
/// This is the verifying trace of "Build systems à la carte" (Mokhov, Mitchell, Peyton Jones).
struct MemoTrace: Equatable {
    var reads: [RecordedRead]
    /// Values of `ctx` that were read, as canonical JSON.
    var context: [String: String]
    /// Python's standard library that was there, as `StandardLibrary.stamp` says.
    var library: String
    /// Digest of the result.
    var result: Digest

    /// Whether everything is as it was. The cheapest questions come first.
    func holds(in source: any RepositorySource, _ provider: any ContextProvider) -> Bool {
        guard library == StandardLibrary.stamp(version: pythonVersion) else { return false }
        for (name, json) in context {
            guard case .value(let value) = provider.value(name), value.canonical == json else {
                return false
            }
        }
        return reads.allSatisfy { RecordedSource.holds($0, in: source) }
    }

    private var pythonVersion: String { String(library.prefix { $0 != " " }) }

    // MARK: On disk

    /// Writes traces, preceded by their digest.
    static func encode(_ traces: [MemoTrace]) -> [UInt8] {
        var writer = MarshalWriter()
        writer.tuple(traces.count)
        for trace in traces {
            writer.tuple(4)
            writer.tuple(trace.reads.count)
            for read in trace.reads { encode(read, to: &writer) }
            writer.tuple(trace.context.count)
            for (name, json) in trace.context.sorted(by: { $0.key < $1.key }) {
                writer.tuple(2)
                writer.string(name)
                writer.bytes(Array(json.utf8))
            }
            writer.string(trace.library)
            writer.string(trace.result.hex)
        }
        return Digest(of: writer.bytes).bytes + writer.bytes
    }

    /// Reads what `encode` wrote. Throws when it is torn or of another version.
    static func decode(_ bytes: [UInt8]) throws -> [MemoTrace] {
        guard bytes.count > Digest.byteCount,
            Digest(bytes: bytes.prefix(Digest.byteCount))
                == Digest(of: Array(bytes.dropFirst(Digest.byteCount)))
        else { throw MarshalError.truncated(at: 0) }
        var reader = MarshalReader(bytes, at: Digest.byteCount)
        var traces: [MemoTrace] = []
        for _ in 0..<(try reader.expectTuple()) {
            try reader.expectTuple(of: 4)
            var reads: [RecordedRead] = []
            for _ in 0..<(try reader.expectTuple()) { reads.append(try read(&reader)) }
            var context: [String: String] = [:]
            for _ in 0..<(try reader.expectTuple()) {
                try reader.expectTuple(of: 2)
                let name = try reader.expectString()
                context[name] = try reader.string(try reader.expectBytes())
            }
            let library = try reader.expectString()
            guard let result = Digest(hex: try reader.expectString()) else {
                throw MarshalError.badText(at: reader.offset)
            }
            traces.append(
                MemoTrace(reads: reads, context: context, library: library, result: result))
        }
        try reader.expectEnd()
        return traces
    }

    private static func encode(_ read: RecordedRead, to writer: inout MarshalWriter) {
        writer.tuple(3)
        writer.int(read.question.rawValue)
        writer.string(read.path)
        switch read.outcome {
        case .digest(let digest): writer.string(digest)
        case .absent: writer.none()
        case .folder: writer.bool(true)
        case .failed(let error): writer.int(error)
        case .file(let size, let executable):
            writer.tuple(2)
            writer.string(String(size))
            writer.bool(executable)
        }
    }

    private static func read(_ reader: inout MarshalReader) throws -> RecordedRead {
        try reader.expectTuple(of: 3)
        guard let question = RecordedRead.Question(rawValue: try reader.expectInt()) else {
            throw MarshalError.unexpected(wanted: "a question", at: reader.offset)
        }
        let path = try reader.expectString()
        let outcome: RecordedRead.Outcome
        switch try reader.next() {
        case .string(let range): outcome = .digest(try reader.string(range))
        case .none: outcome = .absent
        case .bool(true): outcome = .folder
        case .int(let error): outcome = .failed(error)
        case .tuple(2):
            guard let size = Int64(try reader.expectString()) else {
                throw MarshalError.badText(at: reader.offset)
            }
            outcome = .file(size: size, executable: try reader.expectBool())
        default: throw MarshalError.unexpected(wanted: "an outcome", at: reader.offset)
        }
        return RecordedRead(path: path, question: question, outcome: outcome)
    }
}
