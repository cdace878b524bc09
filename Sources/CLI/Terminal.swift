import Glibc

/// What is known of the place where output goes.
struct Terminal: Sendable {
    /// When colours are used.
    enum ColourChoice: String, CaseIterable, Sendable { case auto, always, never }

    /// Whether a person reads it.
    var interactive: Bool
    var colour: Bool
    /// Columns; `nil` where lines have no end.
    var columns: Int?
    /// Whether box-drawing characters can be shown.
    var unicode: Bool

    /// Looks at a descriptor and at the environment (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`,
    /// `COLUMNS`, the locale).
    static func of(_ descriptor: Int32, choice: ColourChoice = .auto) -> Terminal {
        let interactive = isatty(descriptor) == 1
        let colour =
            switch choice {
            case .always: true
            case .never: false
            case .auto:
                environment("NO_COLOR") == nil
                    && (environment("CLICOLOR_FORCE") ?? "0" != "0"
                        || (interactive && environment("TERM") != "dumb"))
            }
        var columns: Int?
        if let given = environment("COLUMNS").flatMap({ Int($0) }), given >= 20 {
            columns = given
        } else if interactive {
            var size = winsize()
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 {
                columns = Int(size.ws_col)
            } else {
                columns = 80
            }
        }
        return Terminal(
            interactive: interactive, colour: colour, columns: columns,
            unicode: !interactive || localeIsUnicode)
    }

    /// A report as it can be shown here: where the locale is not Unicode, signs become ASCII, and
    /// all other characters question marks of the same width.
    func shown(_ buffer: TextBuffer) -> TextBuffer {
        if unicode { return buffer }
        var result = TextBuffer(colour: buffer.colour, capacity: buffer.bytes.count)
        for scalar in buffer.text.unicodeScalars {
            if scalar.isASCII {
                result.put(byte: UInt8(truncatingIfNeeded: scalar.value))
            } else {
                let width = DisplayText.width(scalar)
                result.put(Self.signs[scalar] ?? String(repeating: "?", count: width))
            }
        }
        return result
    }

    private static let signs: [Unicode.Scalar: String] = [
        "…": "~", "–": "-", "·": "-", "×": "x", "●": "*", "◐": "?", "»": "#", "▸": ">", "↳": ">",
        "↪": ">", "→": ">",
    ]

    /// A variable of the environment that is set and not empty.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static var localeIsUnicode: Bool {
        guard
            let locale = environment("LC_ALL") ?? environment("LC_CTYPE") ?? environment("LANG")
        else { return false }
        let name = locale.lowercased()
        return name.contains("utf-8") || name.contains("utf8")
    }
}
