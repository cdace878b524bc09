/// `textwrap.dedent` of Python 3.11.
enum PythonDedent {
    /// Takes away the white space that all lines begin with; lines of blanks become empty.
    static func dedent(_ text: String) -> String {
        // Only a newline ends a line for `re.MULTILINE`.
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        var margin: Substring.UTF8View?
        for index in lines.indices {
            let indent = lines[index].prefix { $0 == 0x20 || $0 == 0x09 }
            if indent.count == lines[index].count {
                lines[index] = lines[index].prefix(0)
            } else if let known = margin {
                let common = zip(known, indent).prefix { $0 == $1 }.count
                margin = known.prefix(common)
            } else {
                margin = indent
            }
        }
        let width = margin?.count ?? 0
        var found: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if index > 0 { found.append(0x0A) }
            found += line.dropFirst(width)
        }
        return String(decoding: found, as: UTF8.self)
    }
}
