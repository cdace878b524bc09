/// The lines at the bottom of a terminal that are drawn again and again.
///
/// Each frame is one write between the marks of a synchronised update; only lines that changed
/// are written. The cursor is hidden and lines are kept from wrapping within a frame only, so
/// that whatever ends the program leaves the terminal as it was.
struct LiveRegion {
    /// One line and its columns.
    struct Line: Equatable {
        var bytes: [UInt8]
        var columns: Int
    }

    private(set) var shown: [Line] = []
    private var columns: Int

    private static let begin = Array("\u{1b}[?2026h\u{1b}[?25l".utf8)
    private static let unwrapped = Array("\u{1b}[?7l".utf8)
    private static let end = Array("\u{1b}[?7h\u{1b}[?25h\u{1b}[?2026l".utf8)
    private static let eraseLine = Array("\u{1b}[K".utf8)
    private static let eraseBelow = Array("\u{1b}[J".utf8)

    init(columns: Int) { self.columns = columns }

    /// The bytes that replace what is shown with other lines, beneath lines that stay. Nothing
    /// where nothing changes.
    mutating func frame(_ lines: [Line], above: [UInt8] = [], columns now: Int) -> [UInt8] {
        if above.isEmpty, lines == shown, now == columns { return [] }
        var bytes = Self.begin
        let isMoved = now != columns || !above.isEmpty
        up(height(in: now), into: &bytes)
        if isMoved { bytes += Self.eraseBelow }
        // Lines that stay may be longer than the terminal is wide.
        bytes += above
        bytes += Self.unwrapped
        var skipped = 0
        for (index, line) in lines.enumerated() {
            if !isMoved, index < shown.count, shown[index] == line {
                skipped += 1
                continue
            }
            down(&skipped, into: &bytes)
            bytes += line.bytes
            if !isMoved, index < shown.count { bytes += Self.eraseLine }
            bytes += [0x0d, 0x0a]
        }
        down(&skipped, into: &bytes)
        if !isMoved, lines.count < shown.count { bytes += Self.eraseBelow }
        bytes += Self.end
        shown = lines
        columns = now
        return bytes
    }

    /// Rows that the lines take in a terminal of so many columns, which may have wrapped them.
    private func height(in now: Int) -> Int {
        if now >= columns || now < 1 { return shown.count }
        return shown.reduce(0) { $0 + max(1, ($1.columns + now - 1) / now) }
    }

    private func up(_ rows: Int, into bytes: inout [UInt8]) {
        bytes.append(0x0d)
        if rows > 0 { bytes += Array("\u{1b}[\(rows)A".utf8) }
    }

    private func down(_ rows: inout Int, into bytes: inout [UInt8]) {
        if rows > 0 { bytes += Array("\u{1b}[\(rows)B".utf8) }
        rows = 0
    }
}
