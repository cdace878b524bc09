/// A declaration with a body or a name, found in code without comments and literals.
struct Declaration: Equatable {
    let keyword: String
    let name: String
    /// The lines (0-based) from the keyword to the end of the body.
    var first: Int
    var last: Int

    var lineCount: Int { last - first + 1 }
}

extension SwiftText {
    private static let blank = UInt8(ascii: " ")

    /// Functions, initialisers and subscripts that have a body, with the lines that they take.
    func functions() -> [Declaration] {
        var found: [Declaration] = []
        for (index, line) in code.enumerated() {
            for word in Self.words(line) {
                guard ["func", "init", "subscript", "deinit"].contains(word.text) else { continue }
                if word.text != "func" && !startsDeclaration(line, before: word.start) { continue }
                guard let last = endOfBody(line: index, column: word.end) else { continue }
                let name = word.text == "func" ? nameAfter(line, word.end) : word.text
                found.append(Declaration(keyword: word.text, name: name, first: index, last: last))
            }
        }
        return found
    }

    /// Types that the file declares.
    func types() -> [Declaration] {
        let keywords: Set = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        var found: [Declaration] = []
        for (index, line) in code.enumerated() {
            for word in Self.words(line) where keywords.contains(word.text) {
                guard startsDeclaration(line, before: word.start) else { continue }
                let name = nameAfter(line, word.end)
                if ["func", "var", "let", "init", "subscript"].contains(name) { continue }
                found.append(
                    Declaration(keyword: word.text, name: name, first: index, last: index))
            }
        }
        return found
    }

    /// Words of a line: runs of letters, digits and `_`, with the columns where they stand.
    static func words(_ line: [UInt8]) -> [(text: String, start: Int, end: Int)] {
        var found: [(text: String, start: Int, end: Int)] = []
        var start: Int?
        for column in 0...line.count {
            let inside = column < line.count && isWordByte(line[column])
            if inside, start == nil { start = column }
            if !inside, let first = start {
                found.append((String(decoding: line[first..<column], as: UTF8.self), first, column))
                start = nil
            }
        }
        return found
    }

    static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    /// Whether only modifiers and attributes stand before the column.
    private func startsDeclaration(_ line: [UInt8], before column: Int) -> Bool {
        let before = String(decoding: line[..<column], as: UTF8.self)
        let modifiers: Set<Substring> = [
            "package", "private", "fileprivate", "internal", "public", "open", "static", "final",
            "mutating", "nonisolated", "convenience", "required", "override", "indirect",
            "consuming", "borrowing", "private(set)", "class",
        ]
        return before.split(separator: " ").allSatisfy {
            modifiers.contains($0) || $0.hasPrefix("@")
        }
    }

    private func nameAfter(_ line: [UInt8], _ column: Int) -> String {
        let rest = line[column...].drop { $0 == Self.blank }
        let name = rest.prefix { Self.isWordByte($0) }
        let text = name.isEmpty ? rest.prefix { $0 != UInt8(ascii: "(") } : name
        return String(decoding: text, as: UTF8.self)
    }

    /// The line that closes the body of the declaration; `nil` when it has none, as in a protocol.
    private func endOfBody(line: Int, column: Int) -> Int? {
        var depth = 0
        var braces = 0
        var continues = false
        for index in line..<code.count {
            let start = index == line ? column : 0
            if index > line, depth == 0, braces == 0, !continues, !continuesSignature(code[index]) {
                return nil
            }
            for byte in code[index][start...] {
                switch byte {
                case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
                case UInt8(ascii: "{"): if depth == 0 || braces > 0 { braces += 1 }
                case UInt8(ascii: "}"):
                    if braces == 0 && depth == 0 { return nil }
                    if braces > 0 {
                        braces -= 1
                        if braces == 0 { return index }
                    }
                default: break
                }
            }
            let tail = code[index].reversed().drop { $0 == Self.blank }.prefix(2)
            continues =
                tail.isEmpty || tail.first == UInt8(ascii: ",") || tail.elementsEqual(">-".utf8)
        }
        return nil
    }

    /// Whether a line can go on with a signature whose parentheses are closed.
    private func continuesSignature(_ line: [UInt8]) -> Bool {
        guard let first = line.first(where: { $0 != Self.blank }) else { return true }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "-") { return true }
        let word = Self.words(line).first?.text ?? ""
        return ["async", "throws", "rethrows", "where"].contains(word)
    }
}
