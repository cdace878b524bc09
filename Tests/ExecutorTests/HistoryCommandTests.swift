import Glibc
import PipelineIR
import Testing

@testable import Executor

/// `danube jobs` and `danube logs` on histories that the library wrote.
@Suite("commands on history")
struct HistoryCommandTests {
    let scratch = HistoryScratch()
    let start = Timestamp(microseconds: 1_700_000_000_000_000)

    private struct Answer {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs the program that was built beside these tests.
    private func danube(_ arguments: String..., from folder: String? = nil) throws -> Answer {
        let here = try #require(CommandLine.arguments.first).split(separator: "/").dropLast()
        let program = "/" + here.joined(separator: "/") + "/danube"
        let names = [scratch.file("out"), scratch.file("err")]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, name) in names.enumerated() {
            posix_spawn_file_actions_addopen(
                &actions, Int32(number + 1), name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        let environment = ["XDG_STATE_HOME=\(scratch.path)", "TZ=UTC", "PATH=/usr/bin:/bin"]
        let words = ["/usr/bin/env", "-C", folder ?? scratch.path, program] + arguments
        var argv = words.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, words[0], &actions, nil, &argv, &envp) == 0)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return Answer(
            status: status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f),
            output: String(decoding: scratch.read("out"), as: UTF8.self),
            errors: String(decoding: scratch.read("err"), as: UTF8.self))
    }

    private var state: String { scratch.file("danube") }

    private func job(repository: String, pipeline: String = "build") -> JobDescription {
        JobDescription(
            repository: repository, pipeline: pipeline, plan: PlanDigest(Digest(ofUTF8: "p")),
            mode: "isolated",
            steps: ["compile", "test one", "test two", "deploy"].map {
                .init(id: "build/\($0)", name: $0)
            })
    }

    private func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(microseconds: start.microseconds + milliseconds * 1000)
    }

    /// A job whose first two steps printed something, whose third failed twice.
    private func makeJob(in repository: String) throws -> JobID {
        let recorder = try JobRecorder(
            stateFolder: state, job: job(repository: repository), at: start)
        try recorder.log.note(step: nil, "Building", at: start)
        let compile = recorder.log.writer(AttemptKey(step: 0, attempt: 1))
        try compile.append(
            .standardOutput, Array("\u{1b}[1mcc\u{1b}[0m x.c\npart".utf8), at: time(10))
        try compile.append(.standardError, Array("warning\n".utf8), at: time(20))
        try compile.append(.standardOutput, Array("ial\n".utf8), at: time(30))
        for attempt in 1...2 {
            let test = recorder.log.writer(AttemptKey(step: 1, attempt: attempt))
            try test.append(
                .standardOutput, Array("try \(attempt)".utf8) + [0xff, 10], at: time(40))
        }
        var first = StepRecord(step: 0, state: .succeeded)
        (first.started, first.ended, first.exitCode) = (time(10), time(1240), 0)
        recorder.record(first)
        var second = StepRecord(step: 1, state: .failed)
        second.exitCode = 3
        second.attempts = (1...2).map { _ in
            AttemptRecord(started: time(40), ended: time(90), exitCode: 3)
        }
        recorder.record(second)
        var third = StepRecord(step: 2, state: .cached)
        third.source = recorder.id
        recorder.record(third)
        var last = StepRecord(step: 3, state: .blocked)
        last.reason = "`test one` failed"
        recorder.record(last)
        #expect(recorder.finish(.failed, at: time(2500)) == [])
        return recorder.id
    }

    @Test("jobs are listed, and one is shown with its steps")
    func jobs() throws {
        let id = try makeJob(in: scratch.path)
        let list = try danube("jobs")
        #expect(list.status == 0 && list.errors.isEmpty)
        #expect(
            list.output == """
                JOB        STATE   PIPELINE  STARTED              TOOK   STEPS
                \(id)  failed  build     2023-11-14 22:13:20  2.5 s  1 ran, 1 failed, 1 cached, \
                1 blocked

                """)
        let shown = try danube("jobs", "last")
        #expect(shown.status == 0)
        #expect(
            shown.output.split(separator: "\n").suffix(5).joined(separator: "\n") == """
                STEP      STATE      CODE  TOOK   TRIES  WHY
                compile   succeeded  0     1.2 s
                test one  failed     3     50 ms  2
                test two  cached                         result of job \(id)
                deploy    blocked                        `test one` failed
                """)
        let json = try danube("jobs", "--json", String(id.text.suffix(4)))
        let object = try JSONText(json.output)
        #expect(object["id"] == id.text && object["state"] == "failed")
        #expect(json.output.contains("\"counts\":{\"blocked\":1,\"cached\":1,\"failed\":1"))
        #expect(json.output.contains("\"duration_ms\":2500,\"ended\":\"2023-11-14T22:13:22.500Z\""))
    }

    @Test("a job's log has each line after the name of its step, in order")
    func wholeLog() throws {
        _ = try makeJob(in: scratch.path)
        let answer = try danube("logs")
        #expect(answer.status == 0 && answer.errors.isEmpty)
        #expect(
            answer.output == """
                danube   · Building
                compile  | \u{1b}[1mcc\u{1b}[0m x.c
                compile  | warning
                compile  | partial
                test one | try 1\u{fffd}
                test one | try 2\u{fffd}

                """)
        let timed = try danube("logs", "last", "compile", "--timestamps")
        #expect(
            timed.output == """
                2023-11-14T22:13:20.010Z \u{1b}[1mcc\u{1b}[0m x.c
                2023-11-14T22:13:20.020Z warning
                2023-11-14T22:13:20.010Z partial

                """)
    }

    @Test("a step's log is what it printed, byte for byte")
    func stepLog() throws {
        let id = try makeJob(in: scratch.path)
        for arguments in [["compile"], ["last", "build/compile"], [id.text, "comp"]] {
            let answer =
                try arguments.count == 1
                ? danube("logs", arguments[0]) : danube("logs", arguments[0], arguments[1])
            #expect(answer.status == 0)
            #expect(answer.output == "\u{1b}[1mcc\u{1b}[0m x.c\npartwarning\nial\n")
        }
        _ = try danube("logs", "test one", "--attempt", "2")
        #expect(scratch.read("out") == Array("try 2".utf8) + [0xff, 10])
        let json = try danube("logs", "test one", "--json", "--attempt", "1").output
        #expect(
            json == """
                {"attempt":1,"bytes":[116,114,121,32,49,255],"id":"build/test one",\
                "name":"test one","stream":"stdout","time":"2023-11-14T22:13:20.040Z"}

                """)
    }

    @Test("a step without output says so, and why it did not run")
    func silent() throws {
        _ = try makeJob(in: scratch.path)
        let blocked = try danube("logs", "deploy")
        #expect(blocked.status == 0 && blocked.output.isEmpty)
        #expect(
            blocked.errors
                == "danube: note: `deploy` did not run (blocked): `test one` failed\n")
        #expect(
            try danube("logs", "test two").errors
                == "danube: note: `test two` was taken from the cache\n")
    }

    @Test("following ends with the job, also with one that was killed")
    func follow() throws {
        _ = try makeJob(in: scratch.path)
        #expect(try danube("logs", "-f").output == danube("logs").output)
        do {
            let killed = try JobRecorder(
                stateFolder: state, job: job(repository: scratch.path), at: time(1))
            try killed.log.writer(AttemptKey(step: 0, attempt: 1))
                .append(.standardOutput, Array("half".utf8), at: time(2))
            try killed.log.flush()
            while try History(folder: state)?.jobs(.init()).first?.id != killed.id {}
        }
        let answer = try danube("logs", "--follow", "last", "compile")
        #expect(answer.status == 0 && answer.output == "half")
        #expect(answer.errors == "danube: note: the process that ran the job is gone\n")
        #expect(try danube("jobs", "-n", "1").output.contains(" lost "))
    }

    @Test("a repository sees its own jobs, and --all those of every one")
    func repositories() throws {
        mkdir(scratch.file("a"), 0o755)
        mkdir(scratch.file("a/deep"), 0o755)
        mkdir(scratch.file("ab"), 0o755)
        let one = try makeJob(in: scratch.file("a"))
        let other = try makeJob(in: scratch.file("ab"))
        let inside = try danube("jobs", from: scratch.file("a/deep")).output
        #expect(inside.contains(one.text) && !inside.contains(other.text))
        let all = try danube("jobs", "--all", from: scratch.file("a")).output
        #expect(all.contains(one.text) && all.contains(other.text))
        #expect(try danube("jobs").output.contains(other.text))
        #expect(try danube("jobs", "--pipeline", "x").errors == "danube: note: no job matches\n")
        #expect(try danube("jobs", "--state", "failed", "--json").output.hasPrefix("{\"jobs\":[{"))
    }

    @Test("mistakes are named, with what to do next")
    func mistakes() throws {
        let none = try danube("jobs")
        #expect(none.status == 2)
        #expect(
            none.errors == """
                danube: error: no job was recorded yet
                  hint: `danube run` runs a pipeline and records it.

                """)
        let id = try makeJob(in: scratch.path)
        let table: [(Answer, Int32, String)] = [
            (try danube("jobs", "nope"), 2, "there is no job nope"),
            (
                try danube("logs", "nope"), 2,
                "there is no job `nope`, and job \(id) has no step `nope`"
            ),
            (try danube("logs", "last", "nope"), 2, "Its steps are `compile`, `test one`"),
            (try danube("logs", "last", "test"), 2, "`test` is a part of several names"),
            (try danube("jobs", "--limit", "0"), 2, "--limit 0 is not between"),
            (try danube("jobs", "last", "--all"), 2, "name no job"),
            (try danube("logs", "--attempt", "0"), 2, "--attempt 0"),
            (try danube("jobs", "--state", "great"), 2, "great"),
        ]
        for (answer, status, text) in table {
            #expect(answer.status == status && answer.output.isEmpty)
            #expect(answer.errors.contains(text), "\(answer.errors)")
        }
        #expect(unlink("\(state)/jobs/\(id)/log") == 0)
        let gone = try danube("logs")
        #expect(gone.status == 3)
        #expect(gone.errors.contains("the log of job \(id) cannot be read"))
        for name in ["-wal", "-shm"] { unlink("\(state)/history.db\(name)") }
        scratch.write("danube/history.db", Array(repeating: 65, count: 5000))
        let damaged = try danube("jobs")
        #expect(damaged.status == 3 && damaged.errors.contains("history.db is damaged"))
    }
}

/// The values of the strings of one JSON object, by key, as far as these tests need them.
private struct JSONText {
    let text: String

    init(_ text: String) throws {
        try #require(text.hasPrefix("{") && text.hasSuffix("}\n"))
        self.text = text
    }

    subscript(key: String) -> String? {
        let parts = text.split(separator: "\"\(key)\":\"", omittingEmptySubsequences: false)
        return parts.count > 1 ? String(parts[1].prefix { $0 != "\"" }) : nil
    }
}
