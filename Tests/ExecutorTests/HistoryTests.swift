import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite("history")
struct HistoryTests {
    let scratch = HistoryScratch()
    let start = Timestamp(microseconds: 1_700_000_000_000_000)

    private func description(_ steps: Int = 3, _ pipeline: String = "build") -> JobDescription {
        JobDescription(
            repository: "/src/repo", pipeline: pipeline,
            plan: PlanDigest(Digest(ofUTF8: "plan of \(steps)")), mode: "isolated",
            steps: (0..<steps).map { .init(id: "s\($0)", name: "Step \($0)") })
    }

    private func begin(_ job: JobDescription, at time: Timestamp? = nil) throws -> JobRecorder {
        try JobRecorder(stateFolder: scratch.path, job: job, at: time ?? start)
    }

    private func record(
        _ step: Int, _ state: StepRecord.State, milliseconds: Int64 = 0
    ) -> StepRecord {
        var record = StepRecord(step: step, state: state)
        record.started = start
        record.ended = Timestamp(microseconds: start.microseconds + milliseconds * 1000)
        return record
    }

    private func history() throws -> History { try #require(try History(folder: scratch.path)) }

    private func only(_ match: History.Match) -> JobRecord? {
        if case .one(let job) = match { return job }
        return nil
    }

    @Test("a job comes back with its steps, attempts, counts and times")
    func job() throws {
        var job = description()
        job.branch = "main"
        job.revision = "abc"
        job.trigger = "push"
        let recorder = try begin(job)
        var failed = record(0, .failed, milliseconds: 20)
        failed.exitCode = 3
        failed.reason = "`src/x.c` changed"
        failed.key = Digest(ofUTF8: "key")
        failed.attempts = [AttemptRecord(started: start, ended: start, exitCode: 3)]
        recorder.record(failed)
        recorder.record(record(1, .blocked))
        let end = Timestamp(microseconds: start.microseconds + 30_000)
        #expect(recorder.finish(.failed, at: end) == [])
        #expect(recorder.finish(.succeeded) == [])
        let found = try #require(only(try history().job("last")))
        #expect(found.id == recorder.id)
        #expect(found.repository == "/src/repo" && found.pipeline == "build")
        #expect(found.branch == "main" && found.revision == "abc" && found.trigger == "push")
        #expect(found.state == .failed && found.started == start && found.ended == end)
        #expect(found.counts[.failed] == 1 && found.counts[.blocked] == 1)
        #expect(found.stepCount == 3 && found.plan == job.plan)
        let steps = try history().steps(of: found)
        #expect(steps[0] == failed)
        #expect(steps.map(\.state) == [.failed, .blocked, .open])
        #expect(try history().plannedSteps(of: found) == job.steps)
    }

    @Test("there is no history before the first job")
    func empty() throws {
        #expect(try History(folder: scratch.path) == nil)
        #expect(try History(folder: scratch.file("none")) == nil)
    }

    @Test("a running job is seen while it runs, and as lost when its process is gone")
    func lost() throws {
        var recorder: JobRecorder? = try begin(description())
        let id = try #require(recorder?.id)
        recorder?.record(record(0, .succeeded, milliseconds: 5))
        // The writer waits for more records for a second at most; then they are in the database.
        var steps: [StepRecord] = []
        while steps.first?.state != .succeeded {
            guard let job = try History(folder: scratch.path)?.jobs(.init()).first else { continue }
            #expect(job.state == .running)
            steps = try history().steps(of: job)
        }
        recorder = nil
        #expect(try history().jobs(.init()).map(\.state) == [.lost])
        // The next job writes down what became of it.
        _ = try begin(description()).finish(.succeeded)
        let job = try #require(only(try history().job(id.text)))
        #expect(job.state == .lost)
        #expect(job.ended == Timestamp(microseconds: start.microseconds + 5000))
        #expect(job.counts[.succeeded] == 1)
    }

    @Test("a process that is killed leaves a valid database, and its job is lost")
    func killed() async throws {
        let folder = scratch.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
            let job = JobDescription(
                repository: "/r", pipeline: "p", plan: PlanDigest(Digest(ofUTF8: "x")),
                mode: "in-place",
                steps: (0..<20_000).map { .init(id: "\($0)", name: "n") })
            let recorder = try JobRecorder(stateFolder: folder, job: job)
            for step in 0..<20_000 { recorder.record(StepRecord(step: step, state: .skipped)) }
            while try History(folder: folder)?.jobs(.init()).isEmpty ?? true {}
            kill(getpid(), SIGKILL)
        }
        let history = try history()
        let job = try #require(try history.jobs(.init()).first)
        #expect(job.state == .lost)
        // Whole batches, one after the other.
        let skipped = try history.steps(of: job).prefix { $0.state == .skipped }.count
        #expect(try history.steps(of: job).dropFirst(skipped).allSatisfy { $0.state == .open })
        #expect(
            try Database(path: HistorySchema.database(folder), migrations: HistorySchema.migrations)
                .first("PRAGMA integrity_check") { $0.text(0) } == "ok")
    }

    @Test("jobs are found by the whole name, its beginning, its end, and as the last one")
    func names() throws {
        var ids: [JobID] = []
        for second in 0..<40 {
            let time = Timestamp(microseconds: start.microseconds + Int64(second) * 1_000_000)
            let recorder = try begin(description(), at: time)
            ids.append(recorder.id)
            #expect(recorder.finish(.succeeded, at: time) == [])
        }
        let history = try history()
        #expect(try only(history.job(ids[7].text))?.id == ids[7])
        #expect(try only(history.job(ids[7].text.uppercased()))?.id == ids[7])
        #expect(try only(history.job(String(ids[7].text.suffix(5))))?.id == ids[7])
        #expect(try only(history.job("last"))?.id == ids[39])
        guard case .several(let several) = try history.job(String(ids[0].text.prefix(3))) else {
            Issue.record("not several")
            return
        }
        #expect(several.count == 10)
        for name in ["", "%", "nope!", "zzzzzzzzz", "'; DROP TABLE jobs"] {
            guard case .none = try history.job(name) else {
                Issue.record("\(name) is no job")
                return
            }
        }
        var filter = History.Filter()
        filter.most = 3
        #expect(try history.jobs(filter).map(\.id) == ids.suffix(3).reversed())
        filter.state = .failed
        #expect(try history.jobs(filter).isEmpty)
        filter = .init()
        filter.repository = "/other"
        #expect(try history.jobs(filter).isEmpty)
    }

    @Test("a job that repeats another has its steps, taken from it")
    func repeats() throws {
        let first = try begin(description())
        first.record(record(0, .succeeded, milliseconds: 5))
        var hit = record(1, .cached)
        hit.source = JobID(at: start, random: 5)
        first.record(hit)
        first.record(record(2, .skipped))
        _ = first.finish(.succeeded)
        var again = description()
        again.repeats = first.id
        let second = try begin(again)
        _ = second.finish(.succeeded)
        again.repeats = second.id
        _ = try begin(again).finish(.succeeded)
        let history = try history()
        for job in try history.jobs(.init()).prefix(2) {
            #expect(job.repeats == first.id)
            #expect(job.counts[.cached] == 2 && job.counts[.skipped] == 1)
            let steps = try history.steps(of: job)
            #expect(steps.map(\.state) == [.cached, .cached, .skipped])
            #expect(steps.map(\.source) == [first.id, hit.source, nil])
        }
        #expect(
            try history.steps(of: try #require(try history.jobs(.init()).last))[0].state
                == .succeeded)
    }

    @Test("durations are expected by pipeline and step, and cached steps do not count")
    func durations() throws {
        for milliseconds in [100, 300, 200] as [Int64] {
            let recorder = try begin(description())
            recorder.record(record(0, .succeeded, milliseconds: milliseconds))
            recorder.record(record(1, .cached, milliseconds: 1))
            recorder.record(record(2, .failed, milliseconds: 1))
            _ = recorder.finish(.failed)
        }
        let history = try history()
        let expected = try history.expectedDurations(repository: "/src/repo", pipeline: "build")
        #expect(expected == ["s0": .milliseconds(200)])
        #expect(try history.expectedDurations(repository: "/src/repo", pipeline: "x").isEmpty)
        let last = try history.lastExecution(
            repository: "/src/repo", pipeline: "build", step: "s0")
        #expect(last?.id == (try history.jobs(.init()).first?.id))
    }

    @Test("jobs of processes that begin at the same moment have names of their own")
    func concurrent() async throws {
        let folder = scratch.path
        let jobs = (0..<3).map { description(3, "p\($0)") }
        let time = start
        let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
            for number in 0..<12 {
                group.addTask {
                    let recorder = try JobRecorder(
                        stateFolder: folder, job: jobs[number % 3], at: time)
                    for step in 0..<3 { recorder.record(StepRecord(step: step, state: .succeeded)) }
                    #expect(recorder.finish(.succeeded) == [])
                    return recorder.id
                }
            }
            return try await group.reduce(into: Set<JobID>()) { $0.insert($1) }
        }
        #expect(ids.count == 12)
        let found = try history().jobs(.init())
        #expect(Set(found.map(\.id)) == ids)
        #expect(found.allSatisfy { $0.counts[.succeeded] == 3 })
    }

    @Test("old jobs go with their folders, above the bounds of number and bytes")
    func pruning() throws {
        var ids: [JobID] = []
        for number in 0..<8 {
            let recorder = try begin(description(number == 0 ? 4 : 3))
            ids.append(recorder.id)
            mkdir(recorder.folder + "/deep", 0o755)
            symlink("/", recorder.folder + "/deep/link")
            _ = recorder.finish(.succeeded)
        }
        let running = try begin(description())
        while try history().jobs(.init()).first?.id != running.id {}
        let database = try Database(
            path: HistorySchema.database(scratch.path), migrations: HistorySchema.migrations)
        try HistoryPruning(stateFolder: scratch.path, mostJobs: 4).run(database)
        let kept = try history().jobs(.init())
        #expect(kept.map(\.id) == [running.id] + ids[5...].reversed())
        #expect(Set(scratch.names("jobs")) == Set(kept.map(\.id.text)))
        #expect(try database.first("SELECT count(*) FROM plans") { $0.int(0) } == 1)
        try HistoryPruning(stateFolder: scratch.path, mostLogBytes: 0).run(database)
        #expect(try history().jobs(.init()).map(\.id) == [running.id])
        #expect(running.finish(.succeeded) == [])
    }

    @Test("a database that cannot be written is reported at the end, and the job is not stopped")
    func unwritable() throws {
        scratch.write("history.db", Array(repeating: 65, count: 5000))
        let recorder = try begin(description(100_000))
        // More than the queue holds: nobody waits for a writer that gave up.
        for step in 0..<100_000 { recorder.record(StepRecord(step: step, state: .succeeded)) }
        let errors = recorder.finish(.succeeded)
        guard case .database(.corrupt(let path, _)) = errors.first, errors.count == 1 else {
            Issue.record("\(errors)")
            return
        }
        #expect(path == scratch.file("history.db"))
        #expect(throws: HistoryError.self) { try History(folder: scratch.path) }
    }

    @Test("a folder that cannot be made is named")
    func folders() throws {
        scratch.write("file", [])
        let path = scratch.file("file")
        #expect(throws: HistoryError.folder(path: path + "/jobs", reason: "Not a directory")) {
            try JobRecorder(stateFolder: path, job: description())
        }
    }
}
