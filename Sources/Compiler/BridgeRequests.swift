/// Answers what the evaluator asks while it runs.
struct BridgeRequests {
    let source: RecordedSource
    let context: any ContextProvider
    private var library: StandardLibrary?
    /// How many were answered.
    private(set) var count = 0

    init(source: RecordedSource, context: any ContextProvider) {
        self.source = source
        self.context = context
    }

    /// The payload of the answer to a request's payload. Throws when it is not a request.
    mutating func answer(_ request: [UInt8]) throws(MarshalError) -> [UInt8] {
        count += 1
        var reader = MarshalReader(request)
        try reader.expectTuple(of: 2)
        let verb = try reader.expectString()
        let subject = try reader.expectString()
        try reader.expectEnd()
        switch verb {
        case "read": return Self.answer(source.read(subject))
        case "stat": return Self.answer(source.stat(subject))
        case "list": return Self.answer(source.list(subject))
        case "ctx": return Self.answer(context.value(subject))
        case "stdlib":
            if library == nil { library = StandardLibrary.find(version: source.python) }
            return Self.answer(library?.module(subject))
        default: throw .unexpected(wanted: "a request", at: 5)
        }
    }

    private static func answer(_ result: ReadResult) -> [UInt8] {
        switch result {
        case .absent: return absent
        case .failed(let failure): return answer(failure)
        case .content(let bytes):
            var writer = MarshalWriter(capacity: bytes.count + 32)
            writer.tuple(2)
            writer.string("ok")
            writer.bytes(bytes)
            return writer.bytes
        }
    }

    private static func answer(_ result: StatResult) -> [UInt8] {
        switch result {
        case .absent: return absent
        case .failed(let failure): return answer(failure)
        case .folder: return status("dir", size: 0, executable: false)
        case .file(let size, let executable):
            return status("file", size: size, executable: executable)
        }
    }

    private static func answer(_ result: ListResult) -> [UInt8] {
        switch result {
        case .absent: return absent
        case .failed(let failure): return answer(failure)
        case .names(let names):
            var writer = MarshalWriter()
            writer.tuple(2)
            writer.string("ok")
            writer.tuple(names.count)
            for name in names { writer.string(name) }
            if writer.bytes.count >= Limits.frameBytes { return answer(SourcePath.tooManyNames) }
            return writer.bytes
        }
    }

    private static func answer(_ answer: ContextAnswer) -> [UInt8] {
        switch answer {
        case .unknown: return absent
        case .failed(let message): return self.answer(SourceFailure(errno: 5, message: message))
        case .value(let value):
            var writer = MarshalWriter()
            writer.tuple(2)
            writer.string("ok")
            value.write(to: &writer)
            if writer.bytes.count >= Limits.frameBytes { return self.answer(SourcePath.tooLarge) }
            return writer.bytes
        }
    }

    private static func answer(_ module: StandardLibrary.Module?) -> [UInt8] {
        guard let module else { return absent }
        var writer = MarshalWriter(capacity: module.bytes.count + 64)
        writer.tuple(4)
        writer.string("ok")
        writer.string(module.isCompiled ? "pyc" : "py")
        writer.bytes(module.bytes)
        writer.bool(module.isPackage)
        return writer.bytes
    }

    private static func answer(_ failure: SourceFailure) -> [UInt8] {
        var writer = MarshalWriter()
        writer.tuple(3)
        writer.string("error")
        writer.int(failure.errno)
        writer.string(failure.message)
        return writer.bytes
    }

    private static func status(_ kind: String, size: Int64, executable: Bool) -> [UInt8] {
        var writer = MarshalWriter()
        writer.tuple(4)
        writer.string("ok")
        writer.string(kind)
        writer.integer(size)
        writer.bool(executable)
        return writer.bytes
    }

    private static let absent: [UInt8] = {
        var writer = MarshalWriter()
        writer.tuple(1)
        writer.string("absent")
        return writer.bytes
    }()
}
