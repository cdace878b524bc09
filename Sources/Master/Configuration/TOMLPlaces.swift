/// A mistake in the text of a TOML file.
struct TOMLMistake: Error, Equatable {
    /// From 1; 0 means the file as a whole.
    var line = 0
    /// In characters, from 1; 0 means the line as a whole.
    var column = 0
    var message: String
    var hint: String?
}

/// Finds where each key of a TOML document stands, and bounds what the parser is given.
///
/// The parser tells no places of values, and it recurses into tables as deep as dotted keys name
/// them: half a million of them overflow its stack. This goes over the text first, by the same
/// grammar (TOML 1.0.0) but blind to what scalars mean. What it does not understand is a mistake,
/// so that the parser never sees anything that was not bounded here.
struct TOMLPlaces {
    /// A key with a value, or a table.
    struct Entry: Equatable {
        /// Names from the root down.
        var path: [String]
        var isTable: Bool
        var line: Int
        var column: Int
    }

    static let mostKeys = 10_000
    /// Names in one dotted key, and tables and arrays in each other.
    static let mostDepth = 16

    private(set) var entries: [Entry] = []
    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    private var column = 1

    /// Goes over a whole document, which must be UTF-8.
    init(_ bytes: [UInt8]) throws(TOMLMistake) {
        self.bytes = bytes
        // A byte order mark is no part of the first key.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        var table: [String] = []
        while true {
            skipBlanks(newlines: true)
            guard let byte = next else { return }
            if byte == UInt8(ascii: "[") {
                table = try header()
            } else {
                try assignment(in: table, depth: 0)
            }
            try endOfLine()
        }
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func advance(_ count: Int = 1) {
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

    private mutating func skipBlanks(newlines: Bool) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): advance()
            case UInt8(ascii: "\n") where newlines: advance()
            case UInt8(ascii: "\r") where newlines: advance()
            case UInt8(ascii: "#") where newlines: skipLine()
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while let byte = next, byte != UInt8(ascii: "\n") { advance() }
    }

    private mutating func endOfLine() throws(TOMLMistake) {
        skipBlanks(newlines: false)
        if next == UInt8(ascii: "#") { skipLine() }
        if next == UInt8(ascii: "\r") { advance() }
        guard next == nil || next == UInt8(ascii: "\n") else {
            throw mistake("Here should be the end of the line.", "Write one key on a line.")
        }
    }

    /// `[a.b]`.
    private mutating func header() throws(TOMLMistake) -> [String] {
        let place = (line, column)
        advance()
        if next == UInt8(ascii: "[") {
            throw mistake(
                "There are no arrays of tables here.", "Write [name], in single brackets.")
        }
        skipBlanks(newlines: false)
        let path = try dottedKey()
        guard next == UInt8(ascii: "]") else {
            throw mistake("The name of a table ends with ].", nil)
        }
        advance()
        try add(path, isTable: true, at: place)
        return path
    }

    /// `a.b = value`.
    private mutating func assignment(in table: [String], depth: Int) throws(TOMLMistake) {
        let place = (line, column)
        let path = table + (try dottedKey())
        guard next == UInt8(ascii: "=") else {
            throw mistake("After a key comes = and a value.", nil)
        }
        advance()
        skipBlanks(newlines: false)
        let isTable = next == UInt8(ascii: "{")
        try add(path, isTable: isTable, at: place)
        try value(of: path, depth: depth + 1)
    }

    private mutating func add(
        _ path: [String], isTable: Bool, at place: (line: Int, column: Int)
    ) throws(TOMLMistake) {
        guard entries.count < Self.mostKeys else {
            throw mistake("There are more than \(Self.mostKeys) keys.", nil)
        }
        entries.append(
            Entry(path: path, isTable: isTable, line: place.line, column: place.column))
    }

    private mutating func dottedKey() throws(TOMLMistake) -> [String] {
        var path: [String] = []
        while true {
            guard path.count < Self.mostDepth else {
                throw mistake("A key has more than \(Self.mostDepth) parts.", nil)
            }
            path.append(try simpleKey())
            skipBlanks(newlines: false)
            guard next == UInt8(ascii: ".") else { return path }
            advance()
            skipBlanks(newlines: false)
        }
    }

    private mutating func simpleKey() throws(TOMLMistake) -> String {
        let start = at
        if let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            advance()
            while let byte = next, byte != quote, byte != UInt8(ascii: "\n") {
                if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    throw mistake("A key has no escapes here.", nil)
                }
                advance()
            }
            guard next == quote else { throw mistake("The key does not end.", nil) }
            advance()
            return String(decoding: bytes[start + 1..<at - 1], as: UTF8.self)
        }
        while let byte = next, byte.isWord || byte == UInt8(ascii: "-") { advance() }
        guard at > start else {
            throw mistake("Here should be a key.", "Write `name = value`, or `[table]`.")
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func value(of path: [String], depth: Int) throws(TOMLMistake) {
        guard depth <= Self.mostDepth else {
            throw mistake("Values stand more than \(Self.mostDepth) deep in each other.", nil)
        }
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): try string()
        case UInt8(ascii: "["): try array(of: path, depth: depth)
        case UInt8(ascii: "{"): try inlineTable(path, depth: depth)
        default: try scalar()
        }
    }

    /// A number, a word or a date, which may have one blank in it.
    private mutating func scalar() throws(TOMLMistake) {
        let start = at
        while let byte = next {
            let ends: Bool =
                switch byte {
                case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"),
                    UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                    true
                // Where these stand, the parser would begin a value of another kind.
                case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "'"),
                    UInt8(ascii: "="):
                    throw mistake("This stands in no number, word or date.", "Quote a text.")
                default: false
                }
            if ends { break }
            advance()
        }
        if at == start { throw mistake("Here should be a value.", nil) }
    }

    private mutating func array(of path: [String], depth: Int) throws(TOMLMistake) {
        advance()
        while true {
            skipBlanks(newlines: true)
            if next == UInt8(ascii: "]") { break }
            // Keys of tables in an array belong to no table of the schema.
            let known = entries.count
            try value(of: path, depth: depth + 1)
            entries.removeLast(entries.count - known)
            skipBlanks(newlines: true)
            if next == UInt8(ascii: "]") { break }
            guard next == UInt8(ascii: ",") else {
                throw mistake("Between the values of an array stands a comma.", nil)
            }
            advance()
        }
        advance()
    }

    private mutating func inlineTable(_ path: [String], depth: Int) throws(TOMLMistake) {
        advance()
        skipBlanks(newlines: false)
        while next != UInt8(ascii: "}") {
            try assignment(in: path, depth: depth)
            skipBlanks(newlines: false)
            if next == UInt8(ascii: "}") { break }
            guard next == UInt8(ascii: ",") else {
                throw mistake("Between the keys of an inline table stands a comma.", nil)
            }
            advance()
            skipBlanks(newlines: false)
        }
        advance()
    }

    /// A string in one of the four forms.
    private mutating func string() throws(TOMLMistake) {
        let start = (line, column)
        let quote = bytes[at]
        let isLong = bytes[at...].starts(with: [quote, quote, quote])
        advance(isLong ? 3 : 1)
        while let byte = next {
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try refuseNUL()
                advance(2)
            } else if byte == quote, isLong {
                guard bytes[at...].starts(with: [quote, quote, quote]) else {
                    advance()
                    continue
                }
                // Two more quotes may belong to the text.
                let run = bytes[at...].prefix(5).prefix { $0 == quote }.count
                advance(run)
                return
            } else if byte == quote {
                advance()
                return
            } else if byte == UInt8(ascii: "\n"), !isLong {
                break
            } else {
                advance()
            }
        }
        throw TOMLMistake(line: start.0, column: start.1, message: "The text does not end.")
    }

    /// The parser would cut the text there.
    private func refuseNUL() throws(TOMLMistake) {
        let escape = bytes[at...].prefix(10)
        if escape.starts(with: Array("\\u0000".utf8))
            || escape.elementsEqual(Array("\\U00000000".utf8))
        {
            throw mistake("No text may have a NUL.", nil)
        }
    }

    private func mistake(_ message: String, _ hint: String?) -> TOMLMistake {
        TOMLMistake(line: line, column: column, message: message, hint: hint)
    }
}
