/// Writes the text format of Prometheus, version 0.0.4.
struct MetricsText {
    /// What a figure is.
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""
    private var name = ""

    /// Begins a figure.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Adds a value of the figure that was begun last.
    mutating func add(_ labels: [(String, String)], _ value: Double, suffix: String = "") {
        text += name + suffix
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        let whole = Int64(exactly: value).map { String($0) }
        text += " \(whole ?? String(value))\n"
    }

    /// Adds a gauge with one value.
    mutating func gauge(_ name: String, _ help: String, _ value: Int64) {
        begin(name, .gauge, help)
        add([], Double(value))
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
