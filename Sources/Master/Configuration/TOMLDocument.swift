internal import PipelineIR
internal import TOMLKit

/// The bytes of a `danube.toml`, parsed: keys with their places, values by key.
struct TOMLDocument {
    /// In the order of the file.
    let entries: [TOMLPlaces.Entry]
    private let root: TOMLTable
    private let lines: [Substring]

    /// The bytes that a file may have.
    static let mostBytes = 1 << 20

    /// Parses a document. The parser reads up to a NUL and leaves the rest, so that NUL is refused
    /// before.
    init(_ bytes: [UInt8]) throws(TOMLMistake) {
        guard bytes.count <= Self.mostBytes else {
            throw TOMLMistake(message: "The file is larger than 1 MiB.")
        }
        let rows = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let line = rows.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            throw TOMLMistake(
                line: line + 1, message: "This line is not UTF-8.",
                hint: "Save the file in the encoding UTF-8.")
        }
        if let line = rows.firstIndex(where: { $0.contains(0) }) {
            throw TOMLMistake(line: line + 1, message: "This line has a NUL.")
        }
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let found = try TOMLPlaces(bytes)
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw Self.mistake(error, lines)
        } catch {
            throw TOMLMistake(message: "The file is not TOML.")
        }
        entries = found.entries
    }

    /// The text of a line, when it may be shown: short, and without anything secret.
    func shown(_ line: Int) -> String? {
        Self.shown(line, lines)
    }

    /// The value of a key of `entries`.
    func value(_ path: [String]) -> GivenValue {
        var table: TOMLTable? = root
        for name in path.dropLast() { table = table?[name]?.table }
        guard let name = path.last, let value = table?[name] else { return .other("nothing") }
        return Self.given(value)
    }

    private static func given(_ value: any TOMLValueConvertible) -> GivenValue {
        switch value.type {
        case .string: return value.string.map { .text($0) } ?? .other("a text")
        case .int: return value.int.map { .integer(Int64($0)) } ?? .other("an integer")
        case .bool: return value.bool.map { .boolean($0) } ?? .other("a boolean")
        case .double: return .other("a number with a fraction")
        case .date, .time, .dateTime: return .other("a date or time without quotes")
        case .table: return .other("a table")
        case .array:
            guard let array = value.array else { return .other("an array") }
            var texts: [String] = []
            for index in 0..<array.count {
                guard let text = array[index].string else {
                    return .other("an array in which something is no text")
                }
                texts.append(text)
            }
            return .list(texts)
        }
    }

    private static func mistake(_ error: TOMLParseError, _ lines: [Substring]) -> TOMLMistake {
        let line = error.source.begin.line
        // The parser quotes what it read.
        let quotes = shown(line, lines) == nil
        let message = quotes ? "This is not TOML." : ShownText.line(error.description) + "."
        return TOMLMistake(line: line, column: error.source.begin.column, message: message)
    }

    private static func shown(_ line: Int, _ lines: [Substring]) -> String? {
        guard lines.indices.contains(line - 1) else { return nil }
        var text = lines[line - 1]
        if text.last == "\r" { text = text.dropLast() }
        let most = 120
        // What a line is cut to may hide what makes it look like a secret.
        guard text.utf8.count <= most, !SecretLook.isSecret(text),
            !SecretLook.isSecretName(text), !text.unicodeScalars.contains(where: \.isControl)
        else { return nil }
        return String(text)
    }
}
