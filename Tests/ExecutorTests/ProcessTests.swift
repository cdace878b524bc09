import CSandbox
import Executor
import Glibc
import Testing

/// Processes are real ones; each test makes its own table and waits for what it started.
@Suite(.serialized)
struct ProcessTests {
    /// What became of one process.
    struct Outcome {
        var end: ProcessEnd
        var output: [UInt8] = []
        var error: [UInt8] = []
    }

    static let search = "/usr/local/bin:/usr/bin:/bin"

    static func shell(_ script: String) -> ProcessOrder {
        ProcessOrder(
            arguments: ["/bin/sh", "-c", script], environment: ["PATH=\(search)"], search: search,
            folder: "/")
    }

    /// Runs one process to its end; `during` sees the table after each turn.
    static func run(
        _ order: ProcessOrder, in table: ProcessTable,
        during: (ProcessTable, Int, Outcome?) -> Void = { _, _, _ in }
    ) throws -> Outcome {
        let slot = try table.start(order)
        var outcome = Outcome(end: ProcessEnd(code: -1))
        var isDone = false
        while !isDone {
            table.wait(until: nil) { event in
                switch event {
                case .wrote(slot, .output, let bytes): outcome.output += bytes
                case .wrote(slot, .error, let bytes): outcome.error += bytes
                case .ended(slot, let end):
                    outcome.end = end
                    isDone = true
                default: break
                }
            }
            during(table, slot, outcome)
        }
        return outcome
    }

    static func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

    @Test func `output and exit code are those of the process`() throws {
        let table = try ProcessTable(token: "t1", ownsProgram: false)
        let outcome = try Self.run(Self.shell("echo out; echo err >&2; exit 7"), in: table)
        #expect(outcome.end.code == 7)
        #expect(outcome.end.cause == .itself)
        #expect(outcome.output == Array("out\n".utf8))
        #expect(outcome.error == Array("err\n".utf8))
    }

    @Test func `the end of a process is one turn of the loop`() throws {
        let table = try ProcessTable(token: "t0", ownsProgram: false)
        for _ in 0..<20 {
            var turns = 0
            let outcome = try Self.run(Self.shell(":"), in: table) { _, _, _ in turns += 1 }
            #expect(outcome.end.code == 0)
            #expect(turns == 1)
        }
    }

    @Test func `what was printed last comes before the end, however much a pipe holds`() throws {
        let table = try ProcessTable(token: "t0", ownsProgram: false)
        // As much as a pipe takes without a reader.
        let outcome = try Self.run(Self.shell("head -c 65536 /dev/zero; exit 2"), in: table)
        #expect(outcome.output.count == 65536)
        #expect(outcome.end.code == 2)
        #expect(!outcome.end.outputHeld)
    }

    @Test func `a process that has closed its output goes on`() throws {
        let table = try ProcessTable(token: "t0", ownsProgram: false)
        let outcome = try Self.run(Self.shell("exec >&- 2>&-; sleep 0.05; exit 9"), in: table)
        #expect(outcome.end.code == 9)
    }

    @Test func `nothing is inherited but what was given`() throws {
        setenv("DANUBE_TEST_SECRET", "leaked", 1)
        defer { unsetenv("DANUBE_TEST_SECRET") }
        let table = try ProcessTable(token: "t2", ownsProgram: false)
        let outcome = try Self.run(Self.shell("env; ls /proc/self/fd; cat"), in: table)
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(!text.contains("leaked"))
        // Standard descriptors and the one that reads the folder.
        #expect(text.hasSuffix("0\n1\n2\n3\n"))
    }

    @Test func `a script comes through memory`() throws {
        let table = try ProcessTable(token: "t3", ownsProgram: false)
        var order = Self.shell(". /dev/fd/3")
        order.script = Array("echo from the script; exit 3".utf8)
        let outcome = try Self.run(order, in: table)
        #expect(outcome.output == Array("from the script\n".utf8))
        #expect(outcome.end.code == 3)
    }

    @Test func `a program is looked up in the path of the step`() throws {
        let table = try ProcessTable(token: "t4", ownsProgram: false)
        var order = Self.shell("")
        order.arguments = ["echo", "found"]
        #expect(try Self.run(order, in: table).output == Array("found\n".utf8))
        order.arguments = ["no-such-program"]
        #expect(throws: RunnerError.program("no-such-program", errno: ENOENT)) {
            try table.start(order)
        }
        order.folder = "/no/such/folder"
        #expect(throws: RunnerError.folder("/no/such/folder", errno: ENOENT)) {
            try table.start(order)
        }
        #expect(table.liveSlots.isEmpty)
    }

    @Test func `a process that takes too long is stopped`() throws {
        let table = try ProcessTable(token: "t5", ownsProgram: false)
        var order = Self.shell("trap 'echo stopping; exit 9' TERM; while :; do sleep 0.01; done")
        order.timeout = 100_000_000
        let outcome = try Self.run(order, in: table)
        #expect(outcome.end.cause == .timeout)
        #expect(outcome.output == Array("stopping\n".utf8))
    }

    @Test func `one that ignores SIGTERM is killed when it is told again`() throws {
        let table = try ProcessTable(token: "t6", ownsProgram: false)
        let outcome = try Self.run(
            Self.shell("trap '' TERM; echo ready; while :; do sleep 0.01; done"), in: table
        ) { table, slot, outcome in
            guard outcome?.output.isEmpty == false else { return }
            table.stop(slot, cause: .stopped, immediately: false)
            table.stop(slot, cause: .stopped, immediately: false)
        }
        #expect(outcome.end.signal == SIGKILL)
        #expect(outcome.end.cause == .stopped)
    }

    @Test(arguments: [
        "sleep 1000 & echo $!",
        "setsid sleep 1000 & echo $!",
        "(setsid sh -c 'trap \"\" TERM HUP; echo $$; sleep 1000' &) | { read pid; echo $pid; }",
        "(sh -c 'sh -c \"sleep 1000 & echo \\$!\" &' &) | { read pid; echo $pid; }",
    ])
    func `nothing is left of a step`(script: String) throws {
        danube_adopt_orphans()
        let table = try ProcessTable(token: "t7", ownsProgram: false)
        let outcome = try Self.run(Self.shell(script), in: table)
        #expect(outcome.end.code == 0)
        let text = String(decoding: outcome.output, as: UTF8.self)
        let pid = try #require(Int32(text.split(separator: "\n")[0]))
        #expect(!Self.isAlive(pid))
    }

    @Test func `what belongs to another step lives on`() throws {
        danube_adopt_orphans()
        let table = try ProcessTable(token: "t8", ownsProgram: false)
        let other = try table.start(Self.shell("(setsid sleep 1000 & echo $!); sleep 1000"))
        var text = ""
        while text.isEmpty {
            table.wait(until: nil) { event in
                if case .wrote(_, _, let bytes) = event {
                    text += String(decoding: bytes, as: UTF8.self)
                }
            }
        }
        let pid = try #require(Int32(text.dropLast()))
        _ = try Self.run(Self.shell("true"), in: table)
        #expect(Self.isAlive(pid))
        table.stop(other, cause: .stopped, immediately: true)
        while !table.liveSlots.isEmpty { table.wait(until: nil) { _ in } }
        #expect(!Self.isAlive(pid))
    }
}
