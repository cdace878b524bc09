/// One line that is being painted; it never becomes wider than its columns.
struct PaintedLine {
    private var buffer: TextBuffer
    /// Columns that are used.
    private(set) var columns = 0
    private let limit: Int
    /// Blanks that are written once something follows them.
    private var pending = 0
    /// Whether the terminal may think otherwise of the columns that are used.
    private var isUncertain = false

    init(colour: Bool, columns limit: Int) {
        buffer = TextBuffer(colour: colour, capacity: 160)
        self.limit = max(1, limit)
    }

    var line: LiveRegion.Line { LiveRegion.Line(bytes: buffer.bytes, columns: columns) }

    /// The columns that are free.
    var room: Int { limit - columns }

    /// Puts escaped text, cut where there is no more room.
    mutating func put(
        _ text: String, _ paint: TextBuffer.Paint? = nil, columns most: Int = .max
    ) {
        let room = min(self.room, most)
        if text.isEmpty || room <= 0 { return }
        putPending()
        if let paint { buffer.begin(paint) }
        columns += buffer.safe(text, columns: room)
        if paint != nil { buffer.end() }
        // Terminals have their own ideas of the width of an emoji; columns after it are set.
        if text.unicodeScalars.contains(where: Self.isUncertain) { isUncertain = true }
    }

    mutating func put(_ sign: (String, TextBuffer.Paint)) { put(sign.0, sign.1) }

    private static func isUncertain(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x300 { return false }
        return scalar.value >= 0x1f000 || DisplayText.width(scalar) != 1
    }

    /// Puts text at the right end of a field.
    mutating func right(_ text: String, _ paint: TextBuffer.Paint?, in width: Int) {
        blanks(width - DisplayText.width(text))
        put(text, paint)
    }

    /// Puts what a step wrote, without its colours.
    mutating func put(output: ArraySlice<UInt8>) {
        if room <= 0 { return }
        putPending()
        buffer.begin(.dim)
        columns += StepText.put(output, columns: room, colour: false, into: &buffer)
        buffer.end()
    }

    /// Goes on at a column, from 0.
    mutating func move(to column: Int) {
        if column <= columns || column > limit { return }
        if isUncertain {
            // What the last frame left between here and there is erased.
            buffer.put("\u{1b}[K\u{1b}[\(column + 1)G")
            columns = column
            pending = 0
            isUncertain = false
        } else {
            blanks(column - columns)
        }
    }

    private mutating func blanks(_ count: Int) {
        let fitting = min(count, room)
        if fitting <= 0 { return }
        pending += fitting
        columns += fitting
    }

    private mutating func putPending() {
        buffer.blanks(pending)
        pending = 0
    }
}
