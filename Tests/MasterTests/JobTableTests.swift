import GRDB
import PipelineIR
import Testing

import struct Executor.JobID

@testable import Master

/// A request that cannot be taken, and what is said of it.
struct Misfit: Sendable {
    let field: String
    let change: @Sendable (inout NewJob) -> Void

    init(_ field: String, _ change: @escaping @Sendable (inout NewJob) -> Void) {
        self.field = field
        self.change = change
    }
}

@Suite struct JobTableTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase

    init() throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
    }

    /// A job with its plan, that runs.
    private func running(steps: Int = 2) async throws -> JobID {
        let id = try await database.submit(.example()).job.id
        let plan = PlanDigest(Digest(ofUTF8: "plan \(id)"))
        try await database.put(plan: Array("plan".utf8), digest: plan)
        #expect(try await database.transition(id, to: .scheduling))
        try await database.setPlan(
            plan, steps: (0..<steps).map { JobStep(step: $0, id: "s\($0)", name: "Step \($0)") },
            of: id)
        #expect(try await database.transition(id, to: .running))
        return id
    }

    @Test func `a job comes back as it was asked for`() async throws {
        var request = NewJob.example("Größe \"A\"\n")
        request.team = "core"
        request.ref = "refs/heads/main"
        request.revision = "0123456789abcdef0123456789abcdef01234567"
        request.file = "ci/danubefile.py"
        request.parameters = #"{ "b": [1, 2.5], "a": "x\u0001y" }"#
        request.trigger = "push"
        request.priority = -7
        request.concurrency = .init(group: "deploy", rule: .queue(most: 3))
        request.mostMilliseconds = 60_000
        request.rerun = .init(job: try #require(JobID("0abcdefgh")), mode: .failed)
        request.idempotencyKey = "delivery-1"
        request.requestedBy = "token:ci"
        let made = try await database.submit(request, at: milliseconds(1_700_000_000_123))
        request.parameters = #"{"a":"x\u0001y","b":[1,2.5]}"#
        #expect(made.isNew)
        #expect(made.job.request == request)
        #expect(made.job.state == .pending)
        #expect(made.job.created == milliseconds(1_700_000_000_123))
        #expect(made.job.attempt == 0 && made.job.started == nil && made.job.ended == nil)
        #expect(try await database.job(made.job.id) == made.job)
        let nobody = try #require(JobID("zzzzzzzzz"))
        #expect(try await database.job(nobody) == nil)
    }

    @Test func `the same idempotency key gives the same job, also at the same time`() async throws {
        var request = NewJob.example()
        request.idempotencyKey = "once"
        let submissions = try await withThrowingTaskGroup(of: Submission.self) { group in
            for _ in 0..<50 { group.addTask { [request] in try await database.submit(request) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(submissions.filter(\.isNew).count == 1)
        #expect(Set(submissions.map(\.job.id)).count == 1)
        request.pipeline = "other"
        #expect(try await database.submit(request).job.request.pipeline == "build")
        request.idempotencyKey = "twice"
        #expect(try await database.submit(request).isNew)
    }

    @Test func `names of jobs grow with their numbers, whatever the clock shows`() async throws {
        let year: Int64 = 365 * 86_400_000
        let now: Int64 = 1_700_000_000_000
        var jobs: [Job] = []
        let times = [now, now, now + year, now, now - year, now, 0, now * 2, now]
        for time in times {
            for _ in 0..<100 {
                jobs.append(
                    try await database.submit(.example(), at: milliseconds(time)).job)
            }
        }
        #expect(zip(jobs, jobs.dropFirst()).allSatisfy { $0.id < $1.id && $0.number < $1.number })
        #expect(try await database.unfinishedJobs().map(\.id) == jobs.map(\.id))
    }

    @Test(arguments: [
        Misfit("pipeline") { $0.pipeline = "" },
        Misfit("pipeline") { $0.pipeline = "a\0b" },
        Misfit("pipeline") { $0.pipeline = String(repeating: "x", count: 257) },
        Misfit("repository") { $0.repository = String(repeating: "x", count: 4097) },
        Misfit("ref") { $0.ref = "a\0" },
        Misfit("parameters") { $0.parameters = "[]" },
        Misfit("parameters") { $0.parameters = "{\"a\":" },
        Misfit("parameters") {
            $0.parameters = "{\"a\":\(String(repeating: "1", count: 300_000))}"
        },
        Misfit("parameters") { $0.parameters = String(repeating: "[", count: 100_000) },
        Misfit("idempotency key") { $0.idempotencyKey = String(repeating: "k", count: 257) },
        Misfit("concurrency rule") { $0.concurrency = .init(group: "g", rule: .queue(most: -1)) },
        Misfit("maximal duration") { $0.mostMilliseconds = 0 },
    ])
    func `what does not fit is refused by name`(misfit: Misfit) async throws {
        var request = NewJob.example()
        misfit.change(&request)
        await #expect {
            try await database.submit(request)
        } throws: { error in
            guard case .invalid(misfit.field, let reason) = error as? MasterDatabaseError else {
                return false
            }
            return !reason.isEmpty
        }
        #expect(try await database.events(after: 0).isEmpty)
    }

    @Test func `a job that succeeds goes through its states, and each is an event`() async throws {
        let id = try await running(steps: 0)
        #expect(try await database.transition(id, to: .success, reason: "all went well"))
        let job = try #require(try await database.job(id))
        #expect(job.state == .success && job.reason == "all went well" && job.attempt == 1)
        let started = try #require(job.started)
        let ended = try #require(job.ended)
        #expect(started <= ended)
        let events = try await database.events(after: 0, job: id)
        #expect(
            events.filter { $0.kind == .state }.map(\.body) == [
                #"{"to":"pending"}"#, #"{"from":"pending","to":"scheduling"}"#,
                #"{"from":"scheduling","to":"running"}"#,
                #"{"from":"running","reason":"all went well","to":"success"}"#,
            ])
        #expect(try await database.check().isEmpty)
    }

    @Test func `a job that has ended stays, whatever is asked`() async throws {
        let id = try await database.submit(.example()).job.id
        #expect(try await database.transition(id, to: .cancelled))
        for state in JobState.allCases {
            #expect(try await !database.transition(id, to: state))
        }
        #expect(try await !database.askToStop(id))
        #expect(try await database.job(id)?.state == .cancelled)
        #expect(try await database.events(after: 0).count == 2)
    }

    @Test func `states follow each other only along the edges`() async throws {
        let id = try await database.submit(.example()).job.id
        await #expect(
            throws: MasterDatabaseError.illegalTransition(
                job: id.text, from: .pending, to: .success)
        ) { try await database.transition(id, to: .success) }
        #expect(try await database.transition(id, to: .waiting))
        #expect(try await database.transition(id, to: .scheduling))
        #expect(try await database.transition(id, to: .pending))
        #expect(try await database.transition(id, to: .scheduling))
        #expect(try await database.job(id)?.attempt == 2)
        let nobody = try #require(JobID("zzzzzzzzz"))
        await #expect(throws: MasterDatabaseError.missing(what: "job", name: "zzzzzzzzz")) {
            try await database.transition(nobody, to: .scheduling)
        }
    }

    @Test func `of all that end a job at once one does, and one event tells of it`() async throws {
        for _ in 0..<20 {
            let id = try await running(steps: 0)
            let ends: [JobState] = [.success, .failure, .timeout, .cancelled, .success, .cancelled]
            let won = try await withThrowingTaskGroup(of: JobState?.self) { group in
                for state in ends {
                    group.addTask { try await database.transition(id, to: state) ? state : nil }
                }
                return try await group.reduce(into: [JobState?]()) { $0.append($1) }
                    .compactMap { $0 }
            }
            #expect(won.count == 1)
            #expect(try await database.job(id)?.state == won.first)
        }
        #expect(try await database.check().isEmpty)
    }

    @Test func `the first wish to stop is kept`() async throws {
        let id = try await running()
        #expect(try await database.askToStop(id, as: .timeout, reason: "60 s are over"))
        #expect(try await !database.askToStop(id, reason: "by jane"))
        let stop = try #require(try await database.job(id)?.stop)
        #expect(stop.state == .timeout && stop.reason == "60 s are over")
        await #expect(throws: MasterDatabaseError.self) {
            try await database.askToStop(id, as: .success)
        }
    }

    @Test func `SQL cannot bring a job out of its end`() async throws {
        let id = try await running()
        let change = StepChange(step: 0, state: .running)
        var attempt = change
        attempt.attempt = .init(number: 1, state: .running)
        try await database.record([attempt], of: id)
        attempt.state = .failed
        attempt.attempt = .init(number: 1, state: .failed)
        try await database.record([attempt], of: id)
        #expect(try await database.transition(id, to: .failure))
        for (sql, reason) in [
            ("UPDATE jobs SET state = 'running', ended = NULL", "never changes its state"),
            ("UPDATE jobs SET state = 'success'", "never changes its state"),
            ("UPDATE OR REPLACE jobs SET state = 'cancelled'", "never changes its state"),
            ("UPDATE jobs SET id = 'zzzzzzzzz'", "never changes its name"),
            ("DELETE FROM jobs", "only when it is forgotten"),
            ("DELETE FROM job_events", "only when its job is forgotten"),
            ("UPDATE job_events SET body = '{}'", "never changes"),
            ("DELETE FROM attempts", "only when its job is forgotten"),
            ("UPDATE attempts SET state = 'succeeded'", "never changes its state"),
            ("UPDATE attempts SET state = 'running', ended = NULL", "never changes its state"),
            ("UPDATE jobs SET priority = 'high'", "cannot store TEXT"),
        ] {
            #expect {
                try scratch.raw { try $0.execute(sql: sql) }
            } throws: { error in
                "\(error)".contains(reason)
            }
        }
        #expect(try await database.job(id)?.state == .failure)
        #expect(try await database.check().isEmpty)
    }

    @Test func `a replaced row meets the guards too`() async throws {
        let id = try await running()
        await #expect {
            try await database.write { transaction in
                try transaction.run(
                    """
                    INSERT OR REPLACE INTO jobs (number, id, created, state, pipeline, trigger,
                        repository, file, parameters, priority)
                    SELECT number, id, created, 'pending', pipeline, trigger, repository, file,
                        parameters, priority FROM jobs WHERE id = ?
                    """, [id.text])
            }
        } throws: { error in
            guard case .constraint(_, let reason) = error as? MasterDatabaseError else {
                return false
            }
            return reason.contains("only when it is forgotten")
        }
    }

    @Test func `a job that is forgotten takes all of it along, and only that`() async throws {
        let kept = try await running()
        let gone = try await running()
        var change = StepChange(step: 1, state: .running)
        change.attempt = .init(number: 1, state: .running)
        try await database.record([change], of: gone)
        #expect(try await database.forget([gone, kept]).isEmpty)
        #expect(try await database.transition(gone, to: .cancelled))
        let plan = try #require(try await database.job(gone)?.plan)
        #expect(try await database.forget([gone, kept]) == [gone])
        #expect(try await database.job(gone) == nil)
        #expect(try await database.plan(plan) == nil)
        #expect(try await database.events(after: 0).allSatisfy { $0.job == kept })
        #expect(try await database.steps(of: kept).count == 2)
        let left = try await database.read { connection in
            try ["jobs", "steps", "attempts", "removals"].map {
                try Int.fetchOne(connection, sql: "SELECT count(*) FROM \($0)")
            }
        }
        #expect(left == [1, 2, 0, 0])
        #expect(try await database.check().isEmpty)
        // No number is given twice.
        let next = try await database.submit(.example()).job
        #expect(next.number == 3 && next.id > gone)
    }
}
