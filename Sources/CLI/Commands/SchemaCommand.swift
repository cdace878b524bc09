import ArgumentParser
import CSchema
import Glibc

/// `danube schema`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of plans.",
        discussion: """
            It describes what `danube plan --format json` prints, which `danube plan --check FILE` \
            validates further: that references lead somewhere, and that no steps wait for each \
            other.
            """)

    func run() {
        var length = 0
        let bytes = UnsafeBufferPointer(start: danube_plan_schema(&length), count: length)
        Output.write(Array(bytes), to: STDOUT_FILENO)
    }
}
