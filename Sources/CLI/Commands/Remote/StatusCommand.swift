import ArgumentParser
import Compiler
import Glibc

/// `danube status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how a master does.")

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @OptionGroup var master: MasterOptions
    @OptionGroup var colour: ColourOptions

    func run() throws {
        let client = try master.client()
        let status = try client.json(.init(.get, "status"))
        guard let members = status.members else { throw client.malformed("status") }
        if json { return Output.out(status.line) }
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        var buffer = TextBuffer(colour: terminal.colour)
        let rows =
            [("master", client.address.text)]
            + members.flatMap { Self.rows($0.key, $0.value, depth: 0) }
        let width = rows.map { DisplayText.width(DisplayText.escaped($0.0)) }.max() ?? 0
        for (name, value) in rows {
            let used = buffer.safe(name, .dim)
            buffer.blanks(width - used + 2)
            buffer.safe(value)
            buffer.newline()
        }
        Output.out(terminal.shown(buffer))
    }

    private static let mostDepth = 3

    /// A line for each value; what is within something is named after it.
    private static func rows(_ name: String, _ value: JSONValue, depth: Int) -> [(String, String)] {
        if depth < mostDepth, let members = value.members {
            return members.flatMap { rows("\(name) \($0.key)", $0.value, depth: depth + 1) }
        }
        switch value {
        case .null: return []
        case .bool(let holds): return [(name, holds ? "yes" : "no")]
        default: return [(name, value.text ?? value.canonical)]
        }
    }
}
