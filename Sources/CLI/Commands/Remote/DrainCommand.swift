import ArgumentParser
import Compiler

/// `danube drain`.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Have a master end: it begins no job any more, and ends after those that run.")

    @Option(
        help: ArgumentHelp("How long running jobs may take, as 30s or 10m.", valueName: "time"))
    var timeout: String?

    @Flag(help: "Cancel what runs instead of waiting for it.")
    var force = false

    @OptionGroup var master: MasterOptions

    func run() throws {
        var members: [JSONValue.Member] = [.init("force", .bool(force))]
        if let timeout {
            let time = try LimitOptions.duration(timeout, option: "--timeout")
            let seconds = (DurationText.milliseconds(time) + 999) / 1000
            members.append(.init("timeout_seconds", .integer(seconds)))
        }
        var call = MasterClient.Call(.post, "drain")
        call.body = .object(members)
        let client = try master.client()
        _ = try client.json(call)
        var buffer = TextBuffer()
        buffer.safe("\(client.address.text) is draining; `danube status` shows what still runs.")
        buffer.newline()
        Output.out(buffer)
    }
}
