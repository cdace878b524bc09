/// Bytes of a report, gathered to be written at once.
struct TextBuffer {
    /// What was put so far.
    private(set) var bytes: [UInt8] = []
    /// Whether colours are used.
    let colour: Bool
    /// The number of lines ended so far.
    private(set) var lines = 0

    /// A style of text on a terminal.
    enum Paint: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case magenta = "35"
        case cyan = "36"
        case boldRed = "1;31"
        case boldYellow = "1;33"
        case boldCyan = "1;36"
        case boldGreen = "1;32"
    }

    init(colour: Bool = false, capacity: Int = 0) {
        self.colour = colour
        bytes.reserveCapacity(capacity)
    }

    /// The text, for tests and for embedding.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Puts text that is known to be harmless.
    mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Puts harmless text in a style.
    mutating func put(_ text: String, _ paint: Paint) {
        begin(paint)
        put(text)
        end()
    }

    /// Puts one ASCII character.
    mutating func put(byte: UInt8) { bytes.append(byte) }

    /// Puts bytes as they are.
    mutating func put(bytes more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Puts a number in decimal.
    mutating func put(_ number: Int) {
        if number >= 0 && number < 10 {
            bytes.append(UInt8(truncatingIfNeeded: 0x30 + number))
        } else {
            bytes.append(contentsOf: String(number).utf8)
        }
    }

    /// Puts text from outside with its escapes; gives the columns it took.
    @discardableResult
    mutating func safe(_ text: String) -> Int {
        if DisplayText.isPlain(text) {
            bytes.append(contentsOf: text.utf8)
            return text.utf8.count
        }
        let escaped = DisplayText.escaped(text)
        bytes.append(contentsOf: escaped.utf8)
        return DisplayText.width(escaped)
    }

    /// Puts text from outside in a style; gives the columns it took.
    @discardableResult
    mutating func safe(_ text: String, _ paint: Paint) -> Int {
        begin(paint)
        defer { end() }
        return safe(text)
    }

    /// Puts text from outside, cut to `columns` where it is longer; gives the columns it took.
    @discardableResult
    mutating func safe(_ text: String, columns: Int) -> Int {
        if text.utf8.count <= columns, DisplayText.isPlain(text) {
            bytes.append(contentsOf: text.utf8)
            return text.utf8.count
        }
        let fitted = DisplayText.fitted(text, columns: columns)
        bytes.append(contentsOf: fitted.utf8)
        return DisplayText.width(fitted)
    }

    /// Puts blanks.
    mutating func blanks(_ count: Int) {
        if count > 0 { bytes.append(contentsOf: repeatElement(0x20, count: count)) }
    }

    /// Ends the line, without trailing blanks.
    mutating func newline() {
        while bytes.last == 0x20 { bytes.removeLast() }
        bytes.append(0x0a)
        lines += 1
    }

    /// Starts a style, when colours are used.
    mutating func begin(_ paint: Paint) {
        guard colour else { return }
        put("\u{1b}[")
        put(paint.rawValue)
        put(byte: 0x6d)
    }

    /// Ends all styles.
    mutating func end() {
        if colour { put("\u{1b}[0m") }
    }
}
