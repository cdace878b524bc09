import PipelineIR

/// One line of source text with the columns to underline, as a terminal shows it.
struct SourceLine {
    /// The line, escaped, tabs as four blanks, perhaps only the part around the carets.
    private(set) var shown = ""
    /// Columns before the first caret.
    private(set) var indent = 0
    /// How many carets; 0 when the place has no column.
    private(set) var carets = 0

    /// `place` counts UTF-8 bytes from 1. `columns` is the room there is.
    init(text: String, place: Diagnostic.Place, columns: Int?) {
        let start = Int(place.column) - 1
        var end = start + 1
        if place.endLine == place.line, place.endColumn > place.column {
            end = Int(place.endColumn) - 1
        } else if place.endLine > place.line {
            end = Int.max
        }
        var cells: [(text: String, width: Int)] = []
        var firstCell: Int?
        var lastCell = 0
        var offset = 0
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\r" { break }
            let length = UTF8.width(scalar)
            if firstCell == nil, offset + length > start { firstCell = cells.count }
            if offset < end { lastCell = cells.count }
            offset += length
            if scalar == "\t" {
                cells.append(("    ", 4))
            } else {
                let escape = DisplayText.escape(scalar)
                cells.append((escape ?? String(Character(scalar)), DisplayText.width(scalar)))
            }
        }
        while let last = cells.last, last.text == " ", cells.count - 1 > lastCell {
            cells.removeLast()
        }
        let marked = place.column > 0
        let first = firstCell ?? cells.count
        let window = Self.window(cells.map(\.width), around: marked ? first : 0, columns: columns)
        if window.lowerBound > 0 { shown = "…" }
        for cell in cells[window] { shown += cell.text }
        if window.upperBound < cells.count { shown += "…" }
        guard marked else { return }
        let lead = cells[min(window.lowerBound, first)..<first].reduce(0) { $0 + $1.width }
        indent = lead + (window.lowerBound > 0 ? 1 : 0)
        let stop = min(max(lastCell + 1, first), window.upperBound)
        carets = first < stop ? cells[first..<stop].reduce(0) { $0 + $1.width } : 1
        carets = max(1, carets)
    }

    /// The cells to show: all when they fit, else those from a little before `first` on.
    private static func window(
        _ widths: [Int], around first: Int, columns: Int?
    ) -> Range<Int> {
        guard let columns, columns > 20, widths.reduce(0, +) > columns else {
            return 0..<widths.count
        }
        let room = columns - 2
        var lower = min(first, widths.count)
        var before = 0
        while lower > 0, before + widths[lower - 1] <= room / 3 {
            lower -= 1
            before += widths[lower]
        }
        var upper = lower
        var used = 0
        while upper < widths.count, used + widths[upper] <= room {
            used += widths[upper]
            upper += 1
        }
        while lower > 0, used + widths[lower - 1] <= room {
            lower -= 1
            used += widths[lower]
        }
        return lower..<upper
    }
}
