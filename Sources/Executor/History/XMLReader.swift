/// Why a file of XML cannot be read.
package enum XMLProblem: Error, Equatable, CustomStringConvertible {
    case tooLarge(most: Int)
    /// What is wrong, and in which line.
    case malformed(line: Int, String)
    /// It is XML, but its outermost element is another one.
    case noReport(String)

    /// One sentence without a full stop.
    package var description: String {
        switch self {
        case .tooLarge(let most): "it is larger than \(most) bytes"
        case .malformed(let line, let what): "line \(line): \(what)"
        case .noReport(""): "it is empty"
        case .noReport(let element): "it is no JUnit report: it begins with <\(element)>"
        }
    }
}

/// Reads XML 1.0 as far as reports need it, without recursion and within bounds.
///
/// Document types and processing instructions are passed over. Only the five entities that XML
/// defines and numbers are replaced; others stay as they are, so nothing grows.
struct XMLReader {
    enum Event: Equatable {
        case start(String, [String: String])
        case text(String)
        case end
    }

    static let mostDepth = 256
    static let mostAttributes = 256
    /// Longer texts and values are cut.
    static let mostValueBytes = 1 << 16

    private let bytes: [UInt8]
    private var position = 0
    private var open: [ArraySlice<UInt8>] = []
    /// An empty element ends right after it begins.
    private var endsNow = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    /// The next event; `nil` after the outermost element.
    mutating func next() throws(XMLProblem) -> Event? {
        if endsNow {
            endsNow = false
            open.removeLast()
            return .end
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                let text = takeText()
                if open.isEmpty {
                    guard text.allSatisfy(Self.isBlank) else { throw problem("text outside") }
                    continue
                }
                return .text(Self.unescape(text.prefix(Self.mostValueBytes)))
            }
            if starts("<!--") {
                try skip(to: "-->")
            } else if starts("<![CDATA[") {
                position += 9
                let start = position
                try skip(to: "]]>")
                guard !open.isEmpty else { throw problem("text outside") }
                let text = bytes[start..<position - 3].prefix(Self.mostValueBytes)
                return .text(String(decoding: text, as: UTF8.self))
            } else if starts("<?") {
                try skip(to: "?>")
            } else if starts("<!") {
                try skipDeclaration()
            } else if starts("</") {
                return try end()
            } else {
                return try start()
            }
        }
        guard open.isEmpty else { throw problem("the file ends within an element") }
        return nil
    }

    private mutating func start() throws(XMLProblem) -> Event {
        position += 1
        let name = try takeName()
        guard open.count < Self.mostDepth else { throw problem("elements are nested too deep") }
        var attributes: [String: String] = [:]
        while true {
            skipBlanks()
            guard position < bytes.count else { throw problem("the file ends within a tag") }
            if starts("/>") {
                position += 2
                endsNow = true
                break
            }
            if bytes[position] == UInt8(ascii: ">") {
                position += 1
                break
            }
            let attribute = try takeName()
            skipBlanks()
            guard starts("=") else { throw problem("an attribute has no value") }
            position += 1
            skipBlanks()
            let value = try takeValue()
            guard attributes.count < Self.mostAttributes else {
                throw problem("an element has too many attributes")
            }
            attributes[Self.localName(attribute)] = value
        }
        open.append(name)
        return .start(Self.localName(name), attributes)
    }

    private mutating func end() throws(XMLProblem) -> Event {
        position += 2
        let name = try takeName()
        skipBlanks()
        guard starts(">") else { throw problem("a tag does not end") }
        guard let last = open.popLast(), last == name else {
            throw problem("</\(String(decoding: name.prefix(100), as: UTF8.self))> ends nothing")
        }
        position += 1
        return .end
    }

    private mutating func takeName() throws(XMLProblem) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, !Self.isBlank(bytes[position]),
            !"<>/=\"'&".utf8.contains(bytes[position])
        {
            position += 1
        }
        guard position > start else { throw problem("a name is missing") }
        return bytes[start..<position]
    }

    private mutating func takeValue() throws(XMLProblem) -> String {
        guard position < bytes.count else { throw problem("the file ends within a tag") }
        let quote = bytes[position]
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw problem("a value is not quoted")
        }
        guard let end = bytes[(position + 1)...].firstIndex(of: quote) else {
            throw problem("a value does not end")
        }
        defer { position = end + 1 }
        return Self.unescape(bytes[position + 1..<end].prefix(Self.mostValueBytes))
    }

    private mutating func takeText() -> ArraySlice<UInt8> {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        defer { position = end }
        return bytes[position..<end]
    }

    /// Passes over `<!DOCTYPE …>` with what it declares.
    private mutating func skipDeclaration() throws(XMLProblem) {
        var depth = 0
        while position < bytes.count {
            let byte = bytes[position]
            if starts("<!--") {
                try skip(to: "-->")
                continue
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                _ = try takeValue()
                continue
            }
            if byte == UInt8(ascii: "<") { depth += 1 }
            if byte == UInt8(ascii: ">") { depth -= 1 }
            position += 1
            if depth == 0 { return }
        }
        throw problem("a declaration does not end")
    }

    private func starts(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return text.withUTF8Buffer { $0.elementsEqual(bytes[position..<position + count]) }
    }

    private mutating func skip(to text: StaticString) throws(XMLProblem) {
        while position < bytes.count {
            if starts(text) {
                position += text.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw problem("the file ends before \(text)")
    }

    private mutating func skipBlanks() {
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
    }

    private func problem(_ what: String) -> XMLProblem {
        let before = bytes.prefix(position)
        return .malformed(line: before.reduce(1) { $0 + ($1 == 10 ? 1 : 0) }, what)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 32 || byte == 9 || byte == 10 || byte == 13
    }

    private static func localName(_ name: ArraySlice<UInt8>) -> String {
        let start = name.lastIndex(of: UInt8(ascii: ":")).map { $0 + 1 } ?? name.startIndex
        return String(decoding: name[start...], as: UTF8.self)
    }

    static func unescape(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "&")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var out: [UInt8] = []
        var rest = bytes
        while let ampersand = rest.firstIndex(of: UInt8(ascii: "&")) {
            out += rest[..<ampersand]
            rest = rest[ampersand...]
            let window = rest.prefix(12)
            if let end = window.firstIndex(of: UInt8(ascii: ";")),
                let text = entity(rest[ampersand + 1..<end])
            {
                out += Array(text.utf8)
                rest = rest[(end + 1)...]
            } else {
                out.append(UInt8(ascii: "&"))
                rest = rest.dropFirst()
            }
        }
        return String(decoding: out + rest, as: UTF8.self)
    }

    private static func entity(_ name: ArraySlice<UInt8>) -> String? {
        let name = String(decoding: name, as: UTF8.self)
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let value =
            digits.hasPrefix("x")
            ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
        return value.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
    }
}
