/// Swift source in which comments and the text of string literals are blank, so that what remains
/// is code. Interpolations stay, lines keep their numbers.
struct SwiftText {
    let path: String
    /// The lines as written.
    let lines: [Substring]
    /// The lines with comments and literal text blanked.
    let code: [[UInt8]]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var blanker = Blanker(Array(text.utf8))
        blanker.run()
        code = blanker.output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map(Array.init)
    }

    /// The code of a line (0-based) as text.
    func codeText(_ index: Int) -> String { String(decoding: code[index], as: UTF8.self) }

    /// Whether the line, or the comment directly above it, has a `// SAFETY:` note.
    func hasSafetyNote(_ index: Int) -> Bool {
        if lines[index].contains("// SAFETY:") { return true }
        var above = index - 1
        while above >= 0, lines[above].drop(while: { $0 == " " }).hasPrefix("//") {
            if lines[above].contains("// SAFETY:") { return true }
            above -= 1
        }
        return false
    }
}

/// Walks source text once with a stack of the literals and interpolations it stands in.
private struct Blanker {
    private enum Context {
        /// Code; in an interpolation, how many parentheses are open.
        case code(parentheses: Int)
        case string(hashes: Int, multiline: Bool)
    }

    private let input: [UInt8]
    private(set) var output: [UInt8]
    private var stack: [Context] = [.code(parentheses: 0)]
    private var position = 0

    init(_ input: [UInt8]) {
        self.input = input
        output = input
    }

    mutating func run() {
        while position < input.count {
            switch stack[stack.count - 1] {
            case .code(let parentheses): stepInCode(parentheses)
            case .string(let hashes, let multiline): stepInString(hashes, multiline)
            }
        }
    }

    private mutating func stepInCode(_ parentheses: Int) {
        if at("//") {
            while position < input.count, input[position] != UInt8(ascii: "\n") { blank(1) }
        } else if at("/*") {
            blankBlockComment()
        } else if let opening = openingQuote() {
            position += opening.length
            stack.append(.string(hashes: opening.hashes, multiline: opening.multiline))
        } else {
            let byte = input[position]
            position += 1
            if stack.count == 1 { return }
            if byte == UInt8(ascii: "(") {
                stack[stack.count - 1] = .code(parentheses: parentheses + 1)
            } else if byte == UInt8(ascii: ")") {
                if parentheses == 0 {
                    stack.removeLast()
                } else {
                    stack[stack.count - 1] = .code(parentheses: parentheses - 1)
                }
            }
        }
    }

    private mutating func stepInString(_ hashes: Int, _ multiline: Bool) {
        let quotes = multiline ? 3 : 1
        if at("\"", times: quotes), at("#", times: hashes, offset: quotes) {
            position += quotes + hashes
            stack.removeLast()
        } else if at("\\"), at("#", times: hashes, offset: 1) {
            if at("(", offset: 1 + hashes) {
                position += 2 + hashes
                stack.append(.code(parentheses: 0))
            } else {
                blank(2 + hashes)
            }
        } else if !multiline, input[position] == UInt8(ascii: "\n") {
            // The literal is not closed: what we took for one is none.
            position += 1
            stack.removeLast()
        } else {
            blank(1)
        }
    }

    private mutating func blankBlockComment() {
        var depth = 0
        repeat {
            if at("/*") {
                depth += 1
                blank(2)
            } else if at("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && position < input.count
    }

    private func openingQuote() -> (length: Int, hashes: Int, multiline: Bool)? {
        var hashes = 0
        while at("#", offset: hashes) { hashes += 1 }
        guard at("\"", offset: hashes) else { return nil }
        let multiline = at("\"", times: 3, offset: hashes)
        return (hashes + (multiline ? 3 : 1), hashes, multiline)
    }

    private func at(_ text: StaticString, times: Int = 1, offset: Int = 0) -> Bool {
        let length = text.utf8CodeUnitCount
        let start = position + offset
        guard start + length * times <= input.count else { return false }
        return text.withUTF8Buffer { bytes in
            (0..<length * times).allSatisfy { input[start + $0] == bytes[$0 % length] }
        }
    }

    private mutating func blank(_ count: Int) {
        let end = min(position + count, input.count)
        for index in position..<end where input[index] != UInt8(ascii: "\n") {
            output[index] = UInt8(ascii: " ")
        }
        position = end
    }
}
