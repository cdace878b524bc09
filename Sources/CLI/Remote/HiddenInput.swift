import Glibc

/// What a person types and nobody sees, or what comes through a pipe.
enum HiddenInput {
    private static let interrupt: UInt8 = 3
    private static let endOfText: UInt8 = 4
    private static let backspace: Set<UInt8> = [8, 127]
    private static let lineEnds: Set<UInt8> = [10, 13]

    /// Reads a line from the terminal without showing it, or all of standard input where that is
    /// no terminal.
    static func read(_ prompt: String, limit: Int) throws(Failure) -> [UInt8] {
        guard isatty(STDIN_FILENO) == 1 else { return try FileBytes.read("-", limit: limit) }
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw .environment("the terminal cannot be asked: \(FileBytes.reason(errno))")
        }
        // Control characters come as bytes, so that no signal leaves the terminal without echo.
        var hidden = before
        hidden.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw .environment("the terminal shows what is typed: \(FileBytes.reason(errno))")
        }
        // Asked for once it is hidden: what was typed before is dropped, for it was shown.
        var buffer = TextBuffer()
        buffer.safe(prompt)
        Output.err(buffer)
        let line = line(limit: limit)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        Output.err("")
        guard let line else { Glibc.exit(130) }
        return line
    }

    /// `nil` when it was interrupted.
    private static func line(limit: Int) -> [UInt8]? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = Glibc.read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 || byte == endOfText || lineEnds.contains(byte) { return line }
            if byte == interrupt { return nil }
            if backspace.contains(byte) {
                // A character of UTF-8 goes whole.
                while let last = line.popLast(), last & 0xc0 == 0x80 {}
            } else if line.count < limit {
                line.append(byte)
            }
        }
    }
}
