/// Standard output that the danubefile wants as text, gathered within a bound.
struct CapturedOutput {
    /// Bytes that may be captured, without the trailing newlines.
    static let limit = 1 << 20

    private var bytes: [UInt8] = []
    private var total = 0

    /// Adds what was written. More than the limit, and newlines that may trail, is counted only.
    mutating func append(_ more: UnsafeRawBufferPointer) {
        total += more.count
        let room = 2 * Self.limit - bytes.count
        if room > 0 { bytes.append(contentsOf: more.prefix(room)) }
    }

    /// The text as `$(…)` in a shell gives it, or why there is none.
    func text() -> Result<String, CapturedOutputError> {
        var text = bytes[...]
        while text.last == UInt8(ascii: "\n") { text.removeLast() }
        if text.count > Self.limit || total > bytes.count { return .failure(.tooLong(total)) }
        if text.contains(0) { return .failure(.holdsNul) }
        guard let valid = String(validating: text, as: UTF8.self) else {
            return .failure(.notText)
        }
        return .success(valid)
    }
}

/// Why captured output is no text.
enum CapturedOutputError: Error, Equatable, CustomStringConvertible {
    case tooLong(Int)
    case holdsNul
    case notText

    var description: String {
        switch self {
        case .tooLong(let count):
            "captured output has \(count) bytes, more than \(CapturedOutput.limit)"
        case .holdsNul: "captured output has a NUL byte in it"
        case .notText: "captured output is not UTF-8"
        }
    }
}
