/// Reads the file of `traces.headers`: a line `Name: value` for each header of a request, which
/// may be a secret, so that no error shows it.
enum TraceHeaders {
    /// Why the file cannot be used; a sentence that names it.
    struct Mistake: Error {
        let message: String
        let hint: String
    }

    private static let mostBytes = 64 << 10

    /// The lines, as they are sent.
    static func read(_ path: String) throws(Mistake) -> [String] {
        let file: BoundedFile
        do throws(BoundedFile.Failure) {
            file = try BoundedFile.read(path, most: mostBytes, followsLink: true)
        } catch {
            let reason =
                switch error {
                case .system(let number): BoundedFile.reason(number)
                case .notRegular: "it is no file"
                case .tooLarge: "it is larger than 64 KiB"
                }
            throw Mistake(
                message: "cannot read \(path), which `traces.headers` names: \(reason)",
                hint: "Write one line for each header, such as `Authorization: Bearer …`.")
        }
        guard file.mode & 0o077 == 0 else {
            throw Mistake(
                message: "others than its owner may use \(path), which `traces.headers` names",
                hint: "Run: chmod 600 \(path)")
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw Mistake(
                message: "\(path), which `traces.headers` names, is no UTF-8",
                hint: "Write one line for each header.")
        }
        var lines: [String] = []
        for (index, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() where !line.isEmpty {
            guard isHeader(line) else {
                throw Mistake(
                    message: "line \(index + 1) of \(path), which `traces.headers` names, is no "
                        + "header", hint: "Write `Name: value`.")
            }
            lines.append(String(line))
        }
        return lines
    }

    /// Whether a line is a name (RFC 9110, 5.6.2), a colon and a value. What the request is made
    /// of is not for the file to say.
    private static func isHeader(_ line: Substring) -> Bool {
        guard let colon = line.firstIndex(of: ":") else { return false }
        let name = line[..<colon]
        let value = line[line.index(after: colon)...]
        let own = ["content-type", "content-length", "transfer-encoding", "host", "expect"]
        return !name.isEmpty && !own.contains(name.lowercased())
            && name.utf8.allSatisfy { $0.isWord || "!#$%&'*+-.^_`|~".utf8.contains($0) }
            && value.contains { $0 != " " && $0 != "\t" }
            && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }
}
