import ArgumentParser
import Compiler

/// `danube doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show what this host offers: Python, git, and the layers of the sandbox.")

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        let probe = Probe.run()
        var rows = probe.findings.map { ($0.name, $0.holds, $0.detail) }
        rows += probe.layers.map { ("sandbox: \($0.name)", $0.holds, $0.detail) }
        if json {
            let items = rows.map { name, holds, detail in
                "{\"detail\":\(Self.quoted(detail)),\"holds\":\(holds),"
                    + "\"name\":\(Self.quoted(name))}"
            }
            print("{\"findings\":[\(items.joined(separator: ","))],\"usable\":\(probe.isUsable)}")
        } else {
            let width = rows.map(\.0.count).max() ?? 0
            for (name, holds, detail) in rows {
                let padding = String(repeating: " ", count: width - name.count)
                print("\(holds ? "yes" : "no ")  \(name)\(padding)  \(detail)")
            }
        }
        if !probe.isUsable { throw ExitCode(3) }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case _ where scalar.value < 0x20: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
