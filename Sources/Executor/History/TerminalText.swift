/// Makes what a step printed harmless for a terminal: colours stay, everything else that would move
/// the cursor, change the terminal or hide text goes or becomes visible.
///
/// Chunks may be cut anywhere. A carriage return alone begins a new line, so that no text covers
/// other text. What is no UTF-8 becomes U+FFFD.
package struct TerminalText: Sendable {
    private enum State {
        case text
        /// Within a character of UTF-8.
        case character
        case escape
        /// Within ESC [ … : ECMA-48's control sequences.
        case sequence
        /// Within ESC ] … or another string, which ends with BEL or ESC \.
        case string
        case stringEscape
        case carriageReturn
    }

    private let keepsColours: Bool
    private var state = State.text
    private var held: [UInt8] = []
    private var length = 0
    /// Whether a colour is on.
    private var isColoured = false

    /// A longer sequence is no sequence; what follows is text again.
    private static let mostSequenceBytes = 64
    private static let mostStringBytes = 4096
    private static let replacement = Array("\u{fffd}".utf8)
    private static let reset = Array("\u{1b}[0m".utf8)

    /// The beginning of a text.
    ///
    /// - Parameter keepsColours: without it colours go, too.
    package init(keepsColours: Bool) { self.keepsColours = keepsColours }

    /// Adds the harmless form of a chunk.
    package mutating func append(_ chunk: some Sequence<UInt8>, into out: inout [UInt8]) {
        for byte in chunk { take(byte, &out) }
    }

    /// Ends the text: what was begun is dropped, and colours are off.
    package mutating func finish(into out: inout [UInt8]) {
        if state == .character { out += Self.replacement }
        if state == .carriageReturn { out.append(10) }
        if isColoured { out += Self.reset }
        self = TerminalText(keepsColours: keepsColours)
    }

    /// The harmless form of a whole text.
    package static func harmless(_ bytes: some Sequence<UInt8>, keepsColours: Bool) -> [UInt8] {
        var text = TerminalText(keepsColours: keepsColours)
        var out: [UInt8] = []
        text.append(bytes, into: &out)
        text.finish(into: &out)
        return out
    }

    private mutating func take(_ byte: UInt8, _ out: inout [UInt8]) {
        switch state {
        case .text: takeText(byte, &out)
        case .character: takeCharacter(byte, &out)
        case .escape: takeEscape(byte, &out)
        case .sequence: takeSequence(byte, &out)
        case .string, .stringEscape: takeString(byte, &out)
        case .carriageReturn:
            state = .text
            out.append(10)
            if byte != 10 { takeText(byte, &out) }
        }
    }

    private mutating func takeText(_ byte: UInt8, _ out: inout [UInt8]) {
        switch byte {
        case 0x20...0x7e, 9, 10: out.append(byte)
        case 13: state = .carriageReturn
        case 0x1b:
            state = .escape
            length = 0
        case 0..<0x20, 0x7f: Self.show(UInt32(byte), &out)
        default:
            held = [byte]
            state = .character
            if Self.expected(byte) == 0 { replace(&out) }
        }
    }

    // MARK: UTF-8

    /// Bytes of a character by its first byte; 0 when it begins none.
    private static func expected(_ byte: UInt8) -> Int {
        switch byte {
        case 0xc2...0xdf: 2
        case 0xe0...0xef: 3
        case 0xf0...0xf4: 4
        default: 0
        }
    }

    private mutating func takeCharacter(_ byte: UInt8, _ out: inout [UInt8]) {
        guard byte & 0xc0 == 0x80 else {
            replace(&out)
            return takeText(byte, &out)
        }
        held.append(byte)
        guard held.count == Self.expected(held[0]) else { return }
        guard let text = String(validating: held, as: UTF8.self),
            let scalar = text.unicodeScalars.first
        else { return replace(&out) }
        state = .text
        if Self.hides(scalar.value) { Self.show(scalar.value, &out) } else { out += held }
    }

    private mutating func replace(_ out: inout [UInt8]) {
        state = .text
        out += Self.replacement
    }

    /// Characters that control, reorder or are not seen. The joiners within words and emoji stay.
    private static func hides(_ value: UInt32) -> Bool {
        switch value {
        case 0x80...0x9f, 0xad, 0x61c, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028...0x202e,
            0x2060...0x206f, 0xfeff, 0xfff9...0xfffb, 0xe0000...0xe007f:
            true
        default: false
        }
    }

    private static func show(_ value: UInt32, _ out: inout [UInt8]) {
        let digits = value < 0x100 ? 2 : value < 0x10000 ? 4 : 8
        let hex = String(value, radix: 16)
        let prefix = value < 0x100 ? "\\x" : value < 0x10000 ? "\\u" : "\\U"
        out += Array((prefix + String(repeating: "0", count: digits - hex.count) + hex).utf8)
    }

    // MARK: Escapes

    private mutating func takeEscape(_ byte: UInt8, _ out: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "["):
            held = []
            state = .sequence
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"),
            UInt8(ascii: "_"):
            length = 0
            state = .string
        case 0x20...0x2f:
            length += 1
            if length > Self.mostSequenceBytes { state = .text }
        case 0x30...0x7e: state = .text
        default:
            // No escape at all: the byte is looked at as text.
            state = .text
            takeText(byte, &out)
        }
    }

    private mutating func takeSequence(_ byte: UInt8, _ out: inout [UInt8]) {
        switch byte {
        case 0x20...0x3f:
            held.append(byte)
            if held.count > Self.mostSequenceBytes { state = .text }
        case 0x40...0x7e:
            state = .text
            let isColour =
                byte == UInt8(ascii: "m") && held.allSatisfy { (0x30...0x3b).contains($0) }
            guard isColour, keepsColours else { return }
            out += [0x1b, UInt8(ascii: "[")] + held + [byte]
            isColoured = held.contains { (0x31...0x39).contains($0) }
        default:
            state = .text
            takeText(byte, &out)
        }
    }

    private mutating func takeString(_ byte: UInt8, _ out: inout [UInt8]) {
        length += 1
        if state == .stringEscape, byte == UInt8(ascii: "\\") {
            state = .text
        } else if byte == 7 {
            state = .text
        } else if byte == 10 || length > Self.mostStringBytes {
            // One that never ends must not swallow the rest of the log.
            state = .text
            takeText(byte, &out)
        } else {
            state = byte == 0x1b ? .stringEscape : .string
        }
    }
}
