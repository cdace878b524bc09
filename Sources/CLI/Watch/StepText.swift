/// What a step printed, made harmless for a terminal: of its escapes only colours are kept, and
/// those only where colours are used.
enum StepText {
    /// Puts one line, cut to `columns` where it is longer; gives the columns it took.
    @discardableResult
    static func put(
        _ line: some Collection<UInt8>, columns: Int, colour: Bool, into buffer: inout TextBuffer
    ) -> Int {
        // A line that is printed over is seen as it is last.
        let seen = lastSegment(Array(line))
        if seen.count <= columns, seen.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) {
            buffer.put(bytes: Array(seen))
            return seen.count
        }
        var painter = Painter(columns: columns, colour: colour)
        var scalars = String(decoding: seen, as: UTF8.self).unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            if scalar == "\u{1b}" {
                painter.escape(&scalars)
            } else if !painter.put(scalar) {
                break
            }
        }
        return painter.end(into: &buffer)
    }

    /// What stands after the last carriage return that something follows.
    private static func lastSegment(_ line: [UInt8]) -> ArraySlice<UInt8> {
        var end = line.count
        while end > 0, line[end - 1] == 0x0d { end -= 1 }
        let start = line[..<end].lastIndex(of: 0x0d).map { $0 + 1 } ?? 0
        return line[start..<end]
    }

    /// Gathers the visible form.
    private struct Painter {
        let columns: Int
        let colour: Bool
        private var text = ""
        private var used = 0
        /// Bytes and columns of the text as far as one column is left for `…`.
        private var shorter = 0
        private var shorterUsed = 0
        private var isCut = false
        private var isPainted = false

        init(columns: Int, colour: Bool) {
            self.columns = columns
            self.colour = colour
        }

        /// Takes one character; false when there is no more room.
        mutating func put(_ scalar: Unicode.Scalar) -> Bool {
            if scalar == "\t" { return put("        ".prefix(8 - used % 8), 8 - used % 8) }
            let width = DisplayText.width(scalar)
            return put(DisplayText.escape(scalar) ?? String(Character(scalar)), width)
        }

        private mutating func put(_ piece: some StringProtocol, _ width: Int) -> Bool {
            if used + width > columns {
                isCut = true
                return false
            }
            text += piece
            used += width
            if used < columns {
                shorter = text.utf8.count
                shorterUsed = used
            }
            return true
        }

        /// Passes over an escape sequence; keeps it when it sets a colour.
        mutating func escape(_ scalars: inout String.UnicodeScalarView.Iterator) {
            guard let kind = scalars.next() else { return }
            switch kind {
            case "[":
                var parameters = ""
                while let next = scalars.next() {
                    if (0x40...0x7e).contains(next.value) {
                        if next == "m", colour, Self.isVisible(parameters) {
                            text += "\u{1b}[\(parameters)m"
                            if used < columns { shorter = text.utf8.count }
                            isPainted = true
                        }
                        return
                    }
                    // A sequence that is none ends where it breaks.
                    if next.value < 0x20 || next.value > 0x7e { return }
                    if parameters.utf8.count < 64 { parameters.unicodeScalars.append(next) }
                }
            case "]", "P", "_", "^", "X":
                var last: Unicode.Scalar?
                while let next = scalars.next() {
                    if next == "\u{07}" || (last == "\u{1b}" && next == "\\") { return }
                    last = next
                }
            case "(", ")", "*", "+", "#", " ", "%": _ = scalars.next()
            default: break
            }
        }

        /// Whether the parameters only colour and weigh: nothing blinks, nothing is concealed.
        private static func isVisible(_ parameters: String) -> Bool {
            guard parameters.utf8.count <= 32,
                parameters.utf8.allSatisfy({ (0x30...0x3b).contains($0) })
            else { return false }
            var numbers = parameters.split(separator: ";").map { Int($0.prefix { $0 != ":" }) }[...]
            while let number = numbers.popFirst() {
                switch number {
                case 5, 6, 8: return false
                case 38, 48, 58:
                    // `38;5;n` and `38;2;r;g;b` name a colour.
                    if let form = numbers.first { numbers = numbers.dropFirst(form == 5 ? 2 : 4) }
                default: break
                }
            }
            return true
        }

        func end(into buffer: inout TextBuffer) -> Int {
            if isCut {
                buffer.put(bytes: Array(text.utf8.prefix(shorter)))
                buffer.put("…")
            } else {
                buffer.put(text)
            }
            if isPainted { buffer.put("\u{1b}[0m") }
            return isCut ? shorterUsed + 1 : used
        }
    }
}
