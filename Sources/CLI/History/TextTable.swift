/// Rows of short texts under titles; columns are as wide as what is in them.
struct TextTable {
    /// A text, and how it looks.
    struct Cell {
        var text: String
        var paint: TextBuffer.Paint?

        init(_ text: String, _ paint: TextBuffer.Paint? = nil) {
            self.text = DisplayText.escaped(text)
            self.paint = paint
        }
    }

    private let titles: [String]
    private var rows: [[Cell]] = []

    init(_ titles: [String]) { self.titles = titles }

    mutating func add(_ row: [Cell]) { rows.append(row) }

    /// Writes it. The last column is cut where the line would be longer than the terminal.
    func put(into buffer: inout TextBuffer, columns: Int?) {
        var widths = titles.map { DisplayText.width($0) }
        for row in rows {
            for (place, cell) in row.enumerated() {
                widths[place] = max(widths[place], DisplayText.width(cell.text))
            }
        }
        putLine(titles.map { Cell($0, .bold) }, widths, columns, &buffer)
        for row in rows { putLine(row, widths, columns, &buffer) }
    }

    private func putLine(
        _ cells: [Cell], _ widths: [Int], _ columns: Int?, _ buffer: inout TextBuffer
    ) {
        var used = 0
        for (place, cell) in cells.enumerated() {
            var text = cell.text
            if place == cells.count - 1, let columns {
                text = DisplayText.fitted(text, columns: max(8, columns - used))
            }
            if let paint = cell.paint { buffer.put(text, paint) } else { buffer.put(text) }
            if place < cells.count - 1 {
                buffer.blanks(widths[place] - DisplayText.width(text) + 2)
            }
            used += widths[place] + 2
        }
        buffer.newline()
    }
}
