import GRDB
import PipelineIR
import Testing

import struct Executor.JobID

@testable import Master

@Suite struct StepTableTests {
    let scratch: DatabaseScratch
    let database: MasterDatabase
    let id: JobID
    let plan = PlanDigest(Digest(ofUTF8: "a plan"))

    init() async throws {
        scratch = try DatabaseScratch()
        database = try scratch.open()
        id = try await database.submit(.example()).job.id
        try await database.put(plan: [1, 0, 2], digest: plan)
        try await database.setPlan(
            plan, steps: (0..<3).map { JobStep(step: $0, id: "s\($0)", name: "Step \($0)") },
            of: id)
    }

    private func change(
        _ step: Int, _ state: JobStep.State, at time: Int64, try number: Int? = nil,
        _ attempt: StepAttempt.State = .running
    ) -> StepChange {
        var change = StepChange(step: step, state: state, at: milliseconds(time))
        change.attempt = number.map { .init(number: $0, state: attempt) }
        return change
    }

    @Test func `a plan comes back by its digest and stays what it is`() async throws {
        #expect(try await database.plan(plan) == [1, 0, 2])
        try await database.put(plan: [9], digest: plan)
        #expect(try await database.plan(plan) == [1, 0, 2])
        #expect(try await database.plan(PlanDigest(Digest(ofUTF8: "another"))) == nil)
        #expect(try await database.job(id)?.plan == plan)
    }

    @Test func `a job keeps its plan, and takes none that is not there`() async throws {
        try await database.setPlan(plan, steps: [], of: id)
        #expect(try await database.steps(of: id).count == 3)
        let other = PlanDigest(Digest(ofUTF8: "another"))
        await #expect(throws: MasterDatabaseError.self) {
            try await database.setPlan(other, steps: [], of: id)
        }
        let next = try await database.submit(.example()).job.id
        await #expect {
            try await database.setPlan(other, steps: [], of: next)
        } throws: { error in
            if case .constraint = error as? MasterDatabaseError { true } else { false }
        }
        #expect(try await database.job(next)?.plan == nil)
    }

    @Test func `steps and tries become what is recorded of them`() async throws {
        var failed = change(0, .queued, at: 30, try: 1, .failed)
        failed.exitCode = 2
        failed.reason = "flaky"
        var done = change(0, .succeeded, at: 50, try: 2, .succeeded)
        done.exitCode = 0
        var cached = change(1, .cached, at: 55)
        cached.cachedFrom = JobID("0abcdefgh")
        try await database.record([change(0, .running, at: 10, try: 1)], of: id)
        try await database.record([failed, change(0, .running, at: 40, try: 2)], of: id)
        try await database.record([done, cached], of: id)
        let steps = try await database.steps(of: id)
        #expect(steps.map(\.state) == [.succeeded, .cached, .waiting])
        #expect(steps[0].attempts == 2 && steps[0].exitCode == 0 && steps[0].reason == nil)
        #expect(steps[0].started == milliseconds(10) && steps[0].ended == milliseconds(50))
        #expect(steps[1].cachedFrom == JobID("0abcdefgh"))
        #expect(steps[2] == JobStep(step: 2, id: "s2", name: "Step 2"))
        let attempts = try await database.attempts(of: id)
        #expect(attempts.map(\.state) == [.failed, .succeeded])
        #expect(attempts.map(\.started) == [milliseconds(10), milliseconds(40)])
        #expect(attempts.map(\.ended) == [milliseconds(30), milliseconds(50)])
        #expect(attempts.map(\.exitCode) == [2, 0])
        #expect(attempts[0].reason == "flaky")
        #expect(try await database.attempts(of: id, step: 1).isEmpty)
        let bodies = try await database.events(after: 0, job: id).filter { $0.kind == .steps }
            .map(\.body)
        #expect(
            bodies.last == """
                {"steps":[{"at":50,"attempt":2,"attemptState":"succeeded","exitCode":0,\
                "state":"succeeded","step":0},{"at":55,"cachedFrom":"0abcdefgh",\
                "state":"cached","step":1}]}
                """)
        #expect(try await database.check().isEmpty)
    }

    @Test func `a step has one live try, and a try ends once`() async throws {
        try await database.record([change(0, .running, at: 1, try: 1)], of: id)
        for second in [
            change(0, .running, at: 2, try: 2), change(0, .running, at: 2, try: 0),
        ] {
            await #expect {
                try await database.record([second], of: id)
            } throws: { error in
                if case .constraint = error as? MasterDatabaseError { true } else { false }
            }
        }
        try await database.record([change(0, .queued, at: 3, try: 1, .lost)], of: id)
        await #expect(throws: MasterDatabaseError.self) {
            try await database.record([change(0, .succeeded, at: 4, try: 1, .succeeded)], of: id)
        }
        #expect(try await database.steps(of: id)[0].state == .queued)
        #expect(try await database.attempts(of: id).map(\.state) == [.lost])
    }

    @Test func `changes are recorded together or not at all`() async throws {
        let events = try await database.latestEvent()
        await #expect(
            throws: MasterDatabaseError.missing(what: "step", name: "7 of job \(id)")
        ) {
            try await database.record(
                [change(0, .running, at: 1), change(7, .running, at: 1)], of: id)
        }
        #expect(try await database.steps(of: id)[0].state == .waiting)
        #expect(try await database.latestEvent() == events)
    }

    @Test func `many changes are several events, in order`() async throws {
        let job = try await database.submit(.example()).job.id
        let plan = PlanDigest(Digest(ofUTF8: "large"))
        try await database.put(plan: [], digest: plan)
        try await database.setPlan(
            plan, steps: (0..<2500).map { JobStep(step: $0, id: "\($0)", name: "n") }, of: job)
        try await database.record((0..<2500).map { change($0, .skipped, at: 1) }, of: job)
        let events = try await database.events(after: 0, job: job)
        #expect(events.filter { $0.kind == .steps }.count == 3)
        #expect(try await database.steps(of: job).allSatisfy { $0.state == .skipped })
        #expect(try await database.check().isEmpty)
    }

    @Test func `events come after each other, by job and by number`() async throws {
        let other = try await database.submit(.example()).job.id
        let all = try await database.events(after: 0)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.sequence < $1.sequence })
        #expect(all.map(\.job) == [id, id, other])
        #expect(try await database.events(after: all[0].sequence) == Array(all.dropFirst()))
        #expect(try await database.events(after: 0, limit: 2) == Array(all.prefix(2)))
        #expect(try await database.events(after: 0, job: other) == [all[2]])
        #expect(try await database.events(after: all[2].sequence).isEmpty)
        #expect(try await database.events(after: .max, limit: -5).isEmpty)
        #expect(try await database.latestEvent() == all[2].sequence)
    }
}
