import ArgumentParser
import Compiler
import Glibc

/// `danube artifacts`.
struct ArtifactsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifacts",
        abstract: "List the artifacts of a job of a master, or fetch one.",
        discussion: """
            An artifact that is a folder comes as a tar.gz. A file is written whole or not at all.
            """)

    @Argument(help: "The job, by its id, the beginning of it, or `last`.")
    var job: String

    @Argument(help: "The artifact to fetch.")
    var name: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where to write it, `-` for standard output (default: its name, here).",
            valueName: "path"),
        completion: .file())
    var output: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @OptionGroup var master: MasterOptions
    @OptionGroup var colour: ColourOptions

    func validate() throws {
        if name == nil, output != nil { throw ValidationError("-o is for one artifact; name it.") }
        if name != nil, json { throw ValidationError("--json is for the list.") }
    }

    func run() throws {
        let client = try master.client()
        let id = try RemoteJobs(master: client).id(of: job)
        let list = try client.json(.init(.get, "artifacts", id))
        guard let values = list["artifacts"]?.elements else {
            throw client.malformed("list of artifacts")
        }
        var artifacts: [RemoteArtifact] = []
        for value in values {
            guard let artifact = RemoteArtifact(value) else {
                throw client.malformed("list of artifacts")
            }
            artifacts.append(artifact)
        }
        guard let name else { return show(artifacts, list) }
        guard let artifact = artifacts.first(where: { $0.name == name }) else {
            let names = artifacts.prefix(10).map { "`\($0.name)`" }.joined(separator: ", ")
            throw Failure.mistake(
                "job \(id) has no artifact `\(name)`",
                hint: names.isEmpty ? "It has none." : "It has \(names).")
        }
        try ArtifactDownload(artifact, job: id, from: client).write(to: output)
    }

    private func show(_ artifacts: [RemoteArtifact], _ list: JSONValue) {
        if json { return Output.out(list.line) }
        if artifacts.isEmpty { return Output.err("danube: note: the job has no artifacts") }
        var table = TextTable(["NAME", "SIZE", "DIGEST"])
        for artifact in artifacts {
            table.add([
                .init(artifact.name + (artifact.isFolder ? "/" : "")),
                .init(SizeText.bytes(artifact.size)), .init(artifact.digest),
            ])
        }
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        var buffer = TextBuffer(colour: terminal.colour)
        table.put(into: &buffer, columns: terminal.columns)
        Output.out(terminal.shown(buffer))
    }
}
