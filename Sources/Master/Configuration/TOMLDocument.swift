internal import PipelineIR

/// A mistake in the text of a TOML file.
struct TOMLMistake: Error, Equatable {
    /// From 1; 0 means the file as a whole.
    var line = 0
    /// In characters, from 1; 0 means the line as a whole.
    var column = 0
    var message: String
    var hint: String?
}

/// The bytes of a `danube.toml`, parsed: keys with their values and places.
struct TOMLDocument {
    /// A key with a value, or a table.
    struct Entry: Equatable {
        /// Names from the root down.
        var path: [String]
        var value: GivenValue
        var isTable: Bool
        var line: Int
        var column: Int
    }

    /// In the order of the file.
    let entries: [Entry]
    private let lines: [Substring]

    /// The bytes that a file may have.
    static let mostBytes = 1 << 20

    /// Parses a document.
    init(_ bytes: [UInt8]) throws(TOMLMistake) {
        guard bytes.count <= Self.mostBytes else {
            throw TOMLMistake(message: "The file is larger than 1 MiB.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let rows = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let line = rows.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            throw TOMLMistake(
                line: line + 1, message: "This line is not UTF-8.",
                hint: "Save the file in the encoding UTF-8.")
        }
        // By scalars: a line that ends with CR and LF ends with one character.
        lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Substring($0) }
        var reader = TOMLReader(bytes)
        entries = try reader.document()
    }

    /// The text of a line, when it may be shown: short, and without anything secret.
    func shown(_ line: Int) -> String? {
        guard lines.indices.contains(line - 1) else { return nil }
        var text = lines[line - 1]
        if text.unicodeScalars.last == "\r" { text.unicodeScalars.removeLast() }
        let most = 120
        // What a line is cut to may hide what makes it look like a secret.
        guard text.utf8.count <= most, !SecretLook.isSecret(text),
            !SecretLook.isSecretName(text), !text.unicodeScalars.contains(where: \.isControl)
        else { return nil }
        return String(text)
    }
}
