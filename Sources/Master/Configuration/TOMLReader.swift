/// Reads TOML 1.0.0 as far as a configuration needs it: there are no arrays of tables, and numbers
/// with a fraction, dates and times are told from other values but not read, for no key has them.
///
/// It is hand-written because the file is hostile input and its places are needed: everything is
/// bounded before it is built, nothing recurses deeper than `mostDepth`, and each key knows its
/// line. Messages never repeat the text.
struct TOMLReader {
    static let mostKeys = 10_000
    /// Names on the way to a key, and arrays and tables in each other.
    static let mostDepth = 16

    /// How a table or value came to be, which decides what may be added to it.
    private enum Origin {
        /// By a header of its own.
        case header
        /// By the header of a table beneath it.
        case implied
        /// By a dotted key.
        case dotted
        /// A value or an inline table: nothing may be added.
        case closed
    }

    private var entries: [TOMLDocument.Entry] = []
    private var origins: [[String]: Origin] = [:]
    let bytes: [UInt8]
    private(set) var at = 0
    private(set) var line = 1
    private(set) var column = 1

    /// A reader of bytes that are UTF-8.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a whole document: its keys and tables in their order.
    mutating func document() throws(TOMLMistake) -> [TOMLDocument.Entry] {
        // A byte order mark is no part of the first key.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        var table: [String] = []
        while true {
            try skipLines()
            guard let byte = next else { return entries }
            if byte == UInt8(ascii: "[") {
                table = try header()
            } else {
                try assignment(in: table, depth: 0)
            }
            skipBlanks()
            try comment()
            let ends = try newline()
            guard ends || next == nil else {
                throw mistake("Here should be the end of the line.", "Write one key on a line.")
            }
        }
    }

    // MARK: tables and keys

    /// `[a.b]`.
    private mutating func header() throws(TOMLMistake) -> [String] {
        let place = (line, column)
        advance()
        if next == UInt8(ascii: "[") {
            throw mistake(
                "There are no arrays of tables here.", "Write [name], in single brackets.")
        }
        skipBlanks()
        let path = try dottedKey(in: [])
        guard next == UInt8(ascii: "]") else {
            throw mistake("The name of a table ends with ].")
        }
        advance()
        for count in 1..<path.count {
            let parent = Array(path.prefix(count))
            if origins[parent] == .closed { throw twice(place) }
            if origins[parent] == nil { origins[parent] = .implied }
        }
        let origin = origins[path]
        guard origin == nil || origin == .implied else { throw twice(place) }
        origins[path] = .header
        try add(path, .other("a table"), isTable: true, at: place)
        return path
    }

    /// `a.b = value`.
    private mutating func assignment(in table: [String], depth: Int) throws(TOMLMistake) {
        let place = (line, column)
        let path = try dottedKey(in: table)
        guard next == UInt8(ascii: "=") else {
            throw mistake("After a key comes = and a value.")
        }
        advance()
        skipBlanks()
        for count in table.count + 1..<max(table.count + 1, path.count) {
            let parent = Array(path.prefix(count))
            guard origins[parent] == nil || origins[parent] == .dotted else { throw twice(place) }
            origins[parent] = .dotted
        }
        guard origins[path] == nil else { throw twice(place) }
        origins[path] = .closed
        if next == UInt8(ascii: "{") {
            try add(path, .other("a table"), isTable: true, at: place)
            try inlineTable(path, depth: depth + 1)
        } else {
            try add(path, try value(depth: depth + 1), isTable: false, at: place)
        }
    }

    private mutating func add(
        _ path: [String], _ value: GivenValue, isTable: Bool, at place: (line: Int, column: Int)
    ) throws(TOMLMistake) {
        guard entries.count < Self.mostKeys else {
            throw mistake("There are more than \(Self.mostKeys) keys.")
        }
        entries.append(
            .init(
                path: path, value: value, isTable: isTable, line: place.line,
                column: place.column))
    }

    private mutating func dottedKey(in table: [String]) throws(TOMLMistake) -> [String] {
        var path = table
        while true {
            guard path.count < Self.mostDepth else {
                throw mistake("A key has more than \(Self.mostDepth) parts.")
            }
            path.append(try simpleKey())
            skipBlanks()
            guard next == UInt8(ascii: ".") else { return path }
            advance()
            skipBlanks()
        }
    }

    private mutating func simpleKey() throws(TOMLMistake) -> String {
        if let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            return try shortString()
        }
        let start = at
        while let byte = next, byte.isWord || byte == UInt8(ascii: "-") { advance() }
        guard at > start else {
            throw mistake("Here should be a key.", "Write `name = value`, or `[table]`.")
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    // MARK: values

    private mutating func value(depth: Int) throws(TOMLMistake) -> GivenValue {
        guard depth <= Self.mostDepth else {
            throw mistake("Values stand more than \(Self.mostDepth) deep in each other.")
        }
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try string())
        case UInt8(ascii: "["): return try array(depth: depth)
        default: return try scalar()
        }
    }

    private mutating func array(depth: Int) throws(TOMLMistake) -> GivenValue {
        var texts: [String]? = []
        advance()
        while true {
            try skipLines()
            if next == UInt8(ascii: "]") { break }
            if case .text(let text) = try element(depth: depth + 1) {
                texts?.append(text)
            } else {
                texts = nil
            }
            try skipLines()
            if next == UInt8(ascii: "]") { break }
            guard next == UInt8(ascii: ",") else {
                throw mistake("Between the values of an array stands a comma.")
            }
            advance()
        }
        advance()
        return texts.map { .list($0) } ?? .other("an array in which something is no text")
    }

    /// A value in an array. The keys of a table there belong to no table of the document.
    private mutating func element(depth: Int) throws(TOMLMistake) -> GivenValue {
        guard next == UInt8(ascii: "{") else { return try value(depth: depth) }
        let (known, outside) = (entries.count, origins)
        origins = [:]
        try inlineTable([], depth: depth)
        entries.removeLast(entries.count - known)
        origins = outside
        return .other("a table")
    }

    private mutating func inlineTable(_ path: [String], depth: Int) throws(TOMLMistake) {
        guard depth <= Self.mostDepth else {
            throw mistake("Values stand more than \(Self.mostDepth) deep in each other.")
        }
        advance()
        skipBlanks()
        if next == UInt8(ascii: "}") {
            advance()
            return
        }
        while true {
            try assignment(in: path, depth: depth)
            skipBlanks()
            if next == UInt8(ascii: "}") { break }
            guard next == UInt8(ascii: ",") else {
                throw mistake("Between the keys of an inline table stands a comma.")
            }
            advance()
            skipBlanks()
        }
        advance()
    }

    // MARK: bytes

    var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where at < bytes.count {
            if bytes[at] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if bytes[at] & 0xC0 != 0x80 {
                column += 1
            }
            at += 1
        }
    }

    mutating func skipBlanks() {
        while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { advance() }
    }

    /// Passes over blanks, comments and ends of lines.
    mutating func skipLines() throws(TOMLMistake) {
        repeat {
            skipBlanks()
            try comment()
        } while try newline()
    }

    /// Passes over the end of a line; false when there is none.
    mutating func newline() throws(TOMLMistake) -> Bool {
        if next == UInt8(ascii: "\r") {
            advance()
            guard next == UInt8(ascii: "\n") else {
                throw mistake("A carriage return stands alone.")
            }
        }
        guard next == UInt8(ascii: "\n") else { return false }
        advance()
        return true
    }

    private mutating func comment() throws(TOMLMistake) {
        guard next == UInt8(ascii: "#") else { return }
        while let byte = next, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            try refuseControl(byte)
            advance()
        }
    }

    /// Refuses control characters other than the tab.
    func refuseControl(_ byte: UInt8) throws(TOMLMistake) {
        if byte < 0x20 && byte != UInt8(ascii: "\t") || byte == 0x7F {
            throw mistake("Here is a control character.", "In a text, write it as an escape.")
        }
    }

    func mistake(_ message: String, _ hint: String? = nil) -> TOMLMistake {
        TOMLMistake(line: line, column: column, message: message, hint: hint)
    }

    private func twice(_ place: (line: Int, column: Int)) -> TOMLMistake {
        TOMLMistake(
            line: place.line, column: place.column,
            message: "This is defined already, or within something that is whole.",
            hint: "Write each table and each key once.")
    }
}
