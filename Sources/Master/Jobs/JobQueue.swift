internal import struct Executor.JobID

/// Which job is next: a weighted fair share between teams, and within a team the most urgent and
/// then the oldest. A value without any clock, so that the same calls give the same order.
///
/// Each team has a virtual time that grows by 1/weight with every job it starts; the team with the
/// least is next (start-time fair queueing, Goyal, Vin and Cheng 1996). One that comes back after a
/// pause begins at the time of the others, so it cannot save up.
struct JobQueue {
    /// A job that waits.
    struct Entry: Sendable, Equatable {
        var job: JobID
        var number: Int64
        /// Whose share it takes: its team, or else its repository.
        var team: String
        var pipeline: String
        /// Jobs of one group do not run at once.
        var group: String?
        /// A greater one is worth a minute of waiting for each unit.
        var priority: Int
        /// Milliseconds since 1970.
        var created: Int64

        /// Lower is earlier. A job that has waited for long comes before a more urgent new one.
        var rank: Int64 {
            let bonus = Int64(clamping: priority).multipliedReportingOverflow(by: 60_000)
            if bonus.overflow { return priority > 0 ? .min : .max }
            let rank = created.subtractingReportingOverflow(bonus.partialValue)
            return rank.overflow ? (priority > 0 ? .min : .max) : rank.partialValue
        }
    }

    /// What may run at once.
    struct Limits: Sendable, Equatable {
        /// Jobs of all teams.
        var active: Int
        /// Jobs of one pipeline; `nil` for no limit.
        var perPipeline: Int?
        /// Jobs of one team; `nil` for no limit. More than can have a slot would only wait for one.
        var perTeam: Int?
        /// Weights of teams; 1 where there is none.
        var weights: [String: Double] = [:]
    }

    private struct Team {
        var waiting: [Entry] = []
        var active = 0
        var time = 0.0
    }

    /// With more teams, those that are idle are forgotten.
    private static let mostIdle = 1024
    /// Jobs of a team that get ready while others have the slots.
    static let ahead = 2
    var limits: Limits
    /// Pipelines of which no job starts.
    var paused: Set<String> = []
    private var teams: [String: Team] = [:]
    private var active: [JobID: Entry] = [:]
    private var activeOfPipeline: [String: Int] = [:]
    private var activeGroups: [String: JobID] = [:]
    /// The virtual time of what was started last.
    private var time = 0.0

    init(limits: Limits) { self.limits = limits }

    /// How many wait, and how many run.
    var waitingCount: Int { teams.values.reduce(0) { $0 + $1.waiting.count } }
    var activeCount: Int { active.count }

    /// Adds a job that waits.
    mutating func add(_ entry: Entry) {
        var team = teams[entry.team] ?? Team()
        if team.waiting.isEmpty, team.active == 0 { team.time = max(team.time, time) }
        // Jobs come nearly in order, so their place is near the end.
        var place = team.waiting.count
        while place > 0, Self.isBefore(entry, team.waiting[place - 1]) { place -= 1 }
        team.waiting.insert(entry, at: place)
        teams[entry.team] = team
    }

    /// Removes a job that waits; `false` when it does not.
    mutating func remove(_ job: JobID, of teamName: String) -> Bool {
        guard let place = teams[teamName]?.waiting.firstIndex(where: { $0.job == job }) else {
            return false
        }
        teams[teamName]?.waiting.remove(at: place)
        forgetIfIdle(teamName)
        return true
    }

    /// The next job that may run, which then counts as running.
    ///
    /// A team of which nothing runs gets one job beyond the limit, as long as not more than twice
    /// the limit run: so nobody waits for the end of another team's job.
    mutating func next() -> Entry? {
        let isFull = active.count >= limits.active
        if active.count >= limits.active * 2 { return nil }
        var best: (team: String, place: Int, time: Double)?
        for (name, team) in teams where !team.waiting.isEmpty {
            if isFull, team.active > 0 { continue }
            if let most = limits.perTeam, team.active >= most { continue }
            if let best, (best.time, best.team) <= (team.time, name) { continue }
            guard let place = team.waiting.firstIndex(where: { mayRun($0) }) else { continue }
            best = (name, place, team.time)
        }
        guard let best, var team = teams[best.team] else { return nil }
        let entry = team.waiting.remove(at: best.place)
        time = max(time, team.time)
        if teams.count > Self.mostIdle { forgetIdle() }
        team.time += 1 / max(0.001, limits.weights[best.team] ?? 1)
        teams[best.team] = team
        begin(entry)
        return entry
    }

    /// Whether a new job would be the next and run at once, if none waited.
    ///
    /// - Parameter others: jobs that are about to run and not counted yet.
    func hasRoom(for request: NewJob, besides others: Int) -> Bool {
        let active = teams[request.team ?? request.repository]?.active ?? 0
        return self.active.count + others < limits.active
            && active + others < limits.perTeam ?? .max
            && activeOfPipeline[request.pipeline, default: 0] + others < limits.perPipeline ?? .max
            && request.concurrency == nil && !paused.contains(request.pipeline)
    }

    /// Counts a job as running: one that was so before a restart.
    mutating func begin(_ entry: Entry) {
        active[entry.job] = entry
        teams[entry.team, default: Team()].active += 1
        activeOfPipeline[entry.pipeline, default: 0] += 1
        if let group = entry.group { activeGroups[group] = entry.job }
    }

    /// Counts a job as running no more.
    mutating func end(_ job: JobID) {
        guard let entry = active.removeValue(forKey: job) else { return }
        teams[entry.team]?.active -= 1
        forgetIfIdle(entry.team)
        let left = activeOfPipeline[entry.pipeline, default: 1] - 1
        activeOfPipeline[entry.pipeline] = left > 0 ? left : nil
        if let group = entry.group, activeGroups[group] == job { activeGroups[group] = nil }
    }

    /// Jobs of a group.
    struct Members: Sendable, Equatable {
        /// The one that runs.
        var active: JobID?
        /// Those that wait, oldest first.
        var waiting: [JobID]
        /// The one of all that was accepted last.
        var newest: Entry?
    }

    /// Jobs of a group that were accepted before one.
    func members(of group: String, before number: Int64) -> [JobID] {
        let waiting = teams.values.flatMap(\.waiting).filter { $0.group == group }
        let running = activeGroups[group].flatMap { active[$0] }
        return (waiting + [running].compactMap { $0 }).filter { $0.number < number }.map(\.job)
    }

    /// Jobs of a group.
    func members(of group: String) -> Members {
        let waiting = teams.values.flatMap(\.waiting).filter { $0.group == group }
            .sorted { $0.number < $1.number }
        let running = activeGroups[group].flatMap { active[$0] }
        return Members(
            active: activeGroups[group], waiting: waiting.map(\.job),
            newest: ([running].compactMap { $0 } + waiting).max { $0.number < $1.number })
    }

    private func mayRun(_ entry: Entry) -> Bool {
        if paused.contains(entry.pipeline) { return false }
        if let group = entry.group, activeGroups[group] != nil { return false }
        if let most = limits.perPipeline, activeOfPipeline[entry.pipeline, default: 0] >= most {
            return false
        }
        return true
    }

    private mutating func forgetIfIdle(_ name: String) {
        if let team = teams[name], team.waiting.isEmpty, team.active <= 0, team.time <= time {
            teams[name] = nil
        }
    }

    /// Forgets teams that have nothing to do and are owed nothing.
    private mutating func forgetIdle() {
        teams = teams.filter { _, team in
            !team.waiting.isEmpty || team.active > 0 || team.time > time
        }
    }

    private static func isBefore(_ a: Entry, _ b: Entry) -> Bool {
        (a.rank, a.number) < (b.rank, b.number)
    }
}

extension JobQueue.Entry {
    /// The place of a job.
    init(_ job: Job) {
        self.init(
            job: job.id, number: job.number, team: job.request.team ?? job.request.repository,
            pipeline: job.request.pipeline, group: job.request.concurrency?.group,
            priority: job.request.priority, created: job.created.microseconds / 1000)
    }
}
