/// How a run is shown.
struct WatchOptions {
    /// Where it is shown.
    var terminal: Terminal
    /// Whether it is said of each step why it runs.
    var explains = false
    /// The bytes of a file of the pipeline's source; `nil` where there is none such.
    var source: (String) -> [UInt8]? = { _ in nil }

    /// Columns to cut lines to; `nil` where lines have no end.
    var columns: Int? { terminal.columns.map { max(20, min($0, 1000)) } }

    init(_ terminal: Terminal, explains: Bool = false) {
        self.terminal = terminal
        self.explains = explains
    }

    /// Reads the sources of failed steps in a folder, when they are wanted.
    init(_ terminal: Terminal, root: String, explains: Bool = false) {
        self.init(terminal, explains: explains)
        source = { FileBytes.ifPresent(root + "/" + $0) }
    }
}
