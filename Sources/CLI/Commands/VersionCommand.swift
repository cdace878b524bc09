import ArgumentParser

/// `danube version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.")

    func run() {
        var buffer = TextBuffer()
        buffer.put("danube \(Danube.version)\n")
        Output.out(buffer)
    }
}
