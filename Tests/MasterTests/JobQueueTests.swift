import Testing

@testable import Executor
@testable import Master

@Suite struct JobQueueTests {
    private static func entry(
        _ number: Int64, team: String = "a", pipeline: String = "p", group: String? = nil,
        priority: Int = 0, created: Int64? = nil
    ) throws -> JobQueue.Entry {
        let id = JobID(
            after: nil, at: Timestamp(microseconds: 1_796_000_000_000_000 + number * 40_000),
            random: 0)
        return JobQueue.Entry(
            job: try #require(id), number: number, team: team, pipeline: pipeline, group: group,
            priority: priority, created: created ?? number)
    }

    private func numbers(_ queue: inout JobQueue, most: Int = 1000) -> [Int64] {
        var found: [Int64] = []
        while found.count < most, let entry = queue.next() { found.append(entry.number) }
        return found
    }

    @Test func `a team's jobs run in their order, urgent ones first`() throws {
        var queue = JobQueue(limits: .init(active: 10))
        for number in 1...3 { queue.add(try Self.entry(Int64(number))) }
        queue.add(try Self.entry(4, priority: 1))
        let found = numbers(&queue)
        #expect(found == [4, 1, 2, 3])
    }

    @Test func `a minute of waiting is worth one of priority`() throws {
        var queue = JobQueue(limits: .init(active: 10))
        queue.add(try Self.entry(1, created: 0))
        queue.add(try Self.entry(2, priority: 1, created: 59_999))
        queue.add(try Self.entry(3, priority: 1, created: 60_001))
        let found = numbers(&queue)
        #expect(found == [2, 1, 3])
    }

    @Test func `priorities beyond all bounds trap nothing`() throws {
        var queue = JobQueue(limits: .init(active: 10))
        queue.add(try Self.entry(1, priority: .max, created: .max))
        queue.add(try Self.entry(2, priority: .min, created: .min))
        let found = numbers(&queue)
        #expect(found == [1, 2])
    }

    @Test func `a team has no more jobs than it may have, and another goes on`() throws {
        var queue = JobQueue(limits: .init(active: 10, perTeam: 2))
        for number in 1...5 { queue.add(try Self.entry(Int64(number))) }
        #expect(numbers(&queue) == [1, 2])
        queue.add(try Self.entry(6, team: "other"))
        #expect(numbers(&queue) == [6])
        queue.end(try Self.entry(1).job)
        #expect(numbers(&queue) == [3])
    }

    @Test func `nobody waits for the end of another team's jobs`() throws {
        var queue = JobQueue(limits: .init(active: 2))
        for number in 1...5000 { queue.add(try Self.entry(Int64(number))) }
        var found = numbers(&queue)
        #expect(found == [1, 2])
        queue.add(try Self.entry(6000, team: "b"))
        found = numbers(&queue)
        #expect(found == [6000])
        // Beyond the limit there is one job of a team, and not more than twice the limit in all.
        queue.add(try Self.entry(6001, team: "b"))
        queue.add(try Self.entry(6002, team: "c"))
        queue.add(try Self.entry(6003, team: "d"))
        found = numbers(&queue)
        #expect(found == [6002])
    }

    @Test func `whatever comes, a team with nothing that runs waits for no other's thousands`()
        throws
    {
        for seed in 1...40 as ClosedRange<UInt64> {
            var random = Dice(state: seed)
            let limit = 1 + random.below(4)
            var queue = JobQueue(limits: .init(active: limit))
            for number in 1...5000 { queue.add(try Self.entry(Int64(number), team: "many")) }
            var running = numbers(&queue)
            var number: Int64 = 10_000
            for _ in 0..<200 {
                // Up to as many teams as there are places beyond the limit come at once.
                let teams = (0..<1 + random.below(limit)).map { "t\(number + Int64($0))" }
                var ofTeams: [Int64] = []
                for team in teams {
                    number += 1
                    ofTeams.append(number)
                    queue.add(try Self.entry(number, team: team))
                }
                let started = numbers(&queue)
                #expect(Set(started).isSuperset(of: ofTeams), "seed \(seed)")
                running += started
                #expect(queue.activeCount <= 2 * limit)
                // Those of others are short, and now and then one of the thousands ends.
                for done in ofTeams { queue.end(try Self.entry(done).job) }
                running.removeAll { ofTeams.contains($0) }
                if random.below(2) == 0, !running.isEmpty {
                    queue.end(try Self.entry(running.remove(at: random.below(running.count))).job)
                    running += numbers(&queue)
                }
                #expect(queue.activeCount == running.count)
            }
        }
    }

    @Test func `jobs of a paused pipeline wait, and others pass them`() throws {
        var queue = JobQueue(limits: .init(active: 2))
        queue.paused = ["p"]
        queue.add(try Self.entry(1))
        queue.add(try Self.entry(2, pipeline: "q"))
        #expect(numbers(&queue) == [2])
        queue.paused = []
        #expect(numbers(&queue) == [1])
    }

    @Test func `shares follow the weights`() throws {
        var queue = JobQueue(limits: .init(active: 1, weights: ["a": 3]))
        for number in 1...400 {
            queue.add(try Self.entry(Int64(number), team: "a"))
            queue.add(try Self.entry(Int64(1000 + number), team: "b"))
        }
        var ofA = 0
        for _ in 0..<200 {
            let next = queue.next()
            let entry = try #require(next)
            if entry.team == "a" { ofA += 1 }
            queue.end(entry.job)
        }
        #expect((145...155).contains(ofA))
    }

    @Test func `one job of a group runs at a time`() throws {
        var queue = JobQueue(limits: .init(active: 10))
        let first = try Self.entry(1, group: "g")
        queue.add(first)
        queue.add(try Self.entry(2, group: "g"))
        queue.add(try Self.entry(3))
        var found = numbers(&queue)
        #expect(found == [1, 3])
        #expect(queue.members(of: "g").active == first.job)
        queue.end(first.job)
        found = numbers(&queue)
        #expect(found == [2])
    }

    @Test func `a pipeline has its limit`() throws {
        var queue = JobQueue(limits: .init(active: 10, perPipeline: 1))
        let first = try Self.entry(1)
        queue.add(first)
        queue.add(try Self.entry(2))
        queue.add(try Self.entry(3, pipeline: "q"))
        var found = numbers(&queue)
        #expect(found == [1, 3])
        queue.end(first.job)
        found = numbers(&queue)
        #expect(found == [2])
    }

    @Test func `what waits can be removed, what runs is ended once`() throws {
        var queue = JobQueue(limits: .init(active: 1))
        let (one, two) = (try Self.entry(1), try Self.entry(2))
        queue.add(one)
        queue.add(two)
        let isRemoved = queue.remove(two.job, of: "a")
        let isRemovedAgain = queue.remove(two.job, of: "a")
        #expect(isRemoved && !isRemovedAgain)
        var found = numbers(&queue)
        #expect(found == [1])
        queue.end(one.job)
        queue.end(one.job)
        #expect(queue.activeCount == 0 && queue.waitingCount == 0)
        found = numbers(&queue)
        #expect(found == [])
    }
}

/// Numbers of a seed (splitmix64).
private struct Dice {
    var state: UInt64

    mutating func below(_ most: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(max(1, most)))
    }
}
