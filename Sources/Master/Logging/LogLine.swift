internal import Logging
internal import PipelineIR

/// One line of the master's own log while it is made. Whatever is added, it stays one line, valid
/// in its format, of at most `LogSink.mostLineBytes`.
struct LogLine {
    /// Bytes of a message, and of a field, as they are written.
    static let mostMessage = 2048
    static let mostField = 512

    private let format: LogFormat
    private var bytes: [UInt8] = []

    init(format: LogFormat, time: String, level: Logger.Level) {
        self.format = format
        bytes.reserveCapacity(256)
        switch format {
        case .text:
            let word = level.rawValue
            let padding = String(repeating: " ", count: max(0, 8 - word.utf8.count))
            bytes += "\(time) \(word)\(padding) ".utf8
        case .json: bytes += "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\"".utf8
        }
    }

    /// What it is about, and of which part of the master.
    mutating func add(label: String, message: String) {
        switch format {
        case .text:
            bytes += escaped(label, most: Self.mostField)
            bytes += ": ".utf8
            bytes += escaped(message, most: Self.mostMessage)
        case .json:
            addField("part", escaped(label, most: Self.mostField))
            addField("message", escaped(message, most: Self.mostMessage))
        }
    }

    /// Adds a field, if there is room.
    mutating func add(_ key: String, _ value: String) {
        let key = String(decoding: escaped(key, most: 64), as: UTF8.self)
        let value = escaped(value, most: Self.mostField, quotes: true)
        // Braces, quotes, separators, and the end of the line.
        guard bytes.count + key.utf8.count + value.count + 16 <= LogSink.mostLineBytes else {
            return
        }
        switch format {
        case .text:
            let isPlain = !value.isEmpty && value.allSatisfy { $0 > 0x20 && $0 != 0x22 }
            bytes += " \(key)=".utf8
            bytes += isPlain ? value : [0x22] + value + [0x22]
        case .json: addField(key, value)
        }
    }

    /// The bytes with the newline.
    consuming func finish() -> [UInt8] {
        bytes += (format == .json ? "}\n" : "\n").utf8
        return bytes
    }

    private mutating func addField(_ key: String, _ value: [UInt8]) {
        bytes += ",\"\(key)\":\"".utf8
        bytes += value
        bytes.append(UInt8(ascii: "\""))
    }

    /// A text without anything that ends a line, moves a cursor or turns the direction, cut between
    /// characters with `…` when it is longer than `most` bytes.
    private func escaped(_ text: String, most: Int, quotes: Bool = false) -> [UInt8] {
        let mark = Array("…".utf8)
        var out: [UInt8] = []
        // Where the text can be cut so that the mark still fits.
        var cut = 0
        for scalar in text.unicodeScalars {
            switch scalar {
            // Stores of logs refuse a NUL, also as an escape.
            case "\0": out += "␀".utf8
            case "\n": out += "\\n".utf8
            case "\t": out += "\\t".utf8
            case "\\": out += "\\\\".utf8
            case "\"" where quotes || format == .json: out += "\\\"".utf8
            case _ where scalar.isControl:
                let digits = String(scalar.value, radix: 16)
                out += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: out += UTF8.encode(scalar) ?? .init()
            }
            if out.count > most { return Array(out[..<cut]) + mark }
            if out.count + mark.count <= most { cut = out.count }
        }
        return out
    }
}
