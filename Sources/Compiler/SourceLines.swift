import PipelineIR

/// Puts the text of source lines into diagnostics.
///
/// The files are the repository's and the places may be the evaluator's invention, so both how many
/// files are read and how much of them is kept have a bound.
enum SourceLines {
    private static let fileLimit = 32
    /// A file above this many bytes is not shown, nor a longer line.
    private static let fileBytes = 1 << 20
    private static let lineBytes = 4096
    /// All lines together.
    private static let allBytes = 128 << 10

    static func fill(_ diagnostics: inout [Diagnostic], from source: RecordedSource) {
        var wanted: [String: [Int]] = [:]
        for (index, diagnostic) in diagnostics.enumerated() {
            guard let place = diagnostic.place, place.line > 0 else { continue }
            if wanted[place.file] == nil, wanted.count == fileLimit { continue }
            wanted[place.file, default: []].append(index)
        }
        var left = allBytes
        for (file, places) in wanted.sorted(by: { $0.key < $1.key }) {
            guard case .file(let size, _) = source.peekStatus(file), size <= fileBytes,
                case .content(let bytes) = source.peek(file)
            else { continue }
            let starts = lineStarts(bytes)
            for index in places {
                guard let line = diagnostics[index].place?.line, Int(line) <= starts.count else {
                    continue
                }
                let start = starts[Int(line) - 1]
                let text = bytes[start...].prefix { $0 != UInt8(ascii: "\n") }
                if text.count > min(lineBytes, left) { continue }
                left -= text.count
                diagnostics[index].place?.text = String(decoding: text, as: UTF8.self)
            }
        }
        diagnostics.sort { a, b in
            guard let x = a.place, let y = b.place else { return a.place == nil && b.place != nil }
            return (x.file, x.line, x.column, a.code) < (y.file, y.line, y.column, b.code)
        }
    }

    /// The number of the first line that has a text in it; 1 when none has.
    static func line(of text: String, in bytes: [UInt8]) -> Int32 {
        let text = Array(text.utf8)
        var line: Int32 = 1
        for (index, byte) in bytes.enumerated() {
            if byte == text.first, bytes[index...].starts(with: text) { return line }
            if byte == UInt8(ascii: "\n") { line &+= 1 }
        }
        return 1
    }

    private static func lineStarts(_ bytes: [UInt8]) -> [Int] {
        var starts = [0]
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            starts.append(index + 1)
        }
        return starts
    }
}
