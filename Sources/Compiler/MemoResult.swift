internal import PipelineIR

/// A compilation as it is kept: what to say of the danubefile, and the plan in protobuf.
enum MemoResult {
    static func encode(_ compilation: Compilation) -> [UInt8] {
        var writer = MarshalWriter(capacity: (compilation.protoBytes?.count ?? 0) + 1024)
        writer.tuple(6)
        writer.int(Int32(clamping: compilation.paths))
        writer.bool(compilation.isLive)
        writer.tuple(compilation.pipelines.count)
        for pipeline in compilation.pipelines {
            writer.tuple(2)
            writer.string(pipeline.name)
            writer.string(pipeline.documentation)
        }
        writer.tuple(compilation.diagnostics.count)
        for diagnostic in compilation.diagnostics {
            writer.tuple(6)
            writer.string(diagnostic.code)
            writer.string(diagnostic.level.rawValue)
            writer.string(diagnostic.message)
            writer.string(diagnostic.hint)
            write(diagnostic.place, to: &writer)
            writer.tuple(diagnostic.stack.count)
            for place in diagnostic.stack { write(place, to: &writer) }
        }
        if let plan = compilation.protoBytes { writer.bytes(plan) } else { writer.none() }
        writer.string(compilation.digest?.digest.hex)
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws -> Compilation {
        var reader = MarshalReader(bytes)
        var compilation = Compilation()
        compilation.memoised = true
        try reader.expectTuple(of: 6)
        compilation.paths = Int(try reader.expectInt())
        compilation.isLive = try reader.expectBool()
        for _ in 0..<(try reader.expectTuple()) {
            try reader.expectTuple(of: 2)
            let name = try reader.expectString()
            compilation.pipelines.append((name, try reader.expectString()))
        }
        for _ in 0..<(try reader.expectTuple()) {
            compilation.diagnostics.append(try diagnostic(&reader))
        }
        switch try reader.next() {
        case .none: break
        case .bytes(let range): compilation.protoBytes = Array(bytes[range])
        default: throw MarshalError.unexpected(wanted: "a plan", at: reader.offset)
        }
        if let hex = try reader.optionalString() {
            compilation.knownDigest = Digest(hex: hex).map { PlanDigest($0) }
        }
        try reader.expectEnd()
        return compilation
    }

    private static func write(_ place: Diagnostic.Place?, to writer: inout MarshalWriter) {
        guard let place else { return writer.none() }
        writer.tuple(6)
        writer.string(place.file)
        for number in [place.line, place.column, place.endLine, place.endColumn] {
            writer.int(number)
        }
        writer.string(place.text)
    }

    private static func diagnostic(_ reader: inout MarshalReader) throws -> Diagnostic {
        try reader.expectTuple(of: 6)
        let code = try reader.expectString()
        guard let level = Diagnostic.Level(rawValue: try reader.expectString()) else {
            throw MarshalError.unexpected(wanted: "a level", at: reader.offset)
        }
        var found = Diagnostic(code: code, level: level, message: try reader.expectString())
        found.hint = try reader.optionalString()
        found.place = try place(&reader)
        for _ in 0..<(try reader.expectTuple()) {
            if let place = try place(&reader) { found.stack.append(place) }
        }
        return found
    }

    private static func place(_ reader: inout MarshalReader) throws -> Diagnostic.Place? {
        switch try reader.next() {
        case .none: return nil
        case .tuple(6): break
        default: throw MarshalError.unexpected(wanted: "a place", at: reader.offset)
        }
        let file = try reader.expectString()
        let line = try reader.expectInt()
        let column = try reader.expectInt()
        let endLine = try reader.expectInt()
        let endColumn = try reader.expectInt()
        return Diagnostic.Place(
            file: file, line: line, column: column, endLine: endLine, endColumn: endColumn,
            text: try reader.optionalString())
    }
}
