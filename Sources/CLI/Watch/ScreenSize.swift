import Glibc

/// Columns and rows of a terminal.
enum ScreenSize {
    /// Asks the terminal; what it does not know is 80 by 24.
    static func of(_ descriptor: Int32) -> (columns: Int, rows: Int) {
        var size = winsize()
        let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
        let columns = known && size.ws_col > 0 ? Int(size.ws_col) : 80
        let rows = known && size.ws_row > 0 ? Int(size.ws_row) : 24
        return (min(columns, 1000), min(rows, 1000))
    }
}
